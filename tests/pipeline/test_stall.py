"""The limit on silence, in a real loop with tiny limits."""

import asyncio
import contextlib

import pytest

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.pipeline.stall import StallGuard


async def silence(idle: float, until: float, waiting: bool = True) -> float:
    """Wait for ever under a guard; return how long that was."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    with StallGuard(idle, began + until) as guard:
        guard.waiting = waiting
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(loop.create_future(), 0.3)
    return loop.time() - began


@pytest.mark.parametrize(
    ("idle", "until", "fault"),
    [(0.02, 60, Fault.STREAM_STALL), (60, 0.02, Fault.DEADLINE), (0.02, 0.0, Fault.DEADLINE)],
)
async def test_a_silence_beyond_a_limit_ends_the_wait_and_is_named(idle, until, fault):
    with pytest.raises(UpstreamFailed) as caught:
        await silence(idle, until)
    assert caught.value.failure.fault is fault
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.parametrize(("idle", "until"), [(0.02, 60), (60, 0.02)])
async def test_a_slow_reader_is_never_taken_for_a_silent_upstream(idle: float, until: float):
    assert await silence(idle, until, waiting=False) >= 0.3


async def test_what_is_heard_starts_the_silence_anew():
    loop = asyncio.get_running_loop()
    with StallGuard(0.1, loop.time() + 60) as guard:
        guard.waiting = True
        for _ in range(10):
            await asyncio.sleep(0.02)
            guard.heard()


async def test_a_cancellation_from_outside_stays_one():
    async def wait() -> None:
        with StallGuard(60, asyncio.get_running_loop().time() + 60) as guard:
            guard.waiting = True
            await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_other_errors_pass_through():
    with pytest.raises(ZeroDivisionError), StallGuard(60, 10**9):
        raise ZeroDivisionError
