"""Work that goes on beside a block, and no longer."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress

_log = logging.getLogger(__name__)
_PAUSE = 1.0  # seconds after which work that failed begins again


@asynccontextmanager
async def beside(
    work: Callable[[], Coroutine[object, object, None]], pause: float = _PAUSE
) -> AsyncGenerator[None]:
    """Do the work while the block runs; at its end it is cancelled and waited for.

    Work that fails is said, and begins again after a `pause` in seconds: what nobody waits for
    must not end in silence.
    """
    task = asyncio.create_task(_kept_up(work, pause))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _kept_up(work: Callable[[], Coroutine[object, object, None]], pause: float) -> None:
    said = ""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the work has to go on
            if said != repr(error):  # once for each reason
                _log.exception("what goes on in the background failed, it begins again")
            said = repr(error)
            await asyncio.sleep(pause)
        else:
            return
