"""Two offers at once: the second is asked where the first says nothing for a while.

Off unless configured. Whoever is first to say something answers; the other is ended, and its
row says so.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

from infway.ims.slot import Slot
from infway.kernel.faults import Fault

P95 = "p95"
_P95 = 1.645  # standard deviations above the median that 19 of 20 stay below

_T = TypeVar("_T")
Drop = Callable[[_T], None]


def wait_of(said: float | str, slot: Slot) -> float:
    """Return the seconds until a second offer is asked: as said, or what 19 of 20 replies take."""
    if isinstance(said, str):
        return slot.view.start * math.exp(_P95 * slot.view.start_sd)
    return said


async def race(
    first: Awaitable[_T],
    after: float,
    second: Callable[[], Awaitable[_T] | None],
    drop: Drop[_T],
) -> _T:
    """Return the first success of two; where both fail, raise as the later one.

    `second` is asked after so many seconds without an end of the first; None: there is none.
    `drop` is given a success that came too late.
    """
    tasks = [asyncio.create_task(_of(first))]
    try:
        await asyncio.wait(tasks, timeout=after)
        other = None if tasks[0].done() else second()
        if other is not None:
            tasks.append(asyncio.create_task(_of(other)))
        return await _winner(tasks)
    except asyncio.CancelledError as left:
        for task in tasks:
            task.cancel(*left.args)
        raise
    finally:
        await _end(tasks, drop)


async def _of(one: Awaitable[_T]) -> _T:
    return await one


async def _winner(tasks: list["asyncio.Task[_T]"]) -> _T:
    waiting = set(tasks)
    while True:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        good = next((task for task in tasks if task in done and task.exception() is None), None)
        if good is not None or not waiting:
            won = good or done.pop()
            tasks.remove(won)
            return won.result()


async def _end(tasks: list["asyncio.Task[_T]"], drop: Drop[_T]) -> None:
    """End what is still under way, and give back what was won in vain."""
    for task in tasks:
        if not task.done() and not task.cancelling():  # its caller may have left
            task.cancel(Fault.HEDGED)
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(ended, BaseException):
            drop(ended)
