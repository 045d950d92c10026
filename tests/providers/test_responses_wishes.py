"""Tools, forms, limits and reasoning as requests to OpenAI Responses say them."""

import json

import pytest
from tests.providers.responses_asking import (
    HELLO,
    WEATHER,
    answered,
    asked,
    body,
    called,
    dropped,
    items,
)
from tests.wall.asking import upstream

from infway.kernel.chat import Feature
from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.dialects import DIALECTS

TOOL = {"type": "function", "function": WEATHER}
GRAMMAR = {"syntax": "lark", "definition": 'start: "a"'}
CUSTOM = {
    "type": "custom",
    "custom": {"name": "sum", "format": {"type": "grammar", "grammar": GRAMMAR}},
}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


@pytest.mark.parametrize("strict", [None, False, True])
def test_a_functions_strictness_is_always_said(strict: bool | None):
    function = WEATHER if strict is None else {**WEATHER, "strict": strict}
    said = body(tools=[{"type": "function", "function": function}])
    assert said["tools"] == [{"type": "function", **WEATHER, "strict": bool(strict)}]


def test_a_function_without_parameters_has_none():
    (tool,) = body(tools=[{"type": "function", "function": {"name": "now"}}])["tools"]
    assert tool["parameters"] == {"type": "object", "properties": {}}
    assert "description" not in tool


def test_legacy_functions_are_tools():
    said = body(functions=[WEATHER], function_call={"name": "weather"})
    assert said["tools"][0]["name"] == "weather"
    assert said["tool_choice"] == {"type": "function", "name": "weather"}


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "web_search", "search_context_size": "low"},
        {"type": "web_search_preview_2025_03_11"},
        {"type": "code_interpreter", "container": {"type": "auto"}},
        {"type": "function", "name": "flat", "parameters": SCHEMA, "strict": True},
    ],
)
def test_the_servers_own_tools_are_passed_on_as_sent(tool: dict):
    assert body(tools=[TOOL, tool])["tools"][1] == tool


@pytest.mark.parametrize(
    "tool", [{"type": "web_search_20250305", "name": "web_search"}, {"google_search": {}}]
)
def test_tools_of_other_vendors_are_refused(tool: dict):
    with pytest.raises(UpstreamFailed) as caught:
        asked(tools=[tool])
    assert caught.value.failure.fault is Fault.UNTRANSLATABLE
    assert caught.value.failure.param == "tools.type"


def test_a_tool_of_free_text_is_called_and_answered_as_one():
    turn = [HELLO, called("sum", '{"input": "4 + 4"}'), answered("8")]
    said = body(*turn, tools=[CUSTOM], tool_choice={"type": "custom", "name": "sum"})
    expected = {"type": "grammar", **GRAMMAR}
    assert said["tools"] == [{"type": "custom", "name": "sum", "format": expected}]
    assert said["tool_choice"] == {"type": "custom", "name": "sum"}
    assert said["input"][1:] == [
        {"type": "custom_tool_call", "call_id": "call_1", "name": "sum", "input": "4 + 4"},
        {"type": "custom_tool_call_output", "call_id": "call_1", "output": "8"},
    ]
    odd = [HELLO, called("sum", "4 + 4"), answered("8")]
    assert items(*odd, tools=[CUSTOM])[1]["input"] == "4 + 4"


def test_a_search_asked_for_in_chats_way_is_a_tool():
    place = {"city": "Oslo", "country": "NO"}
    options = {"user_location": {"type": "approximate", "approximate": place}}
    said = body(web_search_options={**options, "search_context_size": "high"})
    location = {"type": "approximate", **place}
    expected = {"type": "web_search", "search_context_size": "high", "user_location": location}
    assert said["tools"] == [expected]
    assert body(web_search_options={})["tools"] == [{"type": "web_search"}]


@pytest.mark.parametrize("choice", ["auto", "none", "required"])
def test_a_choice_by_its_word_is_passed_on(choice: str):
    assert body(tools=[TOOL], tool_choice=choice)["tool_choice"] == choice


