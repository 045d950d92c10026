"""Bodies that are read in Python, value by value: where they are read.

A chat's reader is in C and needs none of this; the other dialects walk what they are sent.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

LONG = 256 * 1024
"""Bytes from which a body is read beside the other work."""
_T = TypeVar("_T")


async def read_beside(body: bytes, read: Callable[[], _T]) -> _T:
    """Return what `read` makes of a body, in a thread where it is long; raises what `read` does."""
    if len(body) < LONG:
        return read()
    return await asyncio.to_thread(read)
