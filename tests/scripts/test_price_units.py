"""Prices of what is no token, taken from the price list by the catalogue script."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

from tests.scripts.test_build_catalog import OTHERS, SCRIPT, WITNESS, wheel

PRICE_LIST = """{
  "cohere-rank": {"litellm_provider": "cohere", "mode": "rerank", "input_cost_per_query": 0.002,
    "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
  "painter": {"litellm_provider": "openai", "mode": "image_generation",
    "input_cost_per_image": 0.04, "output_cost_per_image": 0.0, "input_cost_per_second": 1},
  "reader": {"litellm_provider": "openai", "mode": "audio_speech",
    "input_cost_per_character": 1.5e-05},
  "writer": {"litellm_provider": "openai", "mode": "audio_transcription",
    "input_cost_per_second": 0.0001, "output_cost_per_second": 0.0002,
    "supported_endpoints": ["/v1/audio/transcriptions", "/v1/realtime"]},
  "listener": {"litellm_provider": "openai", "mode": "audio_transcription",
    "input_cost_per_second": 0.0001, "supported_endpoints": ["/v1/realtime"]},
  "free": {"litellm_provider": "openai", "mode": "rerank", "input_cost_per_query": 0.0,
    "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
  "exact": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_image": 0.5,
    "supported_endpoints": ["/v1/realtime"],
    "input_cost_per_token": 4.388e-07, "output_cost_per_token": 3e-06}
}"""


def test_each_mode_is_paid_by_its_own_units_and_zeros_are_no_prices(tmp_path: Path) -> None:
    prices = "litellm/model_prices_and_context_window_backup.json"
    litellm = wheel(tmp_path / "l.whl", "litellm", "1.2.3", prices, PRICE_LIST)
    others = ", ".join(f"ModelInfo({n}, prices=ModelPrice({p}))" for n, p in OTHERS.items())
    data = WITNESS.replace("OTHERS", others)
    witness = wheel(tmp_path / "g.whl", "genai_prices", "0.9", "genai_prices/data.py", data)
    out = tmp_path / "catalog.gz"
    wheels = ["--litellm-wheel", str(litellm), "--genai-prices", str(witness)]
    command = [sys.executable, str(SCRIPT), *wheels, "--date", "2026-11-21", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    rows = json.loads(gzip.decompress(out.read_bytes()))["providers"]
    known = {row["id"]: row for row in [*rows["openai"], *rows["cohere"]]}
    units = ("query", "image", "character", "second")
    found = {
        name: (row["mode"], {unit: row[unit] for unit in units if unit in row})
        for name, row in known.items()
    }
    assert found == {
        "cohere-rank": ("rerank", {"query": 2_000_000_000}),
        "painter": ("image_generation", {"image": 40_000_000_000}),
        "reader": ("audio_speech", {"character": 15_000_000}),
        "writer": ("audio_transcription", {"second": 100_000_000}),
        "listener": ("realtime", {"second": 100_000_000}),
        "free": ("rerank", {}),
        "exact": ("chat", {}),
    }
