"""What the door offers the API beyond ASGI's own messages, in `scope["extensions"]`."""

from collections.abc import Callable, Sequence
from typing import Any

WHOLE = "infway.whole"
"""The name of a `WriteWhole`."""

WriteWhole = Callable[[Any, int, Sequence[tuple[bytes, bytes]], bytes], bool]
"""Writes a whole reply at once: ASGI's `send` of the request, status, headers with its length, body.

False: nothing was written, and it has to go the way of ASGI.
"""
