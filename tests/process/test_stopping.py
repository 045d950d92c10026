"""A stop, in its order: row 69 of the fault matrix."""

import asyncio
import contextlib
import json
import sqlite3

import pytest
from tests.api.caller import BEARER, JSON, Heard, Line, chat_body, line_to
from tests.api.upstream import Asked, Script, chunk, frames, stream, whole
from tests.process.conftest import Launch, Process

from infway.listening import Order

PATH = "/v1/chat/completions"
LONG = Order(grace=30.0, drain=30.0, linger=0.05, last_words=1.0)
SHORT = Order(grace=0.0, drain=0.05, linger=0.0, last_words=2.0)


class Hall:
    """An upstream whose streams pause after their first word until `go` is set."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    def say(self, asked: Asked) -> Script:
        if b'"stream":true' in asked.body:
            return stream(chunk({"content": "a"}), self.go, *frames("b")[1:])
        return Script([b"{}"], status=500) if self.go.is_set() else whole()


async def begun(process: Process, line: Line, path: str = PATH, **fields: object) -> bytes:
    """Ask for a stream and return its first piece."""
    body = chat_body(stream=True, **fields) if path == PATH else fields
    line.send("POST", path, (BEARER, JSON), json.dumps(body).encode())
    status, _ = await asyncio.wait_for(line.head(), 20)
    assert status == 200
    return await asyncio.wait_for(line.piece(), 20)


async def rest(line: Line) -> bytes:
    """Return what is left of a stream."""
    said = b""
    while piece := await asyncio.wait_for(line.piece(), 20):
        said += piece
    return said


async def until(true: object) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(20):
        while not true():  # type: ignore[operator]
            await asyncio.sleep(0.001)


def outcomes(process: Process) -> list[tuple[str, str]]:
    """Return model and outcome of the requests that were settled."""
    with contextlib.closing(sqlite3.connect(process.ledger)) as rows:
        query = "SELECT model, outcome FROM entries WHERE attempt = 0 ORDER BY 1, 2"
        return list(rows.execute(query))


async def test_in_its_grace_a_process_is_not_ready_and_serves_on_connections_that_end(
    launch: Launch,
) -> None:
    process = await launch(order=LONG)
    async with process.line() as kept:
        kept.send("POST", PATH, (BEARER, JSON), json.dumps(chat_body()).encode())
        assert dict((await kept.hear()).headers).get("connection") is None
        process.stop()
        assert (await process.get("/readyz", ())).status == 503
        assert (await process.get("/healthz", ())).status == 200
        heard: Heard = await process.chat()
        assert (heard.status, heard.header("connection")) == (200, "close")
        # a connection from before is served as well, and ends with the reply
        kept.send("POST", PATH, (BEARER, JSON), json.dumps(chat_body()).encode())
        heard = await kept.hear()
        assert (heard.status, heard.header("connection")) == (200, "close")
        assert await kept.reader.read() == b""
    assert not process.ended.done()


async def test_a_stream_that_runs_is_finished_before_the_process_ends(launch: Launch) -> None:
    hall = Hall()
    process = await launch(hall.say)
    async with process.line() as line:
        said = await begun(process, line)
        process.stop()
        await until(lambda: not process.server.servers)
        with pytest.raises(ConnectionRefusedError):
            await process.get("/healthz", ())
        hall.go.set()
        said += await rest(line)
    await process.over()
    assert said.endswith(b"data: [DONE]\n\n")
    assert b'"error"' not in said
    assert outcomes(process) == [("m1", "ok")]


async def test_a_stream_that_takes_too_long_ends_with_an_error_event_and_its_row(
    launch: Launch,
) -> None:
    process = await launch(Hall().say, order=SHORT)
    async with process.line() as line:
        said = await begun(process, line)
        process.stop()
        said += await rest(line)
    await process.over()
    *_, error, done = said.split(b"\n\n")[:-1]
    assert done == b"data: [DONE]"
    assert json.loads(error[6:])["error"]["code"] == "service_unavailable"
    assert outcomes(process) == [("m1", "stopped")]


async def test_a_second_signal_ends_what_runs_at_once(launch: Launch) -> None:
    process = await launch(Hall().say, order=LONG)
    async with process.line() as line:
        said = await begun(process, line)
        process.stop()
        process.stop()
        said += await rest(line)
    await process.over()
    assert b'"service_unavailable"' in said
    assert said.endswith(b"data: [DONE]\n\n")
    assert outcomes(process) == [("m1", "stopped")]


async def test_one_stop_that_comes_over_two_ways_is_one(launch: Launch) -> None:
    hall = Hall()
    process = await launch(hall.say)
    async with process.line() as line:
        said = await begun(process, line)
        process.server.stop(grace=True, by="signal")
        process.server.stop(grace=True, by="keeper")
        await until(lambda: not process.server.servers)
        hall.go.set()
        said += await rest(line)
    await process.over()
    assert b'"error"' not in said


async def test_a_request_that_has_no_answer_yet_hears_that_the_gateway_stops(
    launch: Launch,
) -> None:
    process = await launch(lambda _: stream(asyncio.Event()), order=SHORT)
    async with process.line() as one, process.line() as two:
        for line, streams in ((one, True), (two, False)):
            body = json.dumps(chat_body(stream=streams)).encode()
            line.send("POST", PATH, (BEARER, JSON), body)
        await until(lambda: len(process.upstream.asked) == 2)
        process.stop()
        for line in (one, two):
            heard = await asyncio.wait_for(line.hear(), 20)
            assert (heard.status, heard.code) == (503, "service_unavailable")
            assert heard.header("retry-after") == "1"
    await process.over()
    assert outcomes(process) == [("m1", "stopped")] * 2


async def test_the_queue_is_left_in_order(launch: Launch) -> None:
    hall = Hall()
    process = await launch(hall.say, order=SHORT)
    process.app.gateway.router.health.accounts["one"].rest(process.app.now() + 1000)
    async with process.line() as line:
        body = json.dumps(chat_body()).encode()
        line.send("POST", "/v1/queue/chat/completions", (BEARER, JSON), body)
        await until(lambda: sum(process.app.queued.waiting().values()) == 1)
        process.stop()
        heard = await asyncio.wait_for(line.hear(), 20)
    await process.over()
    assert (heard.status, heard.code) == (503, "service_unavailable")
    assert outcomes(process) == [("m1", "stopped")]


@pytest.mark.parametrize("listens", [True, False])
async def test_a_response_in_the_background_fails_and_says_so(
    launch: Launch, listens: bool
) -> None:
    say = Hall().say if listens else lambda _: stream(asyncio.Event())
    process = await launch(say, order=SHORT)
    ask = {"model": "m1", "input": "Hi", "background": True, "stream": listens}
    said = b""
    async with process.line() as line:
        line.send("POST", "/v1/responses", (BEARER, JSON), json.dumps(ask).encode())
        if listens:
            await line.head()
            said = await line.piece()
        else:
            assert (await line.hear()).status == 200
        await until(lambda: process.upstream.asked)
        process.stop()
        if listens:
            said += await rest(line)
    await process.over()
    if listens:
        assert b"response.failed" in said
        numbers = [json.loads(one[6:]) for one in said.split(b"\n") if one.startswith(b"data: {")]
        assert [one["sequence_number"] for one in numbers] == list(range(len(numbers)))
    assert outcomes(process) == [("m1", "stopped")]


async def test_a_reader_that_takes_nothing_does_not_hold_a_stop_up(launch: Launch) -> None:
    text = "x" * 60_000
    script = [chunk({"content": text}) for _ in range(400)]
    process = await launch(lambda _: stream(*script, asyncio.Event()), order=SHORT)
    async with line_to(process.port) as line:
        line.send("POST", PATH, (BEARER, JSON), json.dumps(chat_body(stream=True)).encode())
        line.writer.transport.pause_reading()
        await until(lambda: process.app.front.intake.open)
        process.stop()
        await process.over()
    assert outcomes(process) == [("m1", "stopped")]


async def test_a_connection_that_was_just_accepted_may_still_ask(launch: Launch) -> None:
    process = await launch(order=Order(grace=0.0, drain=5.0, linger=5.0, last_words=1.0))
    async with process.line() as line:
        await until(lambda: process.server.server_state.connections)
        process.stop()
        await until(lambda: not process.server.servers)
        line.send("POST", PATH, (BEARER, JSON), json.dumps(chat_body()).encode())
        heard = await asyncio.wait_for(line.hear(), 20)
        assert (heard.status, heard.header("connection")) == (200, "close")
    await process.over()