def test_a_choice_by_a_name_is_flat():
    choice = {"type": "function", "function": {"name": "weather"}}
    said = body(tools=[TOOL], tool_choice=choice, parallel_tool_calls=False)
    assert said["tool_choice"] == {"type": "function", "name": "weather"}
    assert said["parallel_tool_calls"] is False


def test_a_choice_of_some_tools_is_flat():
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "weather"}}]}
    said = body(tools=[TOOL], tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    assert said["tool_choice"] == {
        "type": "allowed_tools",
        "mode": "required",
        "tools": [{"type": "function", "name": "weather"}],
    }


def test_the_form_of_the_answer_is_flat():
    schema = {"name": "a", "schema": SCHEMA, "strict": True, "description": "An a"}
    said = body(response_format={"type": "json_schema", "json_schema": schema}, verbosity="low")
    assert said["text"] == {"format": {"type": "json_schema", **schema}, "verbosity": "low"}
    assert body(response_format={"type": "json_object"})["text"] == {
        "format": {"type": "json_object"}
    }
    assert "text" not in body(response_format={"type": "text"})


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_below_the_least_is_raised_and_listed(name: str):
    assert body(**{name: 500})["max_output_tokens"] == 500
    assert dropped(**{name: 500}) == ()
    assert body(**{name: 5})["max_output_tokens"] == 16
    assert dropped(**{name: 5}) == ("max_tokens",)


def test_log_probabilities_are_included_where_they_are_asked_for():
    said = body(logprobs=True, top_logprobs=3)
    assert said["include"] == ["reasoning.encrypted_content", "message.output_text.logprobs"]
    assert said["top_logprobs"] == 3
    assert body(logprobs=False)["include"] == ["reasoning.encrypted_content"]


@pytest.mark.parametrize(
    ("native", "asked_for", "said"),
    [
        ("gpt-5.5", "none", {"effort": "none"}),
        ("gpt-5.5", "minimal", {"effort": "low", "summary": "auto"}),
        ("gpt-5.1", "xhigh", {"effort": "high", "summary": "auto"}),
        ("gpt-5", "none", {"effort": "minimal", "summary": "auto"}),
        ("gpt-5-pro", "low", {"effort": "high", "summary": "auto"}),
        ("openai/o3-pro", "max", {"effort": "high", "summary": "auto"}),
        ("gpt-5.1-codex-max", "xhigh", {"effort": "xhigh", "summary": "auto"}),
        ("gpt-5.6-sol", "max", {"effort": "max", "summary": "auto"}),
        ("grok-4.3", "minimal", {"effort": "minimal", "summary": "auto"}),
    ],
)
def test_a_level_is_one_that_the_model_has(native: str, asked_for: str, said: dict):
    assert body(native=native, reasoning_effort=asked_for)["reasoning"] == said
    lost = () if said["effort"] == asked_for else ("reasoning_effort",)
    assert dropped(native=native, reasoning_effort=asked_for) == lost


@pytest.mark.parametrize(
    ("budget", "limit", "level"),
    [(1_000, 10_000, "low"), (5_000, 10_000, "medium"), (9_000, 10_000, "high"), (30_000, None, "high")],
)  # fmt: skip
def test_a_budget_is_said_as_the_level_of_its_share(budget: int, limit: int | None, level: str):
    fields = {} if limit is None else {"max_tokens": limit}
    wish = {"max_tokens": budget}
    assert body(reasoning=wish, **fields)["reasoning"]["effort"] == level
    assert dropped(reasoning=wish, **fields) == ("reasoning.max_tokens",)


def test_reasoning_as_the_model_likes_has_no_level():
    assert body(reasoning={"enabled": True})["reasoning"] == {"summary": "auto"}
    assert "reasoning" not in body()


def test_models_that_do_not_reason_are_not_asked_to():
    said = body(native="gpt-4.1", reasoning_effort="low")
    assert "reasoning" not in said
    assert "include" not in said
    assert dropped(native="gpt-4.1", reasoning_effort="low") == ("reasoning_effort",)
    assert "include" not in body(native="other", features=Feature(0))


CARRIED = {
    "temperature": 0.5, "top_p": 0.9, "parallel_tool_calls": True, "logprobs": True,
    "top_logprobs": 2, "user": "u", "metadata": {"a": "b"}, "service_tier": "flex", "store": True,
    "prompt_cache_key": "k", "prompt_cache_retention": "24h", "safety_identifier": "s",
    "prompt_cache_options": {"mode": "explicit"}, "moderation": {"model": "m"}, "verbosity": "low",
    "response_format": {"type": "json_object"}, "tools": [TOOL], "tool_choice": "auto",
    "functions": [WEATHER], "function_call": "auto", "reasoning_effort": "low",
    "reasoning": {"effort": "low"}, "thinking": {"type": "enabled", "budget_tokens": 2000},
    "web_search_options": {}, "max_tokens": 100, "max_completion_tokens": 100,
    "stream": True, "stream_options": {}, "messages": [HELLO],
}  # fmt: skip
OTHERS = {
    "stop": "x", "n": 2, "seed": 1, "presence_penalty": 1, "frequency_penalty": 1,
    "logit_bias": {"1": 2}, "modalities": ["text"], "top_k": 3, "anything": 1,
}  # fmt: skip


def test_what_the_dialects_row_says_is_true():
    assert DIALECTS["responses"].takes == CARRIED.keys()
    for name, value in CARRIED.items():
        assert name not in dropped(**{name: value}), name
    for name, value in OTHERS.items():
        assert dropped(**{name: value}) == (name,)


@pytest.mark.parametrize("name", ["temperature", "user", "metadata", "store", "prompt_cache_key"])
def test_fields_of_one_name_are_passed_on(name: str):
    assert body(**{name: CARRIED[name]})[name] == CARRIED[name]


def test_the_row_gives_what_nobody_else_gave():
    source = upstream(
        dialect="responses",
        defaults={"store": True, "truncation": "auto", "text": {"verbosity": "low"}},
        drop=frozenset({"user"}),
        headers={"x-a": "b"},
    )
    call = asked(source=source, user="u", response_format={"type": "json_object"})
    said = json.loads(call.body)
    assert said["store"] is True
    assert said["truncation"] == "auto"
    assert said["text"] == {"verbosity": "low", "format": {"type": "json_object"}}
    assert call.dropped == ("user",)
    assert call.headers == {"x-a": "b"}
    assert body(source=source, store=False)["store"] is False


def test_the_end_of_a_cached_prefix_is_marked_where_the_model_knows_marks():
    part = {"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral"}}
    message = {"role": "user", "content": [part]}
    mark = {"prompt_cache_breakpoint": {"mode": "explicit"}}
    assert items(message, native="gpt-5.6-sol")[0]["content"] == [
        {"type": "input_text", "text": "Long.", **mark}
    ]
    assert dropped(message, native="gpt-5.6-sol") == ()
    assert items(message)[0]["content"] == "Long."
    assert dropped(message) == ("messages[0].content[0].cache_control",)
    result = {**answered("ok"), "cache_control": {"type": "ephemeral"}}
    assert items(HELLO, called("look"), result, native="gpt-5.6")[-1]["output"] == [
        {"type": "input_text", "text": "ok", **mark}
    ]


def test_other_marks_of_a_cache_are_listed():
    cache = {"cache_control": {"type": "ephemeral"}}
    assert dropped(tools=[{**TOOL, **cache}]) == ("tools.cache_control",)
    answer = {"role": "assistant", "content": [{"type": "text", "text": "Hi.", **cache}]}
    assert dropped(HELLO, answer, native="gpt-5.6") == ("messages[1].content[0].cache_control",)


def test_a_signature_of_another_vendors_call_is_listed():
    call = called("look")
    call["tool_calls"][0]["extra_content"] = {"google": {"thought_signature": "abc"}}
    assert dropped(HELLO, call, answered("ok")) == ("messages[1].tool_calls[0].extra_content",)
