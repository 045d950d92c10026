"""The threats of an upstream that attacks, row by row (C1 to C7), over real sockets."""

import asyncio
import base64
import tracemalloc
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from tests.api.caller import Heard, refused
from tests.api.upstream import Asked, Script, listening, stream, whole
from tests.conftest import Start, upstream_settings
from tests.wall import ANSWER, TEXT_OF, wall
from tests.wall.matrix import Stage
from tests.wall.matrix.play import streamed_text

OFF = {"attempts": {"rescue": False}}
WAYS = pytest.mark.parametrize("way", ["whole", "stream"])
MOST = 16 * 2**20  # bytes: what was read, and what the kernel took beyond that
MEMORY = 16 * 2**20  # bytes, those of the wall among them, where 64 MiB would be unpacked
SECRET = "canary/7+Zq8Lw3VtnRk5Yx0Hm4Bd9Sf"  # of an upstream


async def ask(stage: Stage, way: str, **fields: object) -> Heard:
    return await stage.ask(stream=way == "stream", **fields)


async def was_cut_short(stage: Stage) -> None:
    """The wall was hung up on, long before it had sent all it wanted to."""
    attempt = stage.walls["one"].attempts[0]
    await asyncio.wait_for(attempt.closed.wait(), 5)
    assert attempt.sent < MOST


def broke_off(heard: Heard, code: str) -> None:
    """A stream that had begun ends with an error and the end mark, and with no text beyond it."""
    assert heard.chunks[-1]["error"]["code"] == code
    assert heard.frames[-1] == b"data: [DONE]"
    assert streamed_text(heard) == TEXT_OF[20]


# C1: decompression bombs


@WAYS
async def test_c1_nothing_packed_is_asked_for(stage: Stage, way: str):
    await stage.open("ok")
    assert (await ask(stage, way)).status == 200
    assert ("accept-encoding", "identity") in stage.walls["one"].attempts[0].headers


@WAYS
@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("gzip-bomb", "upstream_bad_encoding"),
        ("brotli", "upstream_bad_encoding"),
        ("gzip-none", "upstream_bad_encoding"),
        ("packed@0", "upstream_too_large"),
    ],
)
async def test_c1_a_bomb_is_refused_within_bounds_and_others_answer(
    stage: Stage, script: str, code: str, way: str
):
    if way == "whole":
        code = "upstream_bad_encoding"
    await stage.open(script, "ok")
    tracemalloc.start()
    try:
        lone = await ask(stage, way, provider={"only": ["one"]})
        refused(lone, 502, code)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
    assert (await ask(stage, way)).status == 200


@WAYS
async def test_c1_a_bomb_as_an_error_is_the_error_that_its_status_says(stage: Stage, way: str):
    await stage.open("packed-error@400")
    refused(await ask(stage, way), 400, "upstream_rejected")


@pytest.mark.parametrize("rescued", [True, False])
async def test_c1_a_bomb_within_a_stream_breaks_it_off(stage: Stage, rescued: bool):
    await stage.open("packed@20", "ok", **({} if rescued else OFF))
    heard = await ask(stage, "stream")
    await was_cut_short(stage)
    if rescued:
        assert streamed_text(heard) == ANSWER
    else:
        broke_off(heard, "upstream_disconnected")


# C2: headers without end


@WAYS
@pytest.mark.parametrize("script", ["flood-head@10", "flood-head@100000", "huge-header"])
async def test_c2_headers_are_read_as_far_as_64_kib(stage: Stage, script: str, way: str):
    await stage.open(script, "ok")
    assert (await ask(stage, way)).status == 200
    await was_cut_short(stage)
    refused(await ask(stage, way, provider={"only": ["one"]}), 502, "upstream_too_large")


# C3: lines and events without end

FLOODS = ["flood-line", "flood-lines", "flood-comments", "flood-names"]


@pytest.mark.parametrize("script", FLOODS)
async def test_c3_what_never_becomes_an_event_is_let_go(stage: Stage, script: str):
    await stage.open(script, "ok")
    lone = await ask(stage, "stream", provider={"only": ["one"]})
    refused(lone, 502, "upstream_too_large")
    await was_cut_short(stage)
    assert streamed_text(await ask(stage, "stream")) == ANSWER


