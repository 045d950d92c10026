"""The edge as a whole: paths, methods, what every reply carries, our own bugs."""

import asyncio
from dataclasses import replace

import pytest
from tests.api.caller import BEARER, JSON, chat_body, refused
from tests.api.upstream import fault, frames, stream
from tests.conftest import Gateway, Start

from infway.app import Parts
from infway.providers.openai.adapter import OpenAI

PLAIN = ("/v1/chat/completions", "/chat/completions", "/api/v1/chat/completions")
NAMED = ("/engines/{}/chat/completions", "/v1/engines/{}/chat/completions",
         "/openai/deployments/{}/chat/completions")  # fmt: skip
TRACING = ("x-request-id", "openai-processing-ms", "x-infe-region")


@pytest.mark.parametrize("path", PLAIN)
async def test_every_chat_path_answers(gateway: Gateway, path: str) -> None:
    heard = await gateway.post(path, chat_body())
    assert heard.status == 200
    assert heard.json["choices"][0]["message"]["content"] == "Hello"


@pytest.mark.parametrize("path", NAMED)
async def test_the_model_in_the_path_beats_the_one_in_the_body(gateway: Gateway, path: str) -> None:
    for model in ("m1", None, {"llms": ["m1"]}, "there-is-no-such-model"):
        heard = await gateway.post(path.format("m2"), chat_body(model=model))
        assert heard.json["model"] == "m2"
    assert {asked.json["model"] for asked in gateway.upstream.asked} == {"native-m2"}


@pytest.mark.parametrize("path", NAMED)
async def test_a_model_in_the_path_may_hold_slashes(gateway: Gateway, path: str) -> None:
    for name in ("one/m2", "one%2Fm2"):
        heard = await gateway.post(path.format(name), chat_body())
        assert heard.json["model"] == "m2"
    refused(
        await gateway.post(path.format("meta/llama/3"), chat_body()),
        404, "model_not_found", "model",
    )  # fmt: skip


@pytest.mark.parametrize(
    "path",
    ["/", "/nothing", "/v1/chat/completions/", "/v1/chat", "/%ff",
     "/openai/deployments/chat/completions", "/V1/chat/completions", "/healthz/"],
)  # fmt: skip
async def test_an_unknown_path_is_answered_by_the_one_error_body(
    gateway: Gateway, path: str
) -> None:
    refused(await gateway.post(path, chat_body()), 404, "endpoint_not_found")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", [*PLAIN, "/engines/m1/chat/completions"])
async def test_another_method_is_refused_with_the_one_that_is_taken(
    gateway: Gateway, method: str, path: str
) -> None:
    heard = await gateway.send(method, path)
    refused(heard, 405, "method_not_allowed")
    assert heard.header("allow") == "POST"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/v1/models"])
async def test_the_rare_endpoints_refuse_other_methods_as_well(gateway: Gateway, path: str) -> None:
    heard = await gateway.send("POST", path)
    refused(heard, 405, "method_not_allowed")
    assert heard.header("allow") == "GET"


async def test_every_reply_carries_the_tracing_headers(start: Start) -> None:
    gateway = await start(server={"region": "eu-1", "body_limit": 2048})
    replies = [
        await gateway.chat(),
        await gateway.chat(stream=True),
        await gateway.chat(model="none"),
        await gateway.post("/v1/chat/completions", b"{"),
        await gateway.post("/v1/chat/completions", b"{}", (JSON,)),
        await gateway.post("/v1/chat/completions", b" " * 3000),
        await gateway.get("/v1/chat/completions"),
        await gateway.get("/v1/models"),
        await gateway.get("/v1/models/none"),
        await gateway.get("/nothing"),
        await gateway.send("DELETE", "/v1/models"),
        await gateway.get("/healthz"),
    ]
    statuses = [200, 200, 404, 400, 401, 413, 405, 200, 404, 404, 405, 200]
    assert [heard.status for heard in replies] == statuses
    for heard in replies:
        assert all(heard.header(name) for name in TRACING), heard
        assert heard.header("x-infe-region") == "eu-1"
        assert int(heard.header("openai-processing-ms") or "-1") >= 0
    assert len({heard.header("x-request-id") for heard in replies}) == len(replies)


async def test_no_region_is_told_where_none_is_configured(gateway: Gateway) -> None:
    assert (await gateway.chat()).header("x-infe-region") is None
    assert (await gateway.get("/nothing")).header("x-infe-region") is None


