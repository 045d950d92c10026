"""The catalogue script, run on two small wheels written here."""

import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_catalog.py"

PRICE_LIST = """{
  "sample_spec": {"litellm_provider": "one of the providers", "mode": "one of the modes"},
  "exact": {"litellm_provider": "openai", "mode": "chat",
    "input_cost_per_token": 4.388e-07, "output_cost_per_token": 0.0000029999900000000002},
  "gap": {"litellm_provider": "openai", "mode": "chat", "output_cost_per_token": 1e-06},
  "zeros": {"litellm_provider": "openai", "mode": "chat",
    "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
  "agreed-free": {"litellm_provider": "openai", "mode": "chat",
    "input_cost_per_token": 0, "output_cost_per_token": 0},
  "half": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06,
    "output_cost_per_token": 2e-06, "cache_creation_input_token_cost": 0.0},
  "slip": {"litellm_provider": "openai", "mode": "chat",
    "input_cost_per_token": 0.0032, "output_cost_per_token": 0.0097},
  "moved": {"litellm_provider": "openai", "mode": "chat",
    "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06},
  "embed": {"litellm_provider": "openai", "mode": "embedding",
    "input_cost_per_token": 1e-08, "output_cost_per_token": 0.0},
  "groq/maker/able": {"litellm_provider": "groq", "mode": "chat",
    "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06,
    "input_cost_per_token_above_200k_tokens": 2e-06,
    "output_cost_per_token_above_200k_tokens": 3e-06,
    "input_cost_per_token_above_200k_tokens_priority": 9e-06,
    "max_input_tokens": 1000, "max_output_tokens": 100, "deprecation_date": "2027-01-31",
    "supports_function_calling": true, "supports_vision": false, "supports_pdf_input": true,
    "supported_modalities": ["text", "audio"]},
  "dashscope/tiered": {"litellm_provider": "dashscope", "mode": "chat", "tiered_pricing": [
    {"range": [0, 32000.0], "input_cost_per_token": 1e-06, "output_cost_per_token": 5e-06},
    {"range": [32000.0, 128000.0], "input_cost_per_token": 2e-06, "output_cost_per_token": 9e-06},
    {"range": [128000.0, 1e6], "input_cost_per_token": 6e-06, "output_cost_per_token": 6e-05}]},
  "mute": {"litellm_provider": "openai", "mode": "chat",
    "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06,
    "cache_read_input_token_cost": 1e-07},
  "plain": {"litellm_provider": "openai", "mode": "chat", "supports_function_calling": false},
  "ollama/home": {"litellm_provider": "ollama", "mode": "chat",
    "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
  "vertex_ai/claude-x": {"litellm_provider": "vertex_ai-anthropic_models", "mode": "chat"},
  "together-ai-up-to-4b": {"litellm_provider": "together_ai", "mode": "chat"},
  "1024-x-1024/picture": {"litellm_provider": "openai", "mode": "image_generation"},
  "fal_ai/film": {"litellm_provider": "fal_ai", "mode": "video_generation"}
}"""

