"""The quality prior: families, spellings, and the order of the packaged figures."""

import importlib.resources
import json

import msgspec
import pytest

from infway.ims.quality import Quality, family_name

PACKAGED = importlib.resources.files("infway.ims") / "data" / "quality.json"


@pytest.fixture(scope="module")
def packaged() -> Quality:
    return Quality.read(PACKAGED.read_bytes())


@pytest.fixture(scope="module")
def small() -> Quality:
    document = {
        "source": "a test",
        "date": "2026-11-21",
        "default": 25,
        "ranked": {"gpt-4": 40, "gpt-4o": 57, "gpt-4o-mini": 43, "claude-3.5-sonnet": 60},
        "lineage": {"llama-3.1-8b": 27},
    }
    return Quality.read(json.dumps(document).encode())


def test_the_longest_family_counts(small: Quality) -> None:
    assert small.of("gpt-4o-mini-2024-07-18") == 43
    assert small.of("gpt-4o-2024-11-20") == 57
    assert small.of("gpt-4-0613") == 40


def test_a_family_ends_where_a_part_of_the_name_ends(small: Quality) -> None:
    assert small.of("gpt-4ultra") == 25


def test_a_smaller_sibling_that_is_not_known_does_not_borrow_the_figure(small: Quality) -> None:
    assert small.of("gpt-4-nano") == 25


def test_an_unknown_model_gets_the_cautious_default(small: Quality) -> None:
    assert small.of("brand-new-model") == 25
    assert small.of("") == 25


@pytest.mark.parametrize(
    "spelling",
    [
        "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo",
        "accounts/fireworks/models/llama-v3p1-8b-instruct",
        "meta.llama3-1-8b-instruct-v1:0",
        "us.meta.llama3-1-8b-instruct-v1:0",
        "llama3.1:8b",
        "@cf/meta/llama-3.1-8b-instruct",
    ],
)
def test_every_vendors_spelling_finds_the_family(small: Quality, spelling: str) -> None:
    assert small.of(spelling) == 27


@pytest.mark.parametrize(
    "spelling",
    [
        "claude-3-5-sonnet-20241022",
        "anthropic/claude-3.5-sonnet",
        "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
        "us-gov.anthropic.claude-3-5-sonnet-20240620-v1:0",
        "claude-3-5-sonnet@20240620",
        "claude-sonnet-3.5",
    ],
)
def test_claude_is_found_with_its_number_before_or_after_the_size(
    small: Quality, spelling: str
) -> None:
    assert small.of(spelling) == 60


def test_a_maker_that_names_the_model_after_itself_is_said_once() -> None:
    assert family_name("mistral.mixtral-8x7b-instruct-v0:1") == "mixtral-8x7b-instruct-v0-1"
    assert family_name("mistral.mistral-large-2402-v1:0") == "mistral-large-2402-v1-0"
    assert family_name("qwen.qwen3-32b-v1:0") == "qwen-3-32b-v1-0"


def test_damaged_data_is_an_error() -> None:
    with pytest.raises(msgspec.DecodeError):
        Quality.read(b"{}")


def test_the_packaged_figures_lie_on_the_scale_and_say_their_source(packaged: Quality) -> None:
    document = json.loads(PACKAGED.read_text())
    figures = [*document["ranked"].values(), *document["lineage"].values()]
    assert all(0 < figure < 100 for figure in figures)
    assert packaged.source
    assert packaged.date == "2026-11-21"


def test_no_family_is_in_the_packaged_data_twice() -> None:
    document = json.loads(PACKAGED.read_text())
    names = [family_name(name) for name in (*document["ranked"], *document["lineage"])]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "order",
    [
        ("gpt-5.5", "gpt-5", "gpt-5-mini", "gpt-4o", "gpt-4o-mini", "gpt-3.5-turbo"),
        ("claude-opus-5-5", "claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5"),
        ("gemini-3.1-pro-preview", "gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite"),
        ("llama-3.1-405b", "llama-3.1-70b", "llama-3.1-8b", "llama-3.2-1b"),
        ("Qwen/Qwen3-235B-A22B", "Qwen/Qwen3-32B", "Qwen/Qwen3-8B", "Qwen/Qwen3-0.6B"),
        ("deepseek-ai/DeepSeek-V3.2", "deepseek-r1", "deepseek-r1-distill-qwen-1.5b"),
    ],
)
def test_the_packaged_figures_fall_with_generation_and_size(
    packaged: Quality, order: tuple[str, ...]
) -> None:
    figures = [packaged.of(model) for model in order]
    assert figures == sorted(figures, reverse=True)
    assert len(set(figures)) == len(figures)


MAJOR = """
    gpt-5 o3 claude-opus-5 gemini-3-flash grok-4 deepseek-chat kimi-k2 glm-4.6 minimax-m2
    mistral-large command-a phi-4 gemma-3-27b nova-pro smollm2 llama-4-scout qwen3-32b
"""


@pytest.mark.parametrize("model", MAJOR.split())
def test_every_major_maker_has_a_packaged_family(packaged: Quality, model: str) -> None:
    assert packaged.of(model) != packaged.default
