"""How a model of Bedrock is told to answer: forms, sampling, reasoning, what is beside."""

import json

import pytest
from tests.providers.asking import HELLO, answered, calling, tool
from tests.providers.bedrock_asking import (
    CLAUDE,
    DEEPSEEK,
    ELDER,
    GPT,
    LLAMA,
    NEWER,
    NOVA,
    NOVA_2,
    OSS,
    QWEN,
    UNKNOWN,
    body,
    lossy,
    refused,
)

from infway.kernel.chat import Feature
from infway.providers.bedrock.families import family_of
from infway.providers.dialects import DIALECTS

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def form(**said) -> dict:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, **said}}


def extra(native: str, **said) -> tuple[dict, tuple[str, ...]]:
    """The fields of the model's own, and what is lost."""
    sent, dropped = lossy(native=native, **said)
    return sent.get("additionalModelRequestFields", {}), dropped


def inference(native: str = CLAUDE, **said) -> tuple[dict, tuple[str, ...]]:
    sent, dropped = lossy(native=native, **said)
    return sent.get("inferenceConfig", {}), dropped


def test_a_schema_binds_the_answer():
    sent = body(response_format=form(description="A number."))["outputConfig"]["textFormat"]
    assert sent["type"] == "json_schema"
    named = sent["structure"]["jsonSchema"]
    assert (named["name"], named["description"]) == ("answer", "A number.")
    assert json.loads(named["schema"]) == {**SCHEMA, "additionalProperties": False}


def test_what_cannot_be_enforced_is_listed():
    loose = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}}
    _, dropped = lossy(response_format=form(schema=loose))
    assert dropped == ("response_format.json_schema.schema",)


@pytest.mark.parametrize("native", [ELDER, NOVA, LLAMA, "cohere.command-r-v1:0"])
def test_a_model_that_keeps_to_no_schema_is_not_asked_to(native: str):
    assert refused(native=native, response_format=form()) == "response_format"


def test_json_without_a_schema_has_no_words():
    assert refused(response_format={"type": "json_object"}) == "response_format"


def test_limits_and_sampling_have_their_places():
    wishes = {"max_tokens": 5, "temperature": 0.5, "stop": ["END", "X"]}
    sent = {"maxTokens": 5, "temperature": 0.5, "stopSequences": ["END", "X"]}
    assert inference(**wishes) == (sent, ())
    assert inference(NOVA, **wishes, top_p=0.9) == ({**sent, "topP": 0.9}, ())


def test_what_cannot_be_said_of_sampling_is_listed():
    assert inference(NOVA, temperature=1.5) == ({"temperature": 1.0}, ("temperature",))
    assert inference(CLAUDE, temperature=1.5) == ({"temperature": 1.0}, ("temperature",))
    assert inference(NOVA, temperature="hot", top_p=True) == ({}, ("temperature", "top_p"))
    assert inference(CLAUDE, stop=["\n", "END"]) == ({"stopSequences": ["END"]}, ("stop",))
    assert inference(LLAMA, stop=["\n", ""]) == ({"stopSequences": ["\n"]}, ("stop",))


@pytest.mark.parametrize(
    ("native", "sent", "dropped"),
    [
        (CLAUDE, {"top_k": 5}, ()), (NOVA, {"inferenceConfig": {"topK": 5}}, ()),
        (LLAMA, {}, ("top_k",)), (QWEN, {}, ("top_k",)), (UNKNOWN, {}, ("top_k",)),
    ],
)  # fmt: skip
def test_top_k_is_said_in_the_models_own_words(native: str, sent: dict, dropped):
    assert extra(native, top_k=5) == (sent, dropped)


def budget(tokens: int) -> dict:
    return {"thinking": {"type": "enabled", "budget_tokens": tokens}}


def adaptive(effort: str) -> dict:
    thinking = {"type": "adaptive", "display": "summarized"}
    return {"thinking": thinking, "output_config": {"effort": effort}}


def nova(effort: str) -> dict:
    return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}}


@pytest.mark.parametrize(
    ("native", "level", "sent", "dropped"),
    [
        (CLAUDE, "medium", budget(5000), ()), (CLAUDE, "none", {}, ()),
        (NEWER, "high", adaptive("high"), ()), (NEWER, "minimal", adaptive("low"), ()),
        (ELDER, "high", {}, ("reasoning_effort",)),
        (NOVA_2, "low", nova("low"), ()), (NOVA_2, "none", {}, ()),
        (NOVA_2, "high", nova("medium"), ("reasoning_effort",)),
        (NOVA, "high", {}, ("reasoning_effort",)), (NOVA, "none", {}, ()),
        (OSS, "minimal", {"reasoning_effort": "low"}, ()),
        (OSS, "xhigh", {"reasoning_effort": "high"}, ()),
        (OSS, "none", {}, ("reasoning_effort",)),
        (OSS, "odd", {}, ("reasoning_effort",)),
        (GPT, "none", {"reasoning": {"effort": "none"}}, ()),
        (GPT, "max", {"reasoning": {"effort": "max"}}, ()),
        (DEEPSEEK, "high", {"reasoning_effort": "high"}, ()), (DEEPSEEK, "none", {}, ()),
        (QWEN, "medium", {"reasoning_config": "high"}, ()),
        (UNKNOWN, "high", {}, ("reasoning_effort",)),
    ],
)  # fmt: skip
def test_reasoning_is_asked_for_in_the_models_own_words(native: str, level: str, sent, dropped):
    assert extra(native, reasoning_effort=level, max_tokens=10_000) == (sent, dropped)


