"""From a body to a request: what is JSON, which fields are wrong, what goes on to the model."""

import json

import pytest
from tests.api.caller import chat_body, refused
from tests.conftest import Gateway

PATH = "/v1/chat/completions"
USER = {"role": "user", "content": "Hi"}
VALID = b'{"model":"m1","messages":[{"role":"user","content":"Hi"}]%s}'

NOT_JSON = {
    "nothing": b"",
    "a brace": b"{",
    "cut in a string": b'{"model":"m1","messages":[{"role":"us',
    "cut in a number": b'{"model":"m1","n":1',
    "trailing comma": b'{"model":"m1",}',
    "two objects": b"{}{}",
    "text after it": (VALID % b"") + b" x",
    "a byte order mark": b"\xef\xbb\xbf" + VALID % b"",
    "UTF-16": (VALID % b"").decode().encode("utf-16"),
    "NaN": VALID % b',"temperature":NaN',
    "Infinity": VALID % b',"temperature":Infinity',
    "NaN in an unknown field": VALID % b',"unknown":NaN',
    "single quotes": b"{'model':'m1'}",
    "a comment": VALID % b"/* no */",
    "a control character": VALID % b',"user":"a\x01b"',
    "a wrong escape": VALID % b',"user":"\\q"',
    "a leading zero": VALID % b',"seed":01',
    "invalid UTF-8": VALID % b',"user":"\xff\xfe"',
    "an overlong form": VALID % b',"user":"\xc0\xaf"',
    "an encoded surrogate": VALID % b',"user":"\xed\xa0\x80"',
    "a lone surrogate": VALID % b',"user":"\\ud800"',
    "a lone low surrogate": VALID % b',"unknown":"\\udc00 x"',
    "too deep brackets": b"[" * 100_000,
    "too deep arrays": VALID % (b',"unknown":' + b"[" * 100_000 + b"]" * 100_000),
    "too deep objects": VALID % (b',"metadata":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    "too deep tools": b'{"tools":[{"type":"function","function":{"name":"f","parameters":'
    + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}}]}",
}  # fmt: skip


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
async def test_what_is_no_json_is_refused_and_never_forwarded(
    gateway: Gateway, body: bytes
) -> None:
    refused(await gateway.post(PATH, body), 400, "invalid_request_body")
    assert gateway.upstream.asked == []


@pytest.mark.parametrize("body", [b"[]", b"1", b'"text"', b"true", b"null", b"[{}]", b"1.5"])
async def test_json_that_is_no_object_is_refused(gateway: Gateway, body: bytes) -> None:
    heard = await gateway.post(PATH, body)
    refused(heard, 400, "invalid_request_body")
    assert "object" in heard.json["error"]["message"]


FAULTY = [
    ("temperature", {"temperature": 2.1}),
    ("temperature", {"temperature": -0.1}),
    ("temperature", {"temperature": "1"}),
    ("temperature", {"temperature": True}),
    ("temperature", {"temperature": []}),
    ("top_p", {"top_p": 1.01}),
    ("top_p", {"top_p": -1}),
    ("presence_penalty", {"presence_penalty": 2.5}),
    ("frequency_penalty", {"frequency_penalty": -2.5}),
    ("n", {"n": 0}),
    ("n", {"n": 1.5}),
    ("n", {"n": "2"}),
    ("n", {"n": 129}),
    ("stop", {"stop": ["a", "b", "c", "d", "e"]}),
    ("stop", {"stop": 1}),
    ("stop[1]", {"stop": ["a", 1]}),
    ("max_tokens", {"max_tokens": 0}),
    ("max_tokens", {"max_tokens": -1}),
    ("max_tokens", {"max_tokens": "many"}),
    ("max_completion_tokens", {"max_completion_tokens": 0}),
    ("top_logprobs", {"top_logprobs": 21}),
    ("seed", {"seed": "x"}),
    ("stream", {"stream": "yes"}),
    ("stream", {"stream": 1}),
    ("user", {"user": 7}),
    ("stream_options.include_usage", {"stream_options": {"include_usage": 1}}),
    ("usage.include", {"usage": {"include": "yes"}}),
    ("response_format.type", {"response_format": {"type": 1}}),
    ("response_format.json_schema.name",
     {"response_format": {"type": "json_schema", "json_schema": {"name": 1}}}),
    ("tools[1].type", {"tools": [{"type": "function"}, {"type": 1}]}),
    ("tools[0].function.name", {"tools": [{"type": "function", "function": {"name": None}}]}),
    ("tools", {"tools": [{"type": "function"}] * 129}),
    ("messages", {"messages": []}),
    ("messages", {"messages": "Hi"}),
    ("messages[0]", {"messages": ["Hi"]}),
    ("messages[1].role", {"messages": [USER, {"role": "robot", "content": "x"}]}),
    ("messages[0].content", {"messages": [{"role": "user", "content": 1}]}),
    ("messages[0].content[1].text",
     {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"},
                                                {"type": "text", "text": 1}]}]}),
    ("messages[0].tool_calls[0].function.arguments",
     {"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": {}}}]}]}),
    ("model", {"model": 1}),
    ("model", {"model": ["m1"]}),
    ("model", {"model": ""}),
    ("model", {"model": "  "}),
    ("model.llms[0]", {"model": {"llms": [1]}}),
    ("model.llms[0]", {"model": {"llms": ["there-is-none"]}}),
    ("model.exclude_llms[1]", {"model": {"exclude_llms": ["m1", "there-is-none"]}}),
    ("model.imsn", {"model": {"imsn": 0}}),
    ("model.imsn", {"model": {"imsn": 1.5}}),
    ("model.imsn", {"model": {"imsn": "2"}}),
    ("model.weights.price", {"model": {"weights": {"price": 1001}}}),
    ("model.weights.price", {"model": {"weights": {"price": True}}}),
    ("model.weights.end_latency", {"model": {"weights": {"end_latency": -1}}}),
    ("model.max_input_cost", {"model": {"max_input_cost": -1}}),
    ("n", {"model": {"imsn": 2}, "n": 2}),
    ("provider.order", {"provider": {"order": "one"}}),
    ("provider.only[0]", {"provider": {"only": [1]}}),
    ("provider.sort", {"provider": {"sort": "beauty"}}),
    ("provider.data_collection", {"provider": {"data_collection": "perhaps"}}),
    ("fallback_models[0]", {"fallback_models": [1]}),
    ("fallback_models[0]", {"fallback_models": ["there-is-none"]}),
]  # fmt: skip