WITNESS = """
import datetime
from decimal import Decimal
from .types import *

providers: list[Provider] = [
    Provider(
        id='openai',
        pricing_urls=['https://example.org'],
        models=[
            ModelInfo(
                id='exact',
                match=ClauseOr(
                    or_=[ClauseEquals(equals='exact'), ClauseStartsWith(starts_with='exa')]
                ),
                prices=ModelPrice(input_mtok=Decimal('0.439'), output_mtok=Decimal('3')),
            ),
            ModelInfo(
                id='agreed-free',
                match=ClauseEquals(equals='agreed-free'),
                prices=ModelPrice(input_mtok=Decimal('0'), output_mtok=Decimal('0')),
            ),
            ModelInfo(
                id='half',
                match=ClauseEquals(equals='half'),
                prices=[
                    ConditionalPrice(
                        prices=ModelPrice(input_mtok=Decimal('9'), output_mtok=Decimal('9'))
                    ),
                    ConditionalPrice(
                        constraint=StartDateConstraint(start_date=datetime.date(2026, 3, 13)),
                        prices=ModelPrice(
                            input_mtok=TieredPrices(
                                base=Decimal('1'), tiers=[Tier(start=200000, price=Decimal('2'))]
                            ),
                            output_mtok=Decimal('2'),
                        ),
                    ),
                    ConditionalPrice(
                        constraint=StartDateConstraint(start_date=datetime.date(2027, 1, 1)),
                        prices=ModelPrice(input_mtok=Decimal('7'), output_mtok=Decimal('7')),
                    ),
                ],
            ),
            ModelInfo(
                id='moved',
                match=ClauseRegex(regex='^moved$'),
                prices=ModelPrice(input_mtok=Decimal('1'), output_mtok=Decimal('2.5')),
            ),
        ],
    ),
    Provider(
        id='openrouter', models=[
            ModelInfo(id='maker/long', name='Long', context_window=500000, prices=ModelPrice(
                input_mtok=TieredPrices(
                    base=Decimal('0.1'), tiers=[Tier(start=200000, price=Decimal('0.2'))]),
                output_mtok=TieredPrices(
                    base=Decimal('1'), tiers=[Tier(start=200000, price=Decimal('1.5'))]),
                cache_read_mtok=Decimal('0.01'))),
            OTHERS
        ],
    )
]
"""
OTHERS = {  # models of the second source beside one that is taken whole -> their prices
    "name='Free', id='maker/long:free'": "",
    "name='Later', id='maker/long:batch'": "input_mtok=Decimal('1'), output_mtok=Decimal('2')",
    "name='Painter', id='maker/an-image'": "input_mtok=Decimal('1'), output_mtok=Decimal('2')",
    "name='Half', id='maker/half'": "input_mtok=Decimal('1')",
    "id='maker/old'": "input_mtok=Decimal('1'), output_mtok=Decimal('2')",
    "name='Bare', id='bare'": "input_mtok=Decimal('1'), output_mtok=Decimal('2')",
}


