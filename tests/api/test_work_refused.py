"""Requests for work that make no sense: refused by name, and never an error of the server."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.caller import BEARER, JSON, refused
from tests.api.upstream import Asked, Script, fault
from tests.api.working import working, works
from tests.conftest import Start
from tests.providers.junk import junk_objects

from infway.api.passing.reading import (
    Caller,
    Read,
    read_image,
    read_moderation,
    read_rerank,
    read_speech,
)
from infway.kernel.chat import Feature
from infway.kernel.errors import CallerError

CALLER = Caller("id", None, require_model=False)
READERS: list[tuple[Read, Feature]] = [
    (read_rerank, Feature.RERANK),
    (read_moderation, Feature.MODERATION),
    (read_image, Feature.IMAGES),
    (read_image, Feature.IMAGE_EDITS),
    (read_speech, Feature.SPEECH),
]
WRONG = [
    ("/v1/moderations", {"model": "j1"}, "missing_required_field", "input"),
    ("/v1/moderations", {"model": "j1", "input": 7}, "invalid_field", "input"),
    ("/v1/moderations", {"model": "j1", "input": [7]}, "invalid_field", "input[0]"),
    ("/v1/images/generations", {"model": "i1"}, "missing_required_field", "prompt"),
    ("/v1/images/generations", {"model": "i1", "prompt": ""}, "invalid_field", "prompt"),
    ("/v1/images/generations", {"model": "i1", "prompt": "a", "n": 0}, "invalid_field", "n"),
    ("/v1/images/edits", {"model": "i1"}, "missing_required_field", "prompt"),
    ("/v1/audio/speech", {"model": "s1"}, "missing_required_field", "input"),
    ("/v1/audio/speech", {"input": "a"}, "missing_required_field", "model"),
    ("/v1/audio/speech", {"model": "s1", "input": "a", "voice": 1}, "invalid_field", "voice"),
    ("/v1/audio/speech", {"model": 1, "input": "a"}, "invalid_field", "model"),
]
NAMES = (
    "model", "query", "documents", "top_n", "top_k", "input", "prompt", "n", "stream", "voice",
    "stream_format", "provider", "usage", "fallback_models", "return_documents", "type", "text",
)  # fmt: skip
BODIES = junk_objects(NAMES, most=8).map(lambda one: json.dumps(one).encode())


@pytest.mark.parametrize(("path", "body", "code", "param"), WRONG)
async def test_a_wrong_field_is_named(
    start: Start, path: str, body: dict[str, object], code: str, param: str
) -> None:
    async with working(start) as gateway:
        refused(await gateway.post(path, body), 400, code, param)
        assert gateway.upstream.asked == []


@given(st.sampled_from(READERS), BODIES | st.binary(max_size=60))
def test_any_body_is_a_request_or_refused(reader: tuple[Read, Feature], body: bytes) -> None:
    read, work = reader
    with contextlib.suppress(CallerError):
        ask = read(work, body, CALLER).ask
        assert ask.features == work
        assert ask.input_tokens >= 0
        assert not ask.fields.keys() & {"model", "provider", "usage", "fallback_models"}


async def test_a_body_that_is_no_json_is_refused(start: Start) -> None:
    async with working(start) as gateway:
        for path in ("/v1/rerank", "/v1/moderations", "/v1/images/generations", "/v1/audio/speech"):
            for body in (b"", b"{", b"[]", b"\xff", b"[" * 5000):
                heard = await gateway.send("POST", path, (BEARER, JSON), body)
                refused(heard, 400, "invalid_request_body")
            refused(await gateway.send("POST", path, (JSON,), b"{}"), 401, "missing_api_key")


async def test_a_model_that_is_left_open_is_chosen_where_openai_has_a_usual_one(
    start: Start,
) -> None:
    async with working(start) as gateway:
        heard = await gateway.post("/v1/images/generations", {"prompt": "a"})
        assert heard.status == 200
        assert gateway.upstream.asked[0].json["model"] == "native-i1"
    async with working(start, server={"require_model": True}) as gateway:
        heard = await gateway.post("/v1/images/generations", {"prompt": "a"})
        refused(heard, 400, "missing_required_field", "model")


async def test_another_model_answers_where_the_caller_names_one(start: Start) -> None:
    def only_second(asked: Asked) -> Script:
        return works(asked) if asked.json["model"] == "native-i2" else fault(404)

    more = {"models": ["i1", "i2"], "i2": {"mode": "image", "image_price": "1"}}
    async with working(start, only_second, **more) as gateway:
        body = {"model": "i1", "prompt": "a", "fallback_models": ["i2"]}
        heard = await gateway.post("/v1/images/generations", body)
        assert heard.status == 200
        assert heard.header("x-gateway-attempts") == "one:model_missing, one:ok"
        assert heard.header("infe-unit-cost") == "2.000000"
        assert "fallback_models" not in gateway.upstream.asked[1].json


@pytest.mark.parametrize("model", [{}, {"model": "auto"}])
async def test_where_no_model_does_the_work_none_is_chosen(
    start: Start, model: dict[str, str]
) -> None:
    async with working(start, models=["r1"]) as gateway:
        heard = await gateway.post("/v1/images/generations", {"prompt": "a", **model})
        refused(heard, 404, "model_not_found", "model")