@pytest.mark.parametrize(("param", "fields"), FAULTY)
async def test_a_wrong_field_is_named_by_its_path(
    gateway: Gateway, param: str, fields: dict[str, object]
) -> None:
    heard = await gateway.post(PATH, chat_body(**fields))
    refused(heard, 400, "invalid_field", param)
    assert gateway.upstream.asked == []


MISSING = [
    ("messages", {"model": "m1"}),
    ("messages", {"model": "m1", "messages": None}),
    ("messages[0].role", {"messages": [{"content": "x"}]}),
    ("messages[0].content", {"messages": [{"role": "user"}]}),
    ("messages[1].content", {"messages": [USER, {"role": "tool", "content": None}]}),
    ("messages[0].content[0].type", {"messages": [{"role": "user", "content": [{"text": "a"}]}]}),
    ("messages[0].content[0].text",
     {"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
    ("tools[0].function.name",
     {"messages": [USER], "tools": [{"type": "function", "function": {}}]}),
]  # fmt: skip


@pytest.mark.parametrize(("param", "fields"), MISSING)
async def test_a_missing_field_is_named_by_its_path(
    gateway: Gateway, param: str, fields: dict[str, object]
) -> None:
    refused(await gateway.post(PATH, fields), 400, "missing_required_field", param)


async def test_huge_numbers_harm_nobody(gateway: Gateway) -> None:
    for name in ("seed", "max_tokens", "max_completion_tokens", "unknown"):
        for digits in (20, 400, 4000):
            body = VALID % f',"{name}":1{"0" * digits}'.encode()
            heard = await gateway.post(PATH, body)
            assert heard.status in (200, 400), (name, digits, heard)
    for wrong in (b',"unknown":1e999', b',"seed":12345678901234567890123', b',"top_p":1e999'):
        refused(await gateway.post(PATH, VALID % wrong), 400, "invalid_request_body")
    assert (await gateway.post(PATH, VALID % b',"seed":9223372036854775807')).status == 200
    assert b'"seed":9223372036854775807' in gateway.upstream.asked[-1].body


async def test_a_key_that_stands_twice_is_refused_since_readers_differ_on_it(
    gateway: Gateway,
) -> None:
    wrong = VALID % b',"temperature":2,"temperature":1'
    refused(await gateway.post(PATH, wrong), 400, "invalid_request_body")
    assert gateway.upstream.asked == []


async def test_null_is_the_same_as_absent(gateway: Gateway) -> None:
    names = [
        "stream",
        "temperature",
        "top_p",
        "n",
        "stop",
        "max_tokens",
        "max_completion_tokens",
        "tools",
        "tool_choice",
        "user",
        "presence_penalty",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "seed",
        "response_format",
        "provider",
        "stream_options",
        "usage",
        "fallback_models",
        "fallback_rules",
        "reasoning",
        "metadata",
        "unknown",
        "prompt",
    ]
    heard = await gateway.chat(**dict.fromkeys(names))
    assert heard.status == 200
    assert gateway.upstream.asked[0].json.keys() == {"model", "messages"}


async def test_unknown_parameters_go_on_byte_for_byte(gateway: Gateway) -> None:
    raw = (
        b'"top_k":40,"repetition_penalty":1.20,"min_p":5E-2,"odd":{"a" :[1.0,"\\u00e9",null]},'
        b'"chat_template_kwargs":{"enable_thinking":false},"big":1234567890123456789'
    )
    assert (await gateway.post(PATH, VALID % (b"," + raw))).status == 200
    sent = gateway.upstream.asked[0].body
    for piece in (b'"repetition_penalty":1.20', b'"min_p":5E-2', b'{"a" :[1.0,"\\u00e9",null]}',
                  b'"big":1234567890123456789', b'{"enable_thinking":false}'):  # fmt: skip
        assert piece in sent


async def test_infways_own_fields_are_never_forwarded(gateway: Gateway) -> None:
    own = {
        "provider": {"order": ["one"], "unknown_key": 1},
        "fallback_models": ["m2"],
        "fallback_rules": "auto",
        "usage": {"include": True},
        "priority": 3,
        "prompt": "ignored",
    }
    for stream in (False, True):
        options = {"include_usage": False, "include_obfuscation": False}
        heard = await gateway.chat(**own, stream=stream, stream_options=options)
        assert heard.status == 200
        assert not gateway.upstream.asked[-1].json.keys() & own.keys()
    assert "stream_options" not in gateway.upstream.asked[0].json
    assert gateway.upstream.asked[1].json["stream_options"] == {"include_usage": True}


async def test_reasoning_is_asked_for_by_the_name_upstreams_read(gateway: Gateway) -> None:
    await gateway.chat(reasoning={"effort": "low"})
    assert gateway.upstream.asked[0].json["reasoning_effort"] == "low"
    assert "reasoning" not in gateway.upstream.asked[0].json
    await gateway.chat(reasoning_effort="high", reasoning={"effort": "low"})
    assert gateway.upstream.asked[1].json["reasoning_effort"] == "high"


async def test_a_model_may_be_absent_null_or_an_object(start: object, gateway: Gateway) -> None:
    for body in ({}, {"model": None}, {"model": {}}, {"model": {"llms": ["m1", "m2"]}}):
        heard = await gateway.post(PATH, {"messages": [USER], **body})
        assert heard.json["model"] in ("m1", "m2")
    assert json.loads(gateway.upstream.asked[0].body)["model"].startswith("native-")


async def test_a_model_is_required_only_where_the_configuration_insists(start: object) -> None:
    gateway = await start(server={"require_model": True})  # type: ignore[operator]
    for model in (None, {}):
        heard = await gateway.post(PATH, {"messages": [USER], "model": model})
        refused(heard, 400, "missing_required_field", "model")
    assert (await gateway.chat(model={"llms": ["m1"]})).status == 200


@pytest.mark.parametrize("name", ["m1", "one/m1", "one.m1", "one:m1", "custom/m1", "m1:floor"])
async def test_a_model_is_found_by_all_of_its_names(gateway: Gateway, name: str) -> None:
    assert (await gateway.chat(model=name)).json["model"] == "m1"


@pytest.mark.parametrize("name", ["M1", "m1@2024", "m1:unknown", "two/m1", "m1/one", " m1"])
async def test_a_name_that_is_not_known_is_none(gateway: Gateway, name: str) -> None:
    refused(await gateway.chat(model=name), 404, "model_not_found", "model")