def wheel(path: Path, name: str, version: str, member: str, text: str) -> Path:
    """Write a wheel that holds one file and its metadata."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, text)
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        archive.writestr(f"{name}-{version}.dist-info/METADATA", metadata)
    return path


def run(folder: Path, out: str, agreement: str = "0.5") -> subprocess.CompletedProcess[str]:
    """Run the script on the two small wheels."""
    prices = "litellm/model_prices_and_context_window_backup.json"
    litellm = wheel(folder / "l.whl", "litellm", "1.2.3", prices, PRICE_LIST)
    others = ", ".join(f"ModelInfo({n}, prices=ModelPrice({p}))" for n, p in OTHERS.items())
    data = WITNESS.replace("OTHERS", others)
    witness = wheel(folder / "g.whl", "genai_prices", "0.9", "genai_prices/data.py", data)
    wheels = ["--litellm-wheel", str(litellm), "--genai-prices", str(witness)]
    options = ["--date", "2026-11-21", "--agreement", agreement, "--out", str(folder / out)]
    command = [sys.executable, str(SCRIPT), *wheels, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("catalogue")


@pytest.fixture(scope="module")
def printed(folder: Path) -> str:
    result = run(folder, "catalog.json.gz")
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def document(folder: Path, printed: str) -> dict[str, Any]:
    assert printed
    data: dict[str, Any] = json.loads(gzip.decompress((folder / "catalog.json.gz").read_bytes()))
    return data


@pytest.fixture(scope="module")
def openai(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in document["providers"]["openai"]}


def test_prices_keep_the_digits_of_the_text(openai: dict[str, dict[str, Any]]) -> None:
    assert (openai["exact"]["input"], openai["exact"]["output"]) == (438_800, 2_999_990)


def test_a_missing_price_is_left_out(openai: dict[str, dict[str, Any]]) -> None:
    assert "input" not in openai["gap"]
    assert openai["gap"]["output"] == 1_000_000


def test_a_zero_that_nobody_vouches_for_is_left_out(openai: dict[str, dict[str, Any]]) -> None:
    assert "input" not in openai["zeros"]
    assert "output" not in openai["zeros"]
    assert "cache_write" not in openai["half"]


def test_a_zero_with_a_witness_or_on_ones_own_machine_stays(
    document: dict[str, Any], openai: dict[str, dict[str, Any]]
) -> None:
    (home,) = document["providers"]["ollama"]
    for row in (openai["agreed-free"], home):
        assert (row["input"], row["output"]) == (0, 0)


def test_an_embedding_bills_no_answer(openai: dict[str, dict[str, Any]]) -> None:
    assert openai["embed"]["output"] == 0


def test_a_price_beyond_belief_is_left_out(openai: dict[str, dict[str, Any]]) -> None:
    assert "input" not in openai["slip"]
    assert "output" not in openai["slip"]


def test_a_row_says_limits_steps_and_capabilities(document: dict[str, Any]) -> None:
    (row,) = document["providers"]["groq"]
    assert row == {
        "id": "maker/able",
        "mode": "chat",
        "input": 1_000_000,
        "output": 2_000_000,
        "steps": [{"above": 200_000, "input": 2_000_000, "output": 3_000_000}],
        "tier_prices": {"priority": {"steps": [{"above": 200_000, "input": 9_000_000}]}},
        "context": 1000,
        "max_output": 100,
        "capabilities": ["tools", "audio_in", "files"],
        "retires": "2027-01-31",
    }


def test_what_the_list_does_not_say_a_model_can_do_is_unknown_and_not_nothing(
    openai: dict[str, dict[str, Any]],
) -> None:
    assert "capabilities" not in openai["mute"]
    assert openai["plain"]["capabilities"] == []


def test_a_vendor_that_the_list_lacks_is_taken_from_the_second_source(
    document: dict[str, Any], printed: str
) -> None:
    long, free = document["providers"]["openrouter"]
    assert long == {
        "id": "maker/long",
        "mode": "chat",
        "input": 100_000,
        "output": 1_000_000,
        "cache_read": 10_000,
        "steps": [{"above": 200_000, "input": 200_000, "output": 1_500_000}],
        "context": 500_000,
    }
    assert free == {"id": "maker/long:free", "mode": "chat", "input": 0, "output": 0}
    origin = {"name": "genai-prices", "version": "0.9", "date": "2026-11-21"}
    assert document["others"] == {"openrouter": origin}
    assert "2 of them of openrouter, by the second source" in printed


def test_a_table_of_ranges_becomes_a_price_and_its_steps(document: dict[str, Any]) -> None:
    (row,) = document["providers"]["dashscope"]
    assert (row["input"], row["output"]) == (1_000_000, 5_000_000)
    assert row["steps"] == [
        {"above": 32_000, "input": 2_000_000, "output": 9_000_000},
        {"above": 128_000, "input": 6_000_000, "output": 60_000_000},
    ]


def test_only_models_that_can_be_called_here_are_kept(document: dict[str, Any]) -> None:
    theirs = set(document["providers"]) - {"openrouter"}
    assert theirs == {"dashscope", "groq", "ollama", "openai", "vertex_ai"}
    assert [row["id"] for row in document["providers"]["vertex_ai"]] == ["claude-x"]
    assert not any("picture" in row["id"] for row in document["providers"]["openai"])


def test_the_second_source_confirms_or_contradicts_or_is_silent(
    openai: dict[str, dict[str, Any]],
) -> None:
    assert openai["exact"]["checked"] is True  # 0.439 for 0.4388 is within one percent
    assert openai["half"]["checked"] is True  # of three dated prices the one in force that day
    assert openai["moved"]["checked"] is False
    assert "checked" not in openai["embed"]


def test_the_cross_check_is_printed_and_stored(document: dict[str, Any], printed: str) -> None:
    assert "openai moved: 1/2 here, 1/2.5 there" in printed
    assert "4 compared, 3 agree within 1%" in printed
    assert document["source"] == {"name": "litellm", "version": "1.2.3", "date": "2026-11-21"}
    assert document["check"] == {
        "name": "genai-prices",
        "version": "0.9",
        "date": "2026-11-21",
        "compared": 4,
        "agreeing": 3,
    }


def test_the_same_sources_give_the_same_bytes(folder: Path, printed: str) -> None:
    assert printed
    assert run(folder, "again.json.gz").returncode == 0
    first = (folder / "catalog.json.gz").read_bytes()
    assert (folder / "again.json.gz").read_bytes() == first
    assert first[4:8] == bytes(4)  # no time in the gzip header


def test_too_little_agreement_is_an_error_and_writes_nothing(folder: Path) -> None:
    result = run(folder, "refused.json.gz", agreement="0.8")
    assert result.returncode == 1
    assert "nothing written" in result.stderr
    assert not (folder / "refused.json.gz").exists()
