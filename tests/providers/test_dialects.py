"""The rows of the dialects are true: what they take is carried, what they lack is listed."""

import json
from typing import Any

import pytest
from tests.translation.offers import MODELS, offers, translating

from infway.api.reading import read_chat
from infway.ims.candidates import HARD
from infway.kernel.chat import Feature, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.dialects import ALWAYS, DIALECTS, PATHS
from infway.providers.registry import ADAPTERS

Json = dict[str, Any]
PNG = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0xLjc="
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
FUNCTION = {"name": "f", "description": "does f", "parameters": SCHEMA}
TOOLS = [{"type": "function", "function": FUNCTION}]
FORM = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}
# Every root field of OpenAI's reference, and those of others that rows name, with what it needs
FIELDS: dict[str, Json] = {
    "max_tokens": {"max_tokens": 500},
    "max_completion_tokens": {"max_completion_tokens": 500},
    "stream": {"stream": True},
    "stream_options": {"stream": True, "stream_options": {"include_usage": True}},
    "temperature": {"temperature": 0.5},
    "top_p": {"top_p": 0.5},
    "top_k": {"top_k": 5},
    "min_p": {"min_p": 0.1},
    "stop": {"stop": ["END"]},
    "seed": {"seed": 7},
    "n": {"n": 2},
    "logprobs": {"logprobs": True},
    "top_logprobs": {"logprobs": True, "top_logprobs": 2},
    "presence_penalty": {"presence_penalty": 0.5},
    "frequency_penalty": {"frequency_penalty": 0.5},
    "repetition_penalty": {"repetition_penalty": 1.1},
    "logit_bias": {"logit_bias": {"50256": -100}},
    "user": {"user": "somebody"},
    "metadata": {"metadata": {"team": "a"}},
    "service_tier": {"service_tier": "default"},
    "store": {"store": True},
    "prompt_cache_key": {"prompt_cache_key": "k"},
    "safety_identifier": {"safety_identifier": "s"},
    "verbosity": {"verbosity": "low"},
    "tools": {"tools": TOOLS},
    "functions": {"functions": [FUNCTION]},
    "tool_choice": {"tools": TOOLS, "tool_choice": "required"},
    "function_call": {"functions": [FUNCTION], "function_call": {"name": "f"}},
    "parallel_tool_calls": {"tools": TOOLS, "parallel_tool_calls": False},
    "response_format": {"response_format": FORM},
    "reasoning_effort": {"reasoning_effort": "high", "max_tokens": 4000},
    "reasoning": {"reasoning": {"enabled": True}, "max_tokens": 4000},
    "thinking": {"thinking": {"type": "enabled"}, "max_tokens": 4000},
    "prediction": {"prediction": {"type": "content", "content": "x"}},
    "modalities": {"modalities": ["text"]},
    "web_search_options": {"web_search_options": {}},
    "enable_thinking": {"enable_thinking": True},
    "citation_options": {"citation_options": {"mode": "FAST"}},
    "safety_mode": {"safety_mode": "NONE"},
    "keep_alive": {"keep_alive": "5m"},
    "options": {"options": {"num_ctx": 4096}},
    "prompt_cache_retention": {"prompt_cache_retention": "24h"},
    "prompt_cache_options": {"prompt_cache_options": {"mode": "explicit"}},
    "moderation": {"moderation": {"model": "omni-moderation-latest"}},
}  # fmt: skip


def _media(part: Json) -> Json:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "See."}, part]}]}


FEATURES: dict[Feature, Json] = {
    Feature.TOOLS: {"tools": TOOLS},
    Feature.VISION: _media({"type": "image_url", "image_url": {"url": PNG}}),
    Feature.REMOTE_MEDIA: _media({"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}),
    Feature.AUDIO_IN: _media({"type": "input_audio", "input_audio": {"data": "iVBO", "format": "wav"}}),
    Feature.FILES: _media({"type": "file", "file": {"file_data": PDF}}),
    Feature.JSON_OBJECT: {"response_format": {"type": "json_object"}},
    Feature.JSON_SCHEMA: {"response_format": FORM},
    Feature.REASONING: {"reasoning_effort": "high", "max_tokens": 4000},
    Feature.LOGPROBS: {"logprobs": True},
    Feature.SEVERAL: {"n": 2},
    Feature.PREFILL: {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
}  # fmt: skip


def _said(said: Json, offer: Offer) -> HttpCall | None:
    """The call, None where the adapter has no words for the request."""
    body = {"messages": [{"role": "user", "content": "Hello"}], **said}
    ask, _ = read_chat(json.dumps(body).encode(), "r-1", None)
    try:
        return ADAPTERS[offer.upstream.dialect].request(ask, offer)
    except UpstreamFailed as failed:
        assert failed.failure.fault is Fault.UNTRANSLATABLE  # noqa: PT017 - what it may say
        return None


def _losses(said: Json, dialect: str) -> list[tuple[str, ...] | None]:
    calls = [_said(said, offer) for offer in offers(dialect)]
    return [None if call is None else call.dropped for call in calls]


def test_every_adapter_has_a_row_and_a_path():
    assert ADAPTERS.keys() <= DIALECTS.keys()
    assert ADAPTERS.keys() <= PATHS.keys()
    assert ADAPTERS.keys() - {"openai", "sandbox"} <= MODELS.keys()


@pytest.mark.parametrize("dialect", translating())
def test_a_row_names_only_fields_that_are_tried_here(dialect: str):
    takes = DIALECTS[dialect].takes
    assert takes is not None
    assert takes - FIELDS.keys() == {"messages"}
    assert takes >= ALWAYS


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("dialect", translating())
def test_a_field_of_the_row_is_carried_and_any_other_is_listed(dialect: str, name: str):
    takes = DIALECTS[dialect].takes or frozenset()
    losses = _losses(FIELDS[name], dialect)
    if name in takes:
        assert any(lost is not None and not _names(lost, name) for lost in losses), losses
    else:
        assert all(lost is None or _names(lost, name) for lost in losses), losses


def _names(lost: tuple[str, ...], name: str) -> bool:
    aliases = {"functions": "tools", "function_call": "tool_choice", "reasoning": "reasoning_effort",
               "thinking": "reasoning_effort"}  # fmt: skip
    return name in lost or aliases.get(name, name) in lost


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
@pytest.mark.parametrize("dialect", translating())
def test_a_feature_of_the_row_is_said_and_a_hard_one_it_lacks_is_not(
    dialect: str, feature: Feature
):
    losses = _losses(FEATURES[feature], dialect)
    if feature in DIALECTS[dialect].features:
        assert any(lost == () for lost in losses), losses
    elif feature in HARD:
        assert all(lost is None or lost for lost in losses), losses
