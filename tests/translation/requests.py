"""Made-up requests in OpenAI's words: a conversation with tools and wishes of every kind."""

import json
from typing import Any

from hypothesis import strategies as st
from tests.translation.messages import Json, conversations, texts

_PLAIN: Json = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "Where"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
_ODD: Json = {
    "type": "object",
    "properties": {
        "n": {"type": "integer", "minimum": 1, "maximum": 9},
        "who": {"$ref": "#/$defs/who"},
        "when": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
        "tags": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}, "maxItems": 3},
    },
    "required": ["n"],
    "$defs": {"who": {"type": "object", "properties": {"name": {"type": ["string", "null"]}}}},
}
schemas = st.sampled_from([_PLAIN, _PLAIN, _ODD])
_NAMES = ("add", "get_weather", "look-up", "x")


@st.composite
def _functions(draw: st.DrawFn, name: str) -> Json:
    said: Json = {"name": name}
    if draw(st.booleans()):
        said["description"] = draw(texts.filter(str.strip))
    if draw(st.integers(0, 3)):
        said["parameters"] = draw(
            st.sampled_from([_PLAIN, _ODD, {"type": "object", "properties": {}}])
        )
    if "parameters" in said and draw(st.integers(0, 3)) == 0:
        said |= {"parameters": _PLAIN, "strict": draw(st.booleans())}
    return said


@st.composite
def _tools(draw: st.DrawFn) -> list[Json]:
    names = draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=3, unique=True))
    tools: list[Json] = [{"type": "function", "function": draw(_functions(name))} for name in names]
    if draw(st.integers(0, 5)) == 0:
        tools[-1]["cache_control"] = {"type": "ephemeral"}
    return tools


def _choices(tools: list[Json]) -> st.SearchStrategy[Any]:
    names = [tool["function"]["name"] for tool in tools]
    allowed = [{"type": "function", "function": {"name": name}} for name in names[:2]]
    return st.sampled_from(
        [
            "auto",
            "none",
            "required",
            {"type": "function", "function": {"name": names[0]}},
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": allowed}},
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": allowed}},
        ]
    )


_FORMS = st.one_of(
    st.sampled_from([{"type": "text"}, {"type": "json_object"}]),
    st.builds(
        lambda schema, strict: {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": schema, **strict},
        },
        schemas,
        st.sampled_from([{}, {"strict": True}, {"strict": False, "description": "What to say"}]),
    ),
)
_REASONING = st.sampled_from(
    [
        *({"reasoning_effort": level} for level in ("none", "minimal", "low", "medium", "high")),
        {"reasoning_effort": "xhigh"},
        {"reasoning": {"effort": "high"}},
        {"reasoning": {"max_tokens": 2000}},
        {"reasoning": {"enabled": True}},
        {"reasoning": {"enabled": False}},
        {"thinking": {"type": "enabled", "budget_tokens": 1500}},
        {"thinking": {"type": "disabled"}},
    ]
)
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "stream": st.booleans(),
    "temperature": st.sampled_from([0, 0.3, 1, 1.0, 1.7, 2]),
    "top_p": st.sampled_from([0.1, 0.97, 1]),
    "top_k": st.integers(1, 40),
    "min_p": st.just(0.1),
    "seed": st.integers(0, 2**31 - 1),
    "n": st.integers(1, 3),
    "stop": st.one_of(st.sampled_from(["END", "\n"]), st.lists(texts.filter(bool), max_size=4)),
    "max_tokens": st.integers(1, 9000),
    "max_completion_tokens": st.integers(1, 9000),
    "presence_penalty": st.sampled_from([-2, 0, 0.5]),
    "frequency_penalty": st.sampled_from([-0.5, 0, 2]),
    "logit_bias": st.just({"50256": -100}),
    "user": st.sampled_from(["user-1", "ada@example.com"]),
    "metadata": st.sampled_from([{"user_id": "u-1"}, {"team": "a b", "run": "7"}, {}]),
    "service_tier": st.sampled_from(["auto", "default", "flex", "priority"]),
    "store": st.booleans(),
    "prompt_cache_key": st.just("key"),
    "safety_identifier": st.just("somebody"),
    "verbosity": st.sampled_from(["low", "medium", "high"]),
    "response_format": _FORMS,
}


@st.composite
def requests(draw: st.DrawFn) -> Json:
    """A whole request; what it asks for may not be had everywhere."""
    body: Json = {"messages": draw(conversations())}
    for name in draw(st.lists(st.sampled_from(sorted(_FIELDS)), max_size=4, unique=True)):
        body[name] = draw(_FIELDS[name])
    if draw(st.integers(0, 3)) == 0:
        body |= draw(_REASONING)
    if draw(st.integers(0, 3)) == 0:
        body |= {"logprobs": True} | draw(st.sampled_from([{}, {"top_logprobs": 3}]))
    if draw(st.booleans()):
        body |= draw(_with_tools())
    return json.loads(json.dumps(body))


@st.composite
def _with_tools(draw: st.DrawFn) -> Json:
    tools = draw(_tools())
    if draw(st.integers(0, 9)) == 0:
        legacy: Json = {"functions": [tool["function"] for tool in tools]}
        choice = draw(
            st.sampled_from([None, "auto", "none", {"name": tools[0]["function"]["name"]}])
        )
        return legacy if choice is None else {**legacy, "function_call": choice}
    said: Json = {"tools": tools}
    if draw(st.booleans()):
        said["tool_choice"] = draw(_choices(tools))
    if draw(st.integers(0, 3)) == 0:
        said["parallel_tool_calls"] = draw(st.booleans())
    return said