@pytest.mark.parametrize("script", ["flood-line@20", "flood-lines@20", "flood-names@20"])
async def test_c3_an_event_without_end_ends_the_stream(stage: Stage, script: str):
    await stage.open(script, "ok")
    broke_off(await ask(stage, "stream"), "upstream_too_large")
    await was_cut_short(stage)


# C4: streams without end


@pytest.mark.parametrize("script", ["flood-comments@20", "pings@20"])
async def test_c4_comments_do_not_keep_a_stream_alive(stage: Stage, script: str):
    await stage.open(script, "ok", limits={"idle": 0.2}, **OFF)
    broke_off(await ask(stage, "stream"), "upstream_stalled")
    await asyncio.wait_for(stage.walls["one"].attempts[0].closed.wait(), 5)


@pytest.mark.parametrize(
    ("limits", "fields", "code"),
    [
        ({}, {"max_tokens": 4}, "upstream_overran"),
        ({"total": 1.0}, {}, "upstream_timeout"),
    ],
)
async def test_c4_a_stream_ends_by_its_tokens_and_in_its_time(
    stage: Stage, limits: dict[str, float], fields: dict[str, object], code: str
):
    await stage.open("endless", "ok", limits=limits)
    heard = await ask(stage, "stream", **fields)
    assert heard.chunks[-1]["error"]["code"] == code
    assert heard.frames[-1] == b"data: [DONE]"
    await was_cut_short(stage)


# C5: redirects


@WAYS
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_c5_nobody_is_followed_elsewhere(stage: Stage, status: int, way: str):
    async with wall() as other:
        await stage.open(f"elsewhere@{status}~to={other.port}", "ok")
        heard = await ask(stage, way, provider={"only": ["one"]})
        refused(heard, 502, "upstream_redirect")
        assert not {"location", "set-cookie"} & dict(heard.headers).keys()
        assert (await ask(stage, way)).status == 200
        assert other.connections == 0


# C6: keys that come back


def spellings() -> Iterator[str]:
    raw = SECRET.encode()
    yield SECRET
    yield SECRET[:12]
    yield SECRET.replace("/", "\\/")
    yield quote(SECRET, safe="")
    yield base64.b64encode(raw).decode().rstrip("=")
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")


@WAYS
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 200])
async def test_c6_a_key_that_an_upstream_repeats_is_seen_by_nobody(
    start: Start, caplog: pytest.LogCaptureFixture, status: int, way: str
):
    caplog.set_level("DEBUG", "infway")
    ways = list(spellings())

    def say(_: Asked) -> Script:
        said = f"no: {ways[len(shown) % len(ways)]}"
        shown.append(said)
        error = {"error": {"message": said, "type": said, "code": said, "param": said}}
        if status == 200:
            return stream(f"data: {whole(error).pieces[0].decode()}\n\n".encode())  # type: ignore[union-attr]
        return whole(error, status=status, headers=(f"x-request-id: {SECRET}",))

    shown: list[str] = []
    async with listening(say) as upstream:
        tree = [upstream_settings("one", upstream, "m1", key=SECRET)]
        gateway = await start(upstream=upstream, upstreams=tree, attempts={"backoff_base": 0.001})
        while len(shown) < len(ways):
            gateway.app.gateway.router.health.slots[0].account.turn_on()
            heard = await gateway.chat(stream=way == "stream")
            assert heard.status >= 400
            told = repr(heard) + caplog.text
            assert [one for one in ways if one.lower() in told.lower()] == []
    assert any(f"Bearer {SECRET}" in one.headers.get("authorization", "") for one in upstream.asked)


# C7: pages of proxies


@WAYS
@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        ("html", 502, "upstream_bad_response"),
        ("status@502~body=html", 502, "upstream_error"),
        ("status@500~body=html", 502, "upstream_error"),
        ("status@400~body=html", 400, "upstream_rejected"),
        ("status@403~body=html", 502, "upstream_auth_error"),
        ("status@429~body=html~retry-after=60", 429, "upstream_rate_limited"),
    ],
)
async def test_c7_no_page_is_passed_on(stage: Stage, script: str, status: int, code: str, way: str):
    await stage.open(script)
    heard = await ask(stage, way)
    refused(heard, status, code)
    assert b"<" not in heard.body
    assert b"sorry" not in heard.body


def test_no_threat_lacks_a_test() -> None:
    tested = {name.split("_")[1] for name in globals() if name.startswith("test_c")}
    assert tested == {f"c{row}" for row in range(1, 8)}
