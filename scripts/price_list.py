"""Reads the price list inside the published litellm wheel and says it in the catalogue's words.

Prices are whole numbers of 10^-12 USD per token, taken from the digits of the text. What the list
does not say is left out: an unknown price is never written as zero.
"""

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from price_witness import Pair, wheel_version

Row = dict[str, Any]  # one object of the price list, numbers as Decimal or int

PRICE_LIST = "litellm/model_prices_and_context_window_backup.json"
NOT_MODELS = frozenset({"sample_spec", "fallback_generalizations"})
SIZE_CLASS = re.compile(
    r"^(together|fireworks)-ai-|\d+-x-\d+"
)  # rows that price a class, not a model
RENAMED = {  # labels inside the price list -> the provider that is called
    "azure_text": "azure",
    "bedrock_converse": "bedrock",
    "fireworks_ai-embedding-models": "fireworks_ai",
    "text-completion-codestral": "codestral",
    "text-completion-inception": "inception",
    "text-completion-openai": "openai",
}
MODES = frozenset(
    {
        "audio_speech",
        "audio_transcription",
        "chat",
        "completion",
        "embedding",
        "image_edit",
        "image_generation",
        "moderation",
        "realtime",
        "rerank",
        "responses",
    }
)
WITHOUT_OUTPUT = frozenset({"embedding", "rerank", "moderation"})  # no output tokens are billed
FREE = frozenset(  # (provider, model) that the vendor's own price page lists as free
    {
        ("gemini", "gemma-3-27b-it"),
        ("gemini", "gemma-4-26b-a4b-it"),
        ("gemini", "gemma-4-31b-it"),
        ("openai", "omni-moderation-2024-09-26"),
        ("openai", "omni-moderation-latest"),
        ("zai", "glm-4.5-flash"),
        ("zai", "glm-4.7-flash"),
    }
)
LOCAL = frozenset({"ollama", "lemonade"})  # run on one's own machine: no price per token
IMPLAUSIBLE = {
    "input": 200 * 10**6,
    "output": 1000 * 10**6,
}  # per token: a slip of the unit

PRICES = {  # our word -> theirs, USD per token
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "reasoning": "output_cost_per_reasoning_token",
    "audio_input": "input_cost_per_audio_token",
    "audio_output": "output_cost_per_audio_token",
    "audio_cache_read": "cache_read_input_audio_token_cost",
    "image_input": "input_cost_per_image_token",
    "image_output": "output_cost_per_image_token",
}
UNITS = {  # our word -> theirs, USD per search, picture, character or second; the first counts
    "query": ("input_cost_per_query",),
    "image": ("output_cost_per_image", "input_cost_per_image"),
    "character": ("input_cost_per_character",),
    "second": ("input_cost_per_second", "output_cost_per_second"),
}
BY_UNIT = {  # mode -> the units that its work is paid by
    "rerank": ("query",),
    "image_generation": ("image",),
    "image_edit": ("image",),
    "audio_speech": ("character", "second"),
    "audio_transcription": ("second",),
}
TIERS = {  # the name of a service tier -> how the names of its prices end
    "priority": "_priority",
    "flex": "_flex",
    "batch": "_batches",
    "ultrafast": "_ultrafast",
}
LIVE = frozenset({"/v1/realtime", "/v1/realtime/transcription_sessions"})
STEP_PRICES = ("input", "output", "cache_read", "cache_write")
STEP = re.compile(r"_above_(\d+)k_tokens")

SCHEMA_FLAGS = ("supports_response_schema", "supports_native_structured_output")
FLAGS = {  # our word -> what in a row grants it
    "tools": ("supports_function_calling",),
    "parallel_tools": ("supports_parallel_function_calling",),
    "vision": ("supports_vision", "supports_image_input"),
    "audio_in": ("supports_audio_input",),
    "audio_out": ("supports_audio_output",),
    "files": ("supports_pdf_input",),
    "json_schema": SCHEMA_FLAGS,
    "json_object": SCHEMA_FLAGS,  # no flag of its own: who can hold a schema can hold any object
    "reasoning": ("supports_reasoning",),
    "prefill": ("supports_assistant_prefill",),
    "prompt_cache": ("supports_prompt_caching", PRICES["cache_read"]),
    "web_search": ("supports_web_search",),
}
MODALITIES = {  # our word -> (list in a row, the modality in it that grants the word too)
    "vision": ("supported_modalities", "image"),
    "audio_in": ("supported_modalities", "audio"),
    "audio_out": ("supported_output_modalities", "audio"),
}
SAYS_ABILITY = ("supports_", "supported_modalities", "supported_output_modalities")


@dataclass(frozen=True)
class PriceList:
    """The price list of one wheel, with the wheel's version."""

    version: str
    rows: dict[str, Row]

    @classmethod
    def open(cls, wheel: Path) -> "PriceList":
        """Read the list out of the wheel; numbers keep the digits of the text."""
        with zipfile.ZipFile(wheel) as archive:
            rows = json.loads(archive.read(PRICE_LIST), parse_float=Decimal)
            return cls(wheel_version(archive), rows)


def entries(rows: dict[str, Row]) -> Iterator[tuple[str, str, Row]]:
    """Yield (provider, model id, row) of every model; of twins the one with a prefix is last."""
    for name, row in sorted(rows.items(), key=lambda item: (item[0].count("/"), item[0])):
        if name not in NOT_MODELS and row.get("mode") in MODES and not SIZE_CLASS.search(name):
            yield (*place(name, row["litellm_provider"]), row)


