"""The limits on silence, in a real loop, and on slowness, in one whose time passes at once."""

import asyncio
import contextlib
import time
from collections.abc import Iterable

import pytest
from tests.pipeline.virtual import VirtualLoop, run

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.pipeline.stall import Deadline, Pace, StallGuard


async def silence(idle: float, until: float, wait: float = 60.0, waiting: bool = True) -> float:
    """Wait for so long under a guard; return how long that was."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    with StallGuard(idle, began + until) as guard:
        if waiting:
            guard.listen()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(loop.create_future(), wait)
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
    assert await silence(idle, until, 0.3, waiting=False) >= 0.3


async def test_what_is_heard_starts_the_silence_anew():
    loop = asyncio.get_running_loop()
    with StallGuard(0.1, loop.time() + 60) as guard:
        for _ in range(10):
            guard.listen()
            await asyncio.sleep(0.02)
            guard.heard()


def test_a_reader_who_pauses_takes_nothing_of_the_upstreams_time():
    async def read() -> None:
        with StallGuard(1.0, 2000.0) as guard:
            for _ in range(10):
                await asyncio.sleep(0.9)  # the reader's
                guard.listen()
                await asyncio.sleep(0.9)  # the upstream's
                guard.heard()

    run(VirtualLoop(), read())


async def test_what_the_loop_itself_is_late_is_nobodys_silence():
    loop = asyncio.get_running_loop()
    with StallGuard(0.05, loop.time() + 60) as guard:
        guard.listen()
        loop.call_soon(time.sleep, 0.2)
        await asyncio.sleep(0.04)
        guard.heard()


async def test_a_late_loop_gives_a_deadline_as_much_time_again():
    loop = asyncio.get_running_loop()
    with Deadline(loop.time() + 0.05):
        loop.call_soon(time.sleep, 0.2)
        await asyncio.sleep(0.04)
    with pytest.raises(TimeoutError), Deadline(loop.time() + 0.02):
        await loop.create_future()


async def test_a_cancellation_from_outside_stays_one():
    async def wait() -> None:
        with StallGuard(60, asyncio.get_running_loop().time() + 60) as guard:
            guard.listen()
            await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_other_errors_pass_through():
    with pytest.raises(ZeroDivisionError), StallGuard(60, 10**9):
        raise ZeroDivisionError


IDLE = 30.0
Read = tuple[float, int, float]  # seconds waited, tokens that came, seconds the reader took


def ended_after(reads: Iterable[Read], slowest: float = 0.1) -> float | None:
    """Return how long a stream of these reads was let go on; None: to its end."""
    loop, made = VirtualLoop(), 0

    async def stream() -> float | None:
        nonlocal made
        began = loop.time()
        try:
            with StallGuard(IDLE, began + 10_000, Pace(slowest, lambda: made)) as guard:
                for wait, tokens, reader in reads:
                    guard.listen()
                    await asyncio.sleep(wait)
                    made += tokens
                    guard.heard()
                    await asyncio.sleep(reader)
        except UpstreamFailed as failed:
            if failed.failure.fault is not Fault.STREAM_STALL:
                raise
            return loop.time() - began
        return None

    return run(loop, stream())


@pytest.mark.parametrize("wait", [11.0, 20.0, 29.0])
def test_a_stream_that_trickles_ends_like_a_silent_one(wait: float):
    after = ended_after([(wait, 1, 0.0)] * 50)
    assert after is not None
    assert 2 * IDLE <= after <= 4 * IDLE


def test_a_stream_that_only_dribbles_after_a_good_beginning_ends_too():
    after = ended_after([*[(0.1, 1, 0.0)] * 1000, *[(25.0, 1, 0.0)] * 50])
    assert after is not None
    assert 100 + 2 * IDLE <= after <= 100 + 6 * IDLE


@pytest.mark.parametrize("read", [(9.0, 1, 0.0), (0.02, 1, 0.0), (29.0, 3, 0.0)])
def test_a_stream_that_is_slow_but_of_use_goes_on(read: Read):
    assert ended_after([read] * 100) is None


@pytest.mark.parametrize("reader", [5.0, 29.0, 31.0, 100.0])
def test_what_a_reader_takes_its_time_for_is_not_held_against_the_upstream(reader: float):
    assert ended_after([(0.5, 1, reader)] * 50) is None


def test_waits_between_which_a_reader_takes_its_time_are_added_up():
    after = ended_after([(20.0, 1, 7.0)] * 50)
    assert after is not None
    assert after <= 8 * IDLE


def test_no_stream_is_too_slow_where_that_is_not_wanted():
    assert ended_after([(29.0, 0, 0.0)] * 50, slowest=0.0) is None
