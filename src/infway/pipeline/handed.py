"""A generator that is handed on: closed on every way out, and told why it was left."""

import asyncio
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Handed(Generic[_T]):
    """What `contextlib.aclosing` does, but a cancellation is thrown into the generator itself.

    So it settles by the reason that the cancellation carries, wherever its reader waited.
    """

    __slots__ = ("_generator",)

    def __init__(self, generator: AsyncGenerator[_T, None]) -> None:
        self._generator = generator

    async def __aenter__(self) -> AsyncGenerator[_T, None]:
        return self._generator

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not isinstance(error, asyncio.CancelledError):
            await self._generator.aclose()
            return
        try:
            await self._generator.athrow(error)
        except StopAsyncIteration:
            return
        except asyncio.CancelledError as again:
            if again is not error:
                raise
        else:
            await self._generator.aclose()
        finally:
            del error, traceback  # it has gone through this frame: together they would be a cycle