async def test_a_reply_names_who_served_it_and_what_it_cost(gateway: Gateway) -> None:
    heard = await gateway.chat()
    assert heard.header("x-gateway-provider") == "one"
    assert heard.header("x-gateway-attempts") == "one:ok"
    assert heard.header("infe-unit-cost") == "0.000098"
    assert heard.json["id"] == f"chatcmpl-{heard.header('x-request-id')}"
    assert (await gateway.chat(stream=True)).header("x-gateway-provider") == "one"


class _Faulty(OpenAI):
    """A dialect with a bug in it, of our own making."""

    def request(self, *_: object) -> object:  # type: ignore[override]
        raise ZeroDivisionError("a secret detail")


def _with_bug(built: Parts) -> Parts:
    return replace(built, adapters={"openai": _Faulty()})


@pytest.mark.parametrize("extra", [{}, {"stream": True}, {"model": {"imsn": 2}}])
async def test_our_own_bug_leaves_as_the_one_error_body(
    start: Start, extra: dict[str, object]
) -> None:
    gateway = await start(parts_of=_with_bug)
    heard = await gateway.chat(**extra)
    refused(heard, 500, "internal_server_error")
    assert b"secret" not in heard.body
    assert b"Traceback" not in heard.body
    assert b"Zero" not in heard.body
    request_rows = [row for row in await gateway.rows() if row.attempt == 0]
    assert [row.status for row in request_rows] == [500]
    assert (await gateway.get("/healthz")).status == 200


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("stream", [True, False])
async def test_an_upstreams_refusal_of_our_key_is_never_the_callers(
    start: Start, status: int, stream: bool
) -> None:
    gateway = await start(lambda _: fault(status, "Incorrect API key provided: sk-abc"))
    heard = await gateway.chat(stream=stream)
    refused(heard, 502, "upstream_auth_error")
    assert b"sk-abc" not in heard.body
    assert heard.header("www-authenticate") is None


@pytest.mark.parametrize(
    ("status", "seen", "code"),
    [(400, 400, "upstream_rejected"), (404, 502, "upstream_model_missing"),
     (429, 429, "upstream_rate_limited"), (500, 502, "upstream_error"),
     (503, 502, "upstream_error"), (529, 503, "upstream_overloaded")],
)  # fmt: skip
@pytest.mark.parametrize("stream", [True, False])
async def test_an_error_before_the_first_byte_keeps_a_real_status(
    start: Start, status: int, seen: int, code: str, stream: bool
) -> None:
    gateway = await start(
        lambda _: fault(status, headers=("retry-after: 77",)),
        attempts={"max": 1},
    )
    heard = await gateway.chat(stream=stream)
    refused(heard, seen, code)
    assert heard.header("x-should-retry") == "false"
    if status == 429:
        assert heard.header("retry-after") == "77"


async def test_an_upstream_that_is_silent_too_long_is_a_timeout_of_its_own(start: Start) -> None:
    silence = asyncio.Event()
    gateway = await start(lambda _: stream(silence))
    swift = {"first_token": 0.05, "total": 0.2}
    tree = [{**row, "timeouts": swift} for row in _upstreams(gateway)]
    slow = await start(upstream=gateway.upstream, upstreams=tree, attempts={"max": 1})
    refused(await slow.chat(stream=True), 504, "upstream_timeout")


def _upstreams(gateway: Gateway) -> list[dict[str, object]]:
    models = [{"id": "m1", "input_price": 1, "output_price": 1}]
    url = gateway.upstream.url
    return [{"name": "one", "vendor": "custom", "base_url": url, "models": models}]


async def test_requests_on_one_connection_are_answered_in_turn(gateway: Gateway) -> None:
    async with gateway.line() as line:
        for count in range(3):
            line.send("POST", PLAIN[0], (BEARER, JSON), b"{" * (count % 2))
            assert (await line.hear()).status == 400
            line.send("GET", "/healthz", ())
            assert (await line.hear()).json == {"status": "ok"}


async def test_a_stream_is_never_buffered_by_the_way(start: Start) -> None:
    gateway = await start(lambda _: stream(*frames("a")))
    heard = await gateway.chat(stream=True)
    assert heard.header("content-type") == "text/event-stream; charset=utf-8"
    assert heard.header("cache-control") == "private, no-store"
    assert heard.header("x-accel-buffering") == "no"
    assert heard.header("content-length") is None
