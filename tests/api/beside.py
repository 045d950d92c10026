"""An asynchronous context that outlives the loops of single tests, in a thread of its own."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from threading import Thread
from typing import TypeVar

_Held = TypeVar("_Held")


@contextmanager
def beside(context: AbstractAsyncContextManager[_Held]) -> Iterator[_Held]:
    """Keep a context open while the block runs; for fixtures that a whole module shares."""
    entered: Future[tuple[_Held, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def hold() -> None:
        over = asyncio.Event()
        async with context as held:
            entered.set_result((held, asyncio.get_running_loop(), over))
            await over.wait()

    def run() -> None:
        try:
            asyncio.run(hold())
        except BaseException as failure:
            if entered.done():
                raise
            entered.set_exception(failure)

    thread = Thread(target=run)
    thread.start()
    held, loop, over = entered.result(60)
    try:
        yield held
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(60)
