"""Which models are asked to go on with an answer, row by row of the table, and what is sent to them."""

import json

import pytest
from tests.wall.asking import ask, offer, upstream

from infway.kernel.begun import Said
from infway.kernel.chat import Feature, Offer
from infway.pipeline.speakers import Speakers
from infway.providers.prefills import prefill_of, usual_prefill
from infway.providers.registry import ADAPTERS

BEGUN = "Once upon a time there was a miller who had three sons."
SPEAKERS = Speakers(ADAPTERS, {})
DEEPSEEK = "https://api.deepseek.com/v1"

CLAUDE = ("claude-3-5-haiku-20241022", "claude-3-haiku-20240307", "claude-sonnet-4-20250514",
          "claude-opus-4-1-20250805", "claude-haiku-4-5", "claude-2.1")  # fmt: skip
NOT_CLAUDE = ("claude-opus-4-6", "claude-sonnet-4-6", "claude-opus-4-7", "claude-opus-5",
              "claude-sonnet-5-5", "claude-fable-5", "claude-opus-latest", "my-deployment")  # fmt: skip
QWEN = ("qwen-max", "qwen-max-latest", "qwen3-max", "qwen-plus-2025-07-28", "qwen3.5-plus",
        "qwen-flash", "qwen3.5-flash", "qwen-turbo", "qwen-coder-plus", "qwen3-coder-480b-a35b-instruct",
        "qwen2.5-72b-instruct", "qwen-vl-max", "qwen-vl-plus", "qwen3-vl-plus", "qwen3-vl-flash")  # fmt: skip

PREFIX, PARTIAL = {"prefix": True}, {"partial": True}
OPEN = {"add_generation_prompt": False, "continue_final_message": True}
# vendor, models, what else is in the last message, what else is in the request
ACCEPTED = [
    ("mistral", ("mistral-large-latest", "codestral-2508"), PREFIX, {}),
    ("deepseek", ("deepseek-chat", "deepseek-chat-v3"), PREFIX, {}),
    ("moonshot", ("kimi-k2-0905-preview", "kimi-k2-turbo-preview", "moonshot-v1-8k"), PARTIAL, {}),
    ("dashscope", QWEN, PARTIAL, {}),
    ("vllm", ("llama-3.3-70b", "anything"), {}, OPEN),
    ("sglang", ("llama-3.3-70b", "anything"), {}, OPEN),
    ("llamacpp", ("llama-3.3-70b", "anything"), {}, OPEN),
    ("openrouter", ("anthropic/claude-3.5-sonnet", "anthropic/claude-sonnet-4"), {}, {}),
]
REFUSED = [
    ("openai", ("gpt-4o", "gpt-5.2", "o3")),
    ("gemini", ("gemini-2.5-pro",)),
    ("groq", ("llama-3.3-70b-versatile", "moonshotai/kimi-k2-instruct")),
    ("ollama", ("llama3.3", "mistral")),
    ("custom", ("mistral-large-latest", "deepseek-chat", "claude-3-5-haiku-20241022")),
    ("deepseek", ("deepseek-reasoner", "deepseek-coder")),
    ("moonshot", ("kimi-latest", "kimi-thinking-preview")),
    ("dashscope", ("qwq-plus", "qwen-long", "qwen3-235b-a22b", "deepseek-v3")),
    ("openrouter", ("anthropic/claude-opus-4.6", "openai/gpt-4o", "mistralai/mistral-large")),
]


def base_of(vendor: str) -> str:
    return DEEPSEEK if vendor == "deepseek" else f"https://{vendor}.example/v1"


def served(vendor: str, native: str, dialect: str = "openai", base: str | None = None) -> Offer:
    """An offer as the table knows it."""
    source = upstream(vendor, base or base_of(vendor), vendor=vendor, dialect=dialect)
    return offer(native, source, prefill=prefill_of(source, native))


def resumed(one: Offer, said: str = BEGUN, **more) -> tuple[str, str, dict[str, object]]:
    """Return how an offer is asked for the rest of an answer: the way, the address, the body."""
    request = ask(said=Said(said, tokens=12, refused=set()), **more)
    speaker = SPEAKERS.of(request, one)
    call = speaker.adapter.request(request, one)
    return speaker.tactic, call.url, json.loads(call.body)


def rows(table):
    return [(vendor, model, *more) for vendor, models, *more in table for model in models]


