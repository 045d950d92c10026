"""Tokens counted without holding up the other requests of the process."""

import asyncio
from collections.abc import Callable

from infway.providers.counting import Count, is_ready

_LONG = 100_000  # characters; they take about a millisecond


async def counted(count: Callable[[], Count], model: str, size: int) -> Count:
    """Return a count; `size`: the characters or bytes that are counted for `model`.

    In a thread where it is long, or where the model's vocabulary has to be read first.
    """
    if size < _LONG and is_ready(model):
        return count()
    return await asyncio.to_thread(count)
