"""What the door offers the API beyond ASGI's own messages, in `scope["extensions"]`."""

from collections.abc import Callable, Sequence

WHOLE = "infway.whole"
"""The name of a `WriteWhole`."""

WriteWhole = Callable[[int, Sequence[tuple[bytes, bytes]], bytes], bool]
"""Writes a whole reply at once: status, headers with its length, body.

False: nothing was written, and it has to go the way of ASGI.
"""