@pytest.mark.parametrize(("vendor", "model", "marks", "fields"), rows(ACCEPTED))
def test_a_model_that_goes_on_is_sent_the_beginning_in_its_vendors_words(
    vendor: str, model: str, marks: dict[str, object], fields: dict[str, object]
):
    tactic, url, body = resumed(served(vendor, model))
    assert tactic == "prefill"
    assert body["messages"][-1] == {"role": "assistant", "content": BEGUN, **marks}  # type: ignore[index]
    assert len(body["messages"]) == 2  # type: ignore[arg-type]
    assert {name: body.get(name) for name in OPEN} == {name: fields.get(name) for name in OPEN}
    moved = base_of(vendor).replace("com/v1", "com/beta")
    assert url == f"{moved}/chat/completions"


@pytest.mark.parametrize(("vendor", "model"), rows(REFUSED))
def test_a_model_that_is_not_known_to_go_on_is_asked_once_more(vendor: str, model: str):
    tactic, url, body = resumed(served(vendor, model))
    assert tactic == "splice"
    assert [one["role"] for one in body["messages"]] == ["user"]  # type: ignore[attr-defined]
    assert not {*OPEN} & body.keys()
    assert url == f"{base_of(vendor)}/chat/completions"


@pytest.mark.parametrize("dialect", ["anthropic", "bedrock", "bedrock-invoke"])
@pytest.mark.parametrize(("names", "tactic"), [(CLAUDE, "prefill"), (NOT_CLAUDE, "splice")])
def test_claude_goes_on_where_its_generation_does(
    dialect: str, names: tuple[str, ...], tactic: str
):
    owner = "" if dialect == "anthropic" else "us.anthropic."
    for name in names:
        assert resumed(served("x", owner + name, dialect))[0] == tactic, name


def test_claude_is_sent_the_beginning_without_white_space_at_its_end():
    _, _, body = resumed(served("anthropic", CLAUDE[0], "anthropic"), said=f"{BEGUN} \n")
    last = body["messages"][-1]  # type: ignore[index]
    assert last["role"] == "assistant"
    assert json.dumps(last).count(f'"{BEGUN}"') == 1


def test_deepseek_behind_another_address_has_no_beta_to_go_to():
    assert (
        prefill_of(upstream("d", "https://proxy.example/v1", vendor="deepseek"), "deepseek-chat")
        is None
    )


@pytest.mark.parametrize("vendor", ["custom", "openai", "deepseek"])
def test_what_the_configuration_names_is_asked_in_the_plain_way(vendor: str):
    source = upstream(vendor, base_of(vendor), vendor=vendor)
    one = offer("my-model", source, prefill=usual_prefill(source))
    tactic, _, body = resumed(one)
    assert tactic == "prefill"
    assert body["messages"][-1] == {"role": "assistant", "content": BEGUN}  # type: ignore[index]


@pytest.mark.parametrize("vendor", ["mistral", "moonshot", "dashscope", "vllm"])
def test_a_name_of_the_configurations_own_is_asked_in_its_vendors_way(vendor: str):
    source = upstream(vendor, base_of(vendor), vendor=vendor)
    assert usual_prefill(source) == prefill_of(source, dict(rows_first())[vendor])


def rows_first():
    return [(vendor, models[0]) for vendor, models, *_ in ACCEPTED]


@pytest.mark.parametrize(
    "features", [Feature.REASONING, Feature.JSON_OBJECT, Feature.JSON_SCHEMA, Feature.PREFILL]
)
def test_what_a_beginning_does_not_bind_is_asked_once_more(features: Feature):
    assert resumed(served("vllm", "x"), features=features)[0] == "splice"


def test_where_nothing_says_that_the_beginning_is_left_out_a_short_or_looping_one_is_not_sent():
    assert resumed(served("vllm", "x"), said="Hm.")[0] == "prefill"
    for short in ("Hm.", "la la la la la la la la la la la la la la la la la la la "):
        assert resumed(served("mistral", "x"), said=short)[0] == "splice"
    assert resumed(served("mistral", "x"), said=f"{BEGUN} ")[0] == "splice"


@pytest.mark.parametrize("vendor", ["vllm", "mistral"])
def test_so_much_less_is_asked_for_as_was_made(vendor: str):
    fields = dict(ask().fields)
    fields["max_tokens"] = type(fields["model"])(b"100")  # type: ignore[call-arg]
    _, _, body = resumed(served(vendor, "x"), fields=fields)
    assert body["max_tokens"] == 88
