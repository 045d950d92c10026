"""Chance for the score: normal deviates from one table, and a Beta draw made of one of them.

A decision takes one number from its random source; that picks the place in the table where its
deviates are read, so the same seed gives the same draws, bit for bit, at the price of a slice.
"""

import math
from functools import cache
from random import Random
from statistics import NormalDist

SIZE = 8192
WIDEST = 4096
"""How many offers one decision can draw for."""

_START, _PACE, _FAILURE = 0, 2713, 5419  # far apart, so that the three do not repeat one another


class Draws:
    """A shuffled table of the quantiles of the normal distribution: exact in mean and tails."""

    __slots__ = ("_table",)

    def __init__(self) -> None:
        self._table = _table()

    def window(self, place: int, count: int) -> tuple[list[float], list[float], list[float]]:
        """Return deviates for `count` offers: of first-token time, of pace, of failure."""
        table = self._table
        start, pace, failure = place + _START, place + _PACE, place + _FAILURE
        return (
            table[start : start + count],
            table[pace : pace + count],
            table[failure : failure + count],
        )


@cache
def _table() -> list[float]:
    """Return the table, which is the same for all."""
    normal = NormalDist()
    quantiles = [normal.inv_cdf((place + 0.5) / SIZE) for place in range(SIZE)]
    Random(SIZE).shuffle(quantiles)  # noqa: S311 - a fixed shuffle, nothing secret
    return quantiles * 2 + quantiles[:WIDEST]


def beta(a: float, b: float, deviate: float) -> float:
    """Return a draw from Beta(a, b), made from one standard normal deviate.

    A Beta is Ga / (Ga + Gb) of two Gammas. Ga is drawn as Wilson and Hilferty's (1931) cube of a
    normal, which keeps the long upper tail and the mass near 0 that failures need; its mean is
    right within 5 % from a = 0.5 on, and a quarter low at a = 0.1. Gb is held at its mean b, which
    is large wherever failures are rare.
    """
    x = 1.0 - 1.0 / (9.0 * a) + 1.0 / (3.0 * math.sqrt(a)) * deviate
    if x <= 0.0:
        return 0.0
    g = a * x * x * x
    return g / (g + b)
