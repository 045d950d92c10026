"""Prices of what is no token, and of service tiers, taken from the price list by the catalogue script."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

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


TIERED = """{
  "gpt": {"litellm_provider": "openai", "mode": "chat",
    "input_cost_per_token": 1e-06, "output_cost_per_token": 4e-06,
    "input_cost_per_token_above_272k_tokens": 2e-06,
    "input_cost_per_token_priority": 2e-06, "output_cost_per_token_priority": 8e-06,
    "cache_read_input_token_cost_priority": 2e-07,
    "input_cost_per_token_above_272k_tokens_priority": 4e-06,
    "input_cost_per_token_flex": 5e-07, "output_cost_per_token_flex": 0.0,
    "output_cost_per_image_token_batches": 6e-05, "output_cost_per_token_ultrafast": 2.4e-05},
  "gap": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token_batches": 1e-06},
  "exact": {"litellm_provider": "openai", "mode": "chat",
    "input_cost_per_token": 4.388e-07, "output_cost_per_token": 3e-06}
}"""


def rows_of(price_list: str, tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Return the catalogue's rows of the list's models."""
    prices = "litellm/model_prices_and_context_window_backup.json"
    litellm = wheel(tmp_path / "l.whl", "litellm", "1.2.3", prices, price_list)
    others = ", ".join(f"ModelInfo({n}, prices=ModelPrice({p}))" for n, p in OTHERS.items())
    data = WITNESS.replace("OTHERS", others)
    witness = wheel(tmp_path / "g.whl", "genai_prices", "0.9", "genai_prices/data.py", data)
    out = tmp_path / "catalog.gz"
    wheels = ["--litellm-wheel", str(litellm), "--genai-prices", str(witness)]
    command = [sys.executable, str(SCRIPT), *wheels, "--date", "2026-11-21", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    vendors = json.loads(gzip.decompress(out.read_bytes()))["providers"]
    return {row["id"]: row for rows in vendors.values() for row in rows}


def test_the_prices_of_service_tiers_are_taken_as_they_are_stated(tmp_path: Path) -> None:
    rows = rows_of(TIERED, tmp_path)
    assert rows["gpt"]["tier_prices"] == {
        "priority": {
            "input": 2_000_000,
            "output": 8_000_000,
            "cache_read": 200_000,
            "steps": [{"above": 272_000, "input": 4_000_000}],
        },
        "flex": {"input": 500_000},  # a zero only fills a gap
        "batch": {"image_output": 60_000_000},
        "ultrafast": {"output": 24_000_000},
    }
    assert rows["gpt"]["steps"] == [{"above": 272_000, "input": 2_000_000}]
    assert "tier_prices" not in rows["gap"]  # nobody knows what is usual


def test_each_mode_is_paid_by_its_own_units_and_zeros_are_no_prices(tmp_path: Path) -> None:
    known = rows_of(PRICE_LIST, tmp_path)
    units = ("query", "image", "character", "second")
    found = {
        name: (row["mode"], {unit: row[unit] for unit in units if unit in row})
        for name, row in known.items()
        if "/" not in name
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
