"""Bodies that are read in Python, value by value: how many values they have, and where they are read.

A chat's reader is in C and needs none of this; the other dialects walk what they are sent.
"""

import asyncio
import re
from collections.abc import Callable
from itertools import islice
from typing import TypeVar

from infway.kernel.errors import CallerError

MOST_VALUES = 200_000  # read in about a quarter of a second
# Bytes from which a body is read beside the other work; JSON needs more of them for MOST_VALUES
_LONG = 256 * 1024
_STRING_OR_MARK = re.compile(rb'"[^"]*+"?|([{\[,])')
_T = TypeVar("_T")


async def read_beside(body: bytes, read: Callable[[], _T]) -> _T:
    """Return what `read` makes of a body, in a thread where it is long.

    Raises CallerError where the body has too many values, and what `read` raises.
    """
    if len(body) < _LONG:
        return read()
    return await asyncio.to_thread(_read, body, read)


def _read(body: bytes, read: Callable[[], _T]) -> _T:
    check_values(body)
    return read()


def check_values(body: bytes) -> None:
    """Raise CallerError where JSON has more than `MOST_VALUES`: opened or behind a comma.

    The bytes are counted first wherever they stand; texts may be full of commas, so what is in
    strings is left out before anything is refused.
    """
    if sum(map(body.count, (b"{", b"[", b","))) <= MOST_VALUES:
        return
    plain = body.replace(rb"\\", b"").replace(rb"\"", b"")
    # a key and a text at most for each value: what has more strings is no JSON, as its reader says
    found = islice(_STRING_OR_MARK.finditer(plain), 4 * MOST_VALUES)
    if sum(one[1] is not None for one in found) > MOST_VALUES:
        message = f"The body has more than {MOST_VALUES} values."
        raise CallerError(400, "invalid_request_body", message)
