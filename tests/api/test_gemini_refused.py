"""Errors of the Gemini API: Google's shape with infway's code in it, and which keys are taken."""

import json
import logging
from typing import Any

import pytest
from google.genai import errors
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.api.caller import BEARER, JSON, KEY, NARROW_KEY, Heard, chat_body, refused
from tests.api.gemini_talking import client, talking
from tests.api.upstream import fault
from tests.conftest import Gateway, Start
from tests.providers.junk import junks

from infway.api.gemini.reading import read_generate
from infway.kernel.errors import CallerError

PATH = "/v1beta/models/m1:generateContent"
HELLO: dict[str, Any] = {"contents": [{"parts": [{"text": "Hello"}]}]}
GOOGLE = ("x-goog-api-key", KEY)


def said_no(heard: Heard, status: int, word: str, code: str, param: str | None = None) -> None:
    """Assert that a reply is an error in Google's shape."""
    error = heard.json["error"]
    assert (heard.status, error["code"], error["status"]) == (status, status, word), heard
    info = error["details"][0]
    assert info["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert (info["reason"], info["domain"]) == (code, "infway")
    assert info["metadata"] == ({} if param is None else {"param": param})
    assert heard.header("content-type") == "application/json"
    assert heard.header("x-request-id")


WRONG: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("no contents", {}, "missing_required_field", "contents"),
    ("null contents", {"contents": None}, "missing_required_field", "contents"),
    ("an empty part", {"contents": [{"parts": [{}]}]}, "missing_required_field", "contents[0].parts[0]"),
    ("another role", {"contents": [{"role": "boss", "parts": []}]}, "invalid_field", "contents[0].role"),
    ("a number as text", {"contents": [{"parts": [{"text": 1}]}]}, "invalid_field",
     "contents[0].parts[0].text"),
    ("too hot", {**HELLO, "generation_config": {"temperature": 3}}, "invalid_field",
     "generationConfig.temperature"),
    ("six stops", {**HELLO, "generationConfig": {"stopSequences": list("abcdef")}}, "invalid_field",
     "generationConfig.stopSequences"),
    ("an odd level", {**HELLO, "generationConfig": {"thinkingConfig": {"thinkingLevel": "odd"}}},
     "invalid_field", "generationConfig.thinkingConfig.thinkingLevel"),
    ("an odd mode", {**HELLO, "tools": {"functionDeclarations": {"name": "f"}},
     "toolConfig": {"functionCallingConfig": {"mode": "odd"}}}, "invalid_field",
     "toolConfig.functionCallingConfig.mode"),
    ("a nameless function", {**HELLO, "tools": [{"functionDeclarations": [{}]}]},
     "missing_required_field", "tools[0].functionDeclarations[0].name"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code", "param"), [row[1:] for row in WRONG], ids=[r[0] for r in WRONG]
)
async def test_a_wrong_field_is_named(
    gateway: Gateway, body: dict[str, Any], code: str, param: str
) -> None:
    said_no(await gateway.post(PATH, body), 400, "INVALID_ARGUMENT", code, param)
    assert gateway.upstream.asked == []


async def test_what_is_no_object_is_refused(gateway: Gateway) -> None:
    for body in (b"", b"[]", b"{", b'"a"', b"\xff", b"[" * 5000, b'{"contents":' * 900):
        heard = await gateway.post(PATH, body)
        said_no(heard, 400, "INVALID_ARGUMENT", "invalid_request_body")


async def test_other_errors_have_googles_words(gateway: Gateway) -> None:
    unknown = await gateway.post("/v1beta/models/none:generateContent", HELLO)
    said_no(unknown, 404, "NOT_FOUND", "model_not_found", "model")
    narrow = await gateway.post(PATH, HELLO, (("x-goog-api-key", NARROW_KEY), JSON))
    said_no(narrow, 403, "PERMISSION_DENIED", "model_not_accessible", "model")
    method = await gateway.send("GET", PATH)
    said_no(method, 405, "INVALID_ARGUMENT", "method_not_allowed")
    nothing = await gateway.post("/v1beta/models/m1:dance", {})
    said_no(nothing, 404, "NOT_FOUND", "endpoint_not_found")
    missing = await gateway.get("/v1beta/models/none")
    said_no(missing, 404, "NOT_FOUND", "model_not_found", "model")


@pytest.mark.parametrize(("status", "seen"), [(400, 400), (429, 429), (500, 502)])
@pytest.mark.parametrize("dialect", ["gemini", "openai"])
async def test_the_sdk_raises_what_an_upstream_refused(
    start: Start, dialect: str, status: int, seen: int
) -> None:
    async with talking(start, dialect, lambda _: fault(status, "a bad field")) as gateway:
        models = client(gateway).aio.models
        with pytest.raises(errors.APIError) as whole:
            await models.generate_content(model="m1", contents="Hello")
        assert whole.value.code == seen
        with pytest.raises(errors.APIError) as streamed:
            await anext(await models.generate_content_stream(model="m1", contents="Hello"))
        assert streamed.value.code == seen
        assert whole.value.details["error"]["details"][0]["domain"] == "infway"


async def test_a_key_may_be_in_googles_header_or_in_the_address(gateway: Gateway) -> None:
    for path, headers in ((PATH, (GOOGLE, JSON)), (f"{PATH}?key={KEY}", (JSON,)),
                          (f"{PATH}?alt=json&key={KEY}", (JSON,)), (PATH, (BEARER, JSON))):  # fmt: skip
        assert (await gateway.post(path, HELLO, headers)).status == 200
        assert KEY not in repr(gateway.upstream.asked[-1])
    for path, headers in ((f"{PATH}?key={KEY}", (GOOGLE, JSON)), (f"{PATH}?key=", (BEARER, JSON)),
                          (f"{PATH}?key={KEY}&key={KEY}", (JSON,)), (PATH, (GOOGLE, BEARER, JSON))):  # fmt: skip
        said_no(
            await gateway.post(path, HELLO, headers), 400, "INVALID_ARGUMENT", "multiple_api_keys"
        )
    wrong = await gateway.post(f"{PATH}?key=nobody-knows-it", HELLO, (JSON,))
    said_no(wrong, 401, "UNAUTHENTICATED", "invalid_api_key")
    none = await gateway.post(f"{PATH}?kex={KEY}", HELLO, (JSON,))
    said_no(none, 401, "UNAUTHENTICATED", "missing_api_key")


async def test_a_key_in_the_address_counts_at_googles_paths_alone(gateway: Gateway) -> None:
    heard = await gateway.post(f"/v1/chat/completions?key={KEY}", chat_body(), (JSON,))
    refused(heard, 401, "missing_api_key")
    heard = await gateway.post("/v1/chat/completions?key=other", chat_body())
    assert heard.status == 200


async def test_a_key_in_the_address_is_in_no_log(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await gateway.post(f"{PATH}?key={KEY}", HELLO, (JSON,))
    await gateway.post(f"{PATH}?key={KEY}", b"{", (JSON,))
    await gateway.get(f"/v1beta/models?key={KEY}", ())
    ours = [one.getMessage() for one in caplog.records if not one.name.startswith("uvicorn.access")]
    assert all(KEY not in line for line in ours)  # the server's own log of requests is off


_NAMES = (
    "contents", "parts", "text", "role", "functionCall", "name", "args", "tools",
    "function_declarations", "generationConfig", "thinkingConfig", "inlineData", "mimeType", "data",
    "thoughtSignature", "responseSchema", "type", "properties", "functionResponse", "response",
    "systemInstruction", "output", "topK", "parameters", "stopSequences", "fileData", "fileUri",
    "thought",
)  # fmt: skip
_FIELDS = (
    "contents", "tools", "toolConfig", "generationConfig", "system_instruction", "usage", "provider"
)  # fmt: skip


@settings(max_examples=600)
@given(st.dictionaries(st.sampled_from(_FIELDS), junks(_NAMES, 4)))
def test_any_body_is_read_or_refused_with_a_reason(body: dict[str, Any]) -> None:
    for said in (body, HELLO | body):
        assert _judged(json.dumps(said).encode()) in (
            "read", "invalid_field", "missing_required_field", "invalid_request_body",
        )  # fmt: skip


def _judged(body: bytes) -> str:
    """Return the code with which a body is refused, `read` where it is not."""
    try:
        read_generate(body, "r-1", "m1", stream=False)
    except CallerError as error:
        return error.code if error.status == 400 else f"status {error.status}"
    return "read"
