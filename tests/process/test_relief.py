"""What gives way where memory, file descriptors or time run short: rows 74, 75 and 77."""

import asyncio
import json
import time

import pytest
from tests.api.caller import BEARER, JSON, chat_body, refused
from tests.api.upstream import chunk, frames, stream
from tests.process.conftest import QUICK, Launch, Process
from tests.process.test_stopping import Hall, begun, rest, until

PATH = "/v1/chat/completions"


def is_shut(process: Process) -> bool:
    return process.app.front.intake.shut is not None


async def test_idle_connections_are_closed_where_memory_runs_short(launch: Launch) -> None:
    process = await launch()
    async with process.line() as line:
        line.send("POST", PATH, (BEARER, JSON), json.dumps(chat_body()).encode())
        assert (await line.hear()).status == 200
        await until(lambda: process.app.client._pool._idle)
        process.machine.memory = 0.86
        assert await asyncio.wait_for(line.reader.read(), 20) == b""
        await until(lambda: not any(process.app.client._pool._idle.values()))
    assert (await process.chat()).status == 200


async def test_no_request_is_begun_where_memory_is_short(launch: Launch) -> None:
    process = await launch()
    process.machine.memory = 0.93
    await until(lambda: is_shut(process))
    for stream_it in (True, False):
        heard = await process.chat(stream=stream_it)
        refused(heard, 503, "overloaded")
        assert heard.header("retry-after") == "1"
    assert process.upstream.asked == []
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await process.get(path, ())).status == 200
    process.machine.memory = 0.5
    await until(lambda: not is_shut(process))
    assert (await process.chat()).status == 200


async def test_the_largest_streams_end_with_an_event_where_memory_runs_out(launch: Launch) -> None:
    hall = Hall()
    process = await launch(hall.say)
    async with process.line() as small, process.line() as large:
        first = await begun(process, small)
        last = await begun(process, large, user="u" * 5000)
        process.machine.memory = 0.97
        last += await asyncio.wait_for(rest(large), 20)
        process.machine.memory = 0.5
        await until(lambda: not is_shut(process))
        open_ones = len(process.app.front.intake.open)
        hall.go.set()
        if open_ones:  # it may have been next before the memory was there again
            first += await rest(small)
            assert b'"error"' not in first
    assert b'"code":"service_unavailable"' in last
    assert last.endswith(b"data: [DONE]\n\n")
    await process.app.settler.flush()
    assert "stopped" in {row.outcome for row in await process.rows()}


async def test_nothing_is_accepted_where_file_descriptors_run_short_and_what_runs_goes_on(
    launch: Launch,
) -> None:
    hall = Hall()
    process = await launch(hall.say)
    async with process.line() as running:
        said = await begun(process, running)
        process.machine.files = 0.8
        await until(lambda: not process.server.servers)
        async with process.line() as waiting:  # the kernel keeps it
            waiting.send("GET", "/healthz", ())
            process.machine.files = 0.75  # not yet
            hall.go.set()
            said += await rest(running)
            assert not process.server.servers
            process.machine.files = 0.6
            assert (await asyncio.wait_for(waiting.hear("GET"), 20)).status == 200
    assert b'"error"' not in said


async def test_no_request_is_begun_where_file_descriptors_are_nearly_gone(launch: Launch) -> None:
    process = await launch()
    async with process.line() as line:
        line.send("GET", "/healthz", ())
        await line.hear("GET")
        async with process.line() as other:
            other.send("POST", PATH, (BEARER, JSON), b"")
            await asyncio.sleep(0)
            process.machine.files = 0.95
            await until(lambda: is_shut(process))
    assert not process.server.servers


async def test_a_burst_of_connections_pauses_accepting_between_two_looks(launch: Launch) -> None:
    process = await launch()
    relief = process.server._relief
    assert relief is not None
    relief.look = lambda: None  # type: ignore[method-assign]
    relief.room = 3
    async with process.line(), process.line(), process.line():
        await until(lambda: not process.server.servers)


async def test_requests_are_refused_in_milliseconds_where_the_loop_has_too_much_to_do(
    launch: Launch,
) -> None:
    process = await launch(patience=QUICK)
    for _ in range(200):
        time.sleep(0.12)  # turns that take longer than a request may wait (0.1 s here)
        await asyncio.sleep(0)
        if is_shut(process):
            break
    heard = await process.chat()
    if heard.status == 503:  # unless the loop was on time again before
        refused(heard, 503, "overloaded")
    await until(lambda: not is_shut(process))
    assert (await process.chat()).status == 200


@pytest.mark.parametrize("streams", [True, False])
async def test_no_more_requests_are_open_than_the_settings_allow(
    launch: Launch, streams: bool
) -> None:
    go = asyncio.Event()
    process = await launch(
        lambda _: stream(chunk({"content": "a"}), go, *frames("b")[1:]),
        server={"max_requests": 2},
    )
    async with process.line() as one, process.line() as two:
        await begun(process, one)
        await begun(process, two)
        refused(await process.chat(stream=streams), 503, "overloaded")
        assert len(process.upstream.asked) == 2
        go.set()
        await rest(one)
        await rest(two)
    heard = await process.chat(stream=True)
    assert heard.status == 200
