"""Sums of money that are larger than 64 bits: two whole numbers, each a plain sum of its own.

A row's cost fits into 64 bits, which hold 9 million USD; sums of many rows may not. `high` is in
10^-6 USD and `low`, less than that for each row, in 10^-12 USD: both may be added up as they are,
and no sum of fewer than 9 * 10^12 rows is too large.
"""

from collections.abc import Iterable
from typing import Any

_HIGH = 10**6  # of 10^-12 USD


def split(cost: int) -> tuple[int, int]:
    """Return an amount in 10^-12 USD as `high` and `low`."""
    return divmod(cost, _HIGH)


def whole(high: int, low: int) -> int:
    """Return an amount in 10^-12 USD from its parts, which need not be in their least form."""
    return high * _HIGH + low


def joined(found: Iterable[tuple[Any, ...]]) -> int:
    """Return the sum of rows of parts, in 10^-12 USD."""
    return sum(whole(high, low) for high, low in found)
