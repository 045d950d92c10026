"""A request that is over leaves nothing behind that only the garbage collector could find.

The collector comes rarely to what is old, and a request that was cancelled, refused or failed can
keep its body, its answer and its connection alive by one exception that a frame holds on to.
"""

import gc
import json
from collections.abc import Awaitable, Callable

import pytest
from tests.api.caller import BEARER, JSON, chat_body
from tests.api.upstream import Asked, Script, fault, frames, stream
from tests.process.conftest import Launch, Process
from tests.process.test_stopping import PATH, Hall, begun, until

from infway.api.exchange import Exchange
from infway.pipeline.gateway import Answer

Way = Callable[[Process], Awaitable[None]]


async def reads_a_stream(process: Process) -> None:
    assert (await process.chat(stream=True, user="whole")).status == 200


async def leaves_a_stream(process: Process) -> None:
    async with process.line() as line:
        await begun(process, line)


async def leaves_before_an_answer(process: Process) -> None:
    before = len(process.upstream.asked)
    async with process.line() as line:
        body = json.dumps(chat_body(model="m2", stream=True)).encode()
        line.send("POST", PATH, (BEARER, JSON), body)
        await until(lambda: len(process.upstream.asked) > before)


async def is_refused(process: Process) -> None:
    assert (await process.chat(model="none")).status == 404


async def fails(process: Process) -> None:
    assert (await process.chat(stream=True, user="fail")).status >= 500


async def is_ended(process: Process) -> None:
    from infway.relief import _ran_short

    async with process.line() as line:
        await begun(process, line)
        assert process.app.front.intake.end_all(_ran_short) == 1
        while await line.piece():
            pass


def say(asked: Asked) -> Script:
    if b"native-m2" in asked.body:
        return Script([300.0], kind="text/event-stream")
    if b'"whole"' in asked.body:
        return stream(*frames("a"), 0.1)  # long enough for somebody to listen whether it is left
    return fault(500) if b'"fail"' in asked.body else Hall().say(asked)


@pytest.mark.parametrize(
    "way", [reads_a_stream, leaves_a_stream, leaves_before_an_answer, is_refused, fails, is_ended]
)
async def test_a_request_that_is_over_is_gone(launch: Launch, way: Way) -> None:
    process = await launch(say, attempts={"max": 1}, decisions={"keep": 0})
    await way(process)  # what is made once
    await until(lambda: not process.app.front.intake.open)
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            await way(process)
        await until(lambda: not process.app.front.intake.open)
        await process.app.settler.flush()
        await until(lambda: len(kept()) <= 2)  # the last ones may still be closing
    finally:
        gc.enable()


def kept() -> list[object]:
    return [one for one in gc.get_objects() if isinstance(one, Exchange | Answer)]
