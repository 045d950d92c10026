"""Reading the configuration again: one reading at a time, and what is wrong changes nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from infway.kernel.errors import SettingsError

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Reloading(Generic[_T]):
    """Reads and uses a configuration whenever it is asked to.

    `read` runs in a thread. `use` changes nothing where it raises. `count` is told `ok` or
    `failed`.
    """

    def __init__(
        self,
        read: Callable[[], _T],
        use: Callable[[_T], Awaitable[None]],
        count: Callable[[str], None],
    ) -> None:
        self._read = read
        self._use = use
        self._count = count
        self._asked = False
        self._reason: str | None = None
        self._task: asyncio.Task[None] | None = None

    def ask(self) -> None:
        """Have it read again, once more where it is being read already."""
        self._asked = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while self._asked:
            self._asked = False
            await self._once()

    async def _once(self) -> None:
        try:
            await self._use(await asyncio.to_thread(self._read))
        except SettingsError as error:
            self._fail(f"the configuration is wrong, the running one stays:\n{error}")
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, what runs goes on
            self._fail(f"the configuration cannot be read, the running one stays: {error!r}")
        else:
            self._reason = None
            self._count("ok")
            _log.info("the configuration was read again")

    def _fail(self, reason: str) -> None:
        """Count a failure, and say why unless it is what was said last."""
        self._count("failed")
        if reason != self._reason:
            _log.error("%s", reason)
        self._reason = reason
