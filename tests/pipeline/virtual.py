"""An event loop whose time passes only when nothing is left to do, and then at once."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


class _Selector(selectors.DefaultSelector):
    """Waits for no network: what the loop would sleep, is past."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everybody waits and nothing will ever happen"
        if timeout > 0:
            self.loop.idle()
            self.loop.now += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """`idle` is called whenever nothing is ready, before time goes on."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.idle: Callable[[], None] = lambda: None
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now


def run(loop: VirtualLoop, main: Coroutine[Any, Any, _T]) -> _T:
    """Run to the end and close."""
    try:
        return loop.run_until_complete(main)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