def test_the_highest_effort_of_nova_goes_with_no_limits():
    assert extra(NOVA_2, reasoning_effort="high") == (nova("high"), ())
    for limit in ({"temperature": 0.5}, {"top_p": 0.5}, {"max_tokens": 5}):
        sent, dropped = extra(NOVA_2, reasoning_effort="high", **limit)
        assert (sent, dropped) == (nova("medium"), ("reasoning_effort",))


def test_a_budget_counts_where_budgets_do():
    wish = {"reasoning": {"max_tokens": 2000}, "max_tokens": 10_000}
    assert extra(CLAUDE, **wish) == (budget(2000), ())
    assert extra(OSS, **wish) == ({"reasoning_effort": "medium"}, ("reasoning.max_tokens",))
    never = {"thinking": {"type": "enabled", "budget_tokens": 0}}
    assert extra(GPT, **never) == ({"reasoning": {"effort": "none"}}, ())


def test_a_budget_stays_below_a_limit_that_is_said():
    sent = body(reasoning_effort="low", facts={"max_output": 20_000})
    assert sent["additionalModelRequestFields"] == budget(4000)
    assert sent["inferenceConfig"] == {"maxTokens": 20_000}


def test_claude_does_not_think_where_it_must_call():
    wish = {"reasoning_effort": "low", "tools": [tool()], "tool_choice": "required"}
    assert extra(CLAUDE, **wish) == ({}, ("reasoning_effort",))
    sent, dropped = lossy(HELLO, calling(), answered(), tools=[tool()], reasoning_effort="low")
    assert "additionalModelRequestFields" not in sent
    assert dropped == ("reasoning_effort",)


def test_metadata_goes_into_the_invocation_log():
    assert body(metadata={"team": "a", "n": ""})["requestMetadata"] == {"team": "a", "n": ""}
    odd = {"team": "a", "word": "naïve", "n": 5, "!": "x", "long": "x" * 257}
    said, dropped = lossy(metadata=odd)
    assert said["requestMetadata"] == {"team": "a"}
    assert dropped == ("metadata",)
    said, dropped = lossy(metadata={str(n): "x" for n in range(20)})
    assert len(said["requestMetadata"]) == 16
    assert dropped == ("metadata",)


@pytest.mark.parametrize(
    ("tier", "sent", "dropped"),
    [("flex", {"type": "flex"}, ()), ("priority", {"type": "priority"}, ()),
     ("auto", None, ()), ("scale", None, ("service_tier",))],
)  # fmt: skip
def test_the_service_tier_is_said_where_there_is_one(tier: str, sent, dropped):
    said, lost = lossy(service_tier=tier)
    assert (said.get("serviceTier"), lost) == (sent, dropped)


def test_the_row_says_what_nobody_else_does():
    guard = {"guardrailIdentifier": "g", "guardrailVersion": "1"}
    row = {
        "guardrailConfig": guard,
        "inferenceConfig": {"maxTokens": 9, "temperature": 0.1},
        "additionalModelRequestFields": {"anthropic_beta": ["x"]},
    }
    said = body(source={"defaults": row}, temperature=0.7, top_k=4)
    assert said["guardrailConfig"] == guard
    assert said["inferenceConfig"] == {"maxTokens": 9, "temperature": 0.7}
    assert said["additionalModelRequestFields"] == {"anthropic_beta": ["x"], "top_k": 4}
    _, dropped = lossy(source={"drop": frozenset({"temperature"})}, temperature=0.7)
    assert dropped == ("temperature",)


def test_the_catalogues_name_tells_what_an_opaque_arn_hides():
    assert family_of(UNKNOWN, "anthropic/claude-sonnet-4-5").claude is not None
    assert family_of(UNKNOWN, "amazon/nova-2-lite").dial is not None
    assert family_of(UNKNOWN, "custom").claude is None
    assert family_of(UNKNOWN, "openai/gpt-6") == family_of(GPT, "")


def test_the_dialects_row_is_true_of_claude():
    row = DIALECTS["bedrock"]
    assert row.takes is not None
    assert row.features & Feature.TOOLS
    assert not row.features & Feature.REMOTE_MEDIA
    wishes = {
        "temperature": 0.5, "top_k": 3, "stop": "END", "metadata": {"a": "b"},
        "service_tier": "flex", "response_format": form(), "max_tokens": 9, "tools": [tool()],
        "tool_choice": "auto",
    }  # fmt: skip
    assert wishes.keys() <= row.takes
    assert lossy(**wishes)[1] == ()
    others = {"seed": 1, "user": "ann", "n": 2, "logprobs": True, "presence_penalty": 0.5}
    assert not others.keys() & row.takes
    assert lossy(**others)[1] == tuple(sorted(others))


def test_a_schema_that_is_nested_too_deeply_has_no_words():
    schema: dict = {"type": "string"}
    for _ in range(900):
        schema = {"items": schema, "type": "array"}
    assert refused(response_format=form(schema=schema)) == "messages"
