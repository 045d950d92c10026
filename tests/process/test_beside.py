"""Work beside a block: it goes on whatever happens to it, and ends with the block."""

import asyncio
import logging

import pytest

from infway.beside import beside


async def test_work_that_fails_is_said_once_and_begins_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    went_on = asyncio.Event()
    tries: list[int] = []

    async def work() -> None:
        tries.append(1)
        if len(tries) < 4:
            raise ValueError("odd")
        went_on.set()
        await asyncio.Event().wait()

    async with beside(work, pause=0):
        await asyncio.wait_for(went_on.wait(), 10)
    assert len(tries) == 4
    assert [one.levelno for one in caplog.records] == [logging.ERROR]
    assert caplog.records[0].exc_info


async def test_work_ends_with_its_block_and_is_waited_for() -> None:
    ends: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ends.append("work")

    async with beside(work):
        await asyncio.sleep(0)
    assert ends == ["work"]


async def test_work_that_is_done_is_not_begun_again() -> None:
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    async with beside(work, pause=0):
        for _ in range(5):
            await asyncio.sleep(0)
    assert done == [1]
