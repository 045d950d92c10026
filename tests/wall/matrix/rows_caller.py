"""Rows 55 to 58: the caller leaves, reads slowly, or closes its own half."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.api.caller import BEARER, JSON, Line, chat_body
from tests.wall.matrix.case import scripted
from tests.wall.matrix.stage import Stage

PATH = "/v1/chat/completions"
SOON = 0.25  # seconds until the upstream's socket is closed
DOORS = ("httptools", "h11")


@asynccontextmanager
async def _asked(stage: Stage, *, stream: bool) -> AsyncIterator[Line]:
    """Ask on a connection of its own, and go on once the wall has the request."""
    async with stage.gateway.line() as line:
        body = chat_body(stream=stream, provider={"order": list(stage.walls)})
        line.send("POST", PATH, (BEARER, JSON), json.dumps(body).encode())
        while not stage.walls["one"].attempts:
            await asyncio.sleep(0.001)
        yield line


async def _leave(stage: Stage, line: Line, *, politely: bool) -> None:
    """Hang up, and look how soon the upstream's socket is closed."""
    line.writer.close() if politely else line.hang_up()
    assert await stage.walls["one"].attempts[0].closes_within(SOON)


async def _check_gone(stage: Stage, outcome: str = "client_gone") -> None:
    """Exactly one row of the request, nobody else was asked, and nobody is blamed."""
    while stage.gateway.app.gateway.attempts.active:
        await asyncio.sleep(0.001)
    request, attempts = await stage.rows()
    assert (request.outcome, request.status) == (outcome, 499)
    assert [(row.upstream, row.outcome) for row in attempts] == [("one", outcome)]
    assert attempts[0].prompt_tokens > 0
    assert attempts[0].estimated == 1
    assert request.cost == attempts[0].cost > 0
    assert stage.played("two") == 0
    assert stage.slot("one").breaker.streak == 0.0


def _left_before(http: str, *, stream: bool, politely: bool) -> None:
    @scripted(55)
    async def play(stage: Stage) -> None:
        await stage.open(
            "hang", "ok", limits={"first_token": 10, "whole": 10}, server={"http": http}
        )
        async with _asked(stage, stream=stream) as line:
            await _leave(stage, line, politely=politely)
        await _check_gone(stage)

    play.__name__ = f"{http}-{'stream' if stream else 'whole'}-{'fin' if politely else 'reset'}"


def _left_within(http: str, *, politely: bool) -> None:
    @scripted(56)
    async def play(stage: Stage) -> None:
        await stage.open("stall@5", "ok", limits={"idle": 10}, server={"http": http})
        async with _asked(stage, stream=True) as line:
            await line.head()
            await asyncio.wait_for(line.piece(), 5)
            await _leave(stage, line, politely=politely)
        await _check_gone(stage)
        (_, (attempt,)) = await stage.rows()
        assert attempt.completion_tokens > 0

    play.__name__ = f"{http}-{'fin' if politely else 'reset'}"


def _reads_nothing(http: str) -> None:
    @scripted(57)
    async def play(stage: Stage) -> None:
        server = {"http": http, "write_timeout": 2.0, "heartbeat": 0.05}
        await stage.open("torrent", "ok", limits={"idle": 0.2, "slowest": 1000}, server=server)
        async with _asked(stage, stream=True) as line:
            line.writer.transport.pause_reading()
            attempt = stage.walls["one"].attempts[0]
            sent, still = -1, 0
            while still < 3:  # until the wall is held back; one look may be that of a late loop
                still = still + 1 if sent == attempt.sent else 0
                sent = attempt.sent
                await asyncio.sleep(0.1)
            assert not attempt.closed.is_set(), "it was ended before it was slow"
            await asyncio.wait_for(attempt.closed.wait(), 5)
            assert attempt.sent == sent
        await _check_gone(stage, "slow_client")

    play.__name__ = http


def _reads_slowly(http: str) -> None:
    @scripted(57)
    async def play(stage: Stage) -> None:
        server = {"http": http, "write_timeout": 1.0}
        await stage.open("torrent", limits={"idle": 0.2, "total": 60}, server=server)
        async with _asked(stage, stream=True) as line:
            for _ in range(20):
                await asyncio.wait_for(line.reader.readexactly(200_000), 5)
                await asyncio.sleep(0.02)
            assert not stage.walls["one"].attempts[0].closed.is_set()

    play.__name__ = f"{http}-but-reads"


def _half_closed(http: str, *, stream: bool) -> None:
    @scripted(58)
    async def play(stage: Stage) -> None:
        await stage.open("ok~pause=5" if stream else "ok", server={"http": http})
        async with _asked(stage, stream=stream) as line:
            line.writer.write_eof()
            heard = await asyncio.wait_for(line.hear(), 10)
        assert heard.status == 200
        assert b"[DONE]" in heard.body or not stream
        request, attempts = await stage.rows()
        assert (request.outcome, request.status) == ("ok", 200)
        assert [row.outcome for row in attempts] == ["ok"]

    play.__name__ = f"{http}-{'stream' if stream else 'whole'}"


for _http in DOORS:
    _reads_nothing(_http)
    _reads_slowly(_http)
    for _flag in (False, True):
        _left_before(_http, stream=False, politely=_flag)
        _left_before(_http, stream=True, politely=_flag)
        _left_within(_http, politely=_flag)
        _half_closed(_http, stream=_flag)