def place(name: str, label: str) -> tuple[str, str]:
    """Return (provider, model id without the provider's prefix) of one row of the list."""
    provider = "vertex_ai" if label.startswith("vertex_ai-") else RENAMED.get(label, label)
    head, slash, rest = name.partition("/")
    own = {provider, label}
    return provider, rest if slash and (head in own or head.replace("-", "_") in own) else name


def price(usd_per_token: Decimal | int | None) -> int | None:
    """Return 10^-12 USD per token; digits below that are noise of somebody's floats."""
    if usd_per_token is None:
        return None
    pico = Decimal(usd_per_token).scaleb(12)
    return int(pico.to_integral_value(rounding=ROUND_HALF_EVEN))


def is_free(provider: str, model: str, row: Row, witness: Pair | None) -> bool:
    """Tell a model that costs nothing from a row whose zeros only fill a gap.

    Zeros are believed of models on one's own machine, of ids that say "free", of the table FREE,
    and where the second source has a price of zero too.
    """
    if row.get(PRICES["input"]) != 0 or row.get(PRICES["output"]) != 0:
        return False
    if provider in LOCAL:
        return not model.endswith("-cloud")
    said = (provider, model) in FREE or model.endswith(("-free", ":free"))
    return said or witness == (0, 0)


def prices(row: Row, *, free: bool) -> dict[str, int]:
    """Return the known prices of a row; a zero that nobody vouches for is unknown."""
    found = {word: price(row.get(theirs)) for word, theirs in PRICES.items()}
    if any((found[word] or 0) > limit for word, limit in IMPLAUSIBLE.items()):
        return {}
    believed = {w: p for w, p in found.items() if p is not None and (p > 0 or free)}
    if found["output"] == 0 and row["mode"] in WITHOUT_OUTPUT:
        believed["output"] = 0
    return believed | units(row)


def units(row: Row) -> dict[str, int]:
    """Return the known prices of what is no token; a zero only fills a gap."""
    words = BY_UNIT.get(row["mode"], ())
    found = {word: next(filter(None, map(row.get, UNITS[word])), None) for word in words}
    return {word: price(value) or 0 for word, value in found.items() if value is not None}


def mode(row: Row) -> str:
    """Return what a model is for: one that only hears or speaks live is not for whole sounds."""
    told = row.get("supported_endpoints", ())
    live = told and row["mode"].startswith("audio_") and LIVE.issuperset(told)
    return "realtime" if live else row["mode"]


def steps(row: Row) -> list[dict[str, int]]:
    """Return the prices that replace the first ones above a number of prompt tokens, ascending."""
    found = stated_steps(row)
    for tier in tiers(row)[1:]:
        rates = {word: price(tier.get(PRICES[word])) for word in STEP_PRICES}
        found[int(tier["range"][0])] = {word: rate for word, rate in rates.items() if rate}
    return [{"above": above} | found[above] for above in sorted(found) if "input" in found[above]]


def stated_steps(row: Row, tier: str = "") -> dict[int, dict[str, int]]:
    """Return the prices above a number of prompt tokens; `tier`: how the names of them end."""
    found: dict[int, dict[str, int]] = {}
    for key, value in row.items():
        for word in STEP_PRICES:
            step = key.removeprefix(PRICES[word]).removesuffix(tier)
            above = STEP.fullmatch(step)
            if key == f"{PRICES[word]}{step}{tier}" and above and value:
                found.setdefault(int(above[1]) * 1000, {})[word] = price(value) or 0
    return found


def service_tiers(row: Row) -> dict[str, Row]:
    """Return the prices that are stated of each service tier; a zero only fills a gap."""
    found: dict[str, Row] = {}
    for tier, end in TIERS.items():
        said = {word: price(row.get(f"{theirs}{end}")) for word, theirs in PRICES.items()}
        known: Row = {word: rate for word, rate in said.items() if rate}
        steps = stated_steps(row, end)
        if steps:
            known["steps"] = [{"above": above} | steps[above] for above in sorted(steps)]
        if known:
            found[tier] = known
    return found


def tiers(row: Row) -> list[Row]:
    """Return the priced ranges of prompt length, where the list gives a table of them."""
    return [t for t in row.get("tiered_pricing", ()) if "range" in t and PRICES["input"] in t]


def capabilities(row: Row) -> list[str] | None:
    """Return what the list says the model can do, in our closed words; None where it is silent."""
    if not any(key.startswith(SAYS_ABILITY) for key in row):
        return None
    granted = {word for word, flags in FLAGS.items() if any(row.get(flag) for flag in flags)}
    named = {word for word, (key, modality) in MODALITIES.items() if modality in row.get(key, ())}
    return [word for word in FLAGS if word in granted | named]


def facts(provider: str, model: str, row: Row, witness: Pair | None) -> Row:
    """Return one row of the catalogue; what is unknown is left out."""
    row = {**dict(next(iter(tiers(row)), {})), **row}
    usual = prices(row, free=is_free(provider, model, row, witness))
    known: Row = {
        "id": model,
        "mode": mode(row),
        **usual,
        "steps": steps(row) or None,
        "tier_prices": (service_tiers(row) or None) if usual.get("input") else None,
        "context": row.get("max_input_tokens"),
        "max_output": row.get("max_output_tokens"),
        "capabilities": capabilities(row),
        "retires": row.get("deprecation_date"),
    }
    return {word: value for word, value in known.items() if value is not None}
