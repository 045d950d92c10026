"""The notice board of the replicas: each leaves messages there that all others read."""

from collections.abc import Callable
from typing import Protocol


class Board(Protocol):
    """Where messages are traded.

    It raises nothing for what the store does: while that fails, messages are lost, nothing is
    heard, and the board finds back by itself.
    """

    @property
    def works(self) -> bool:
        """Whether the last trade did."""
        ...

    async def trade(self, mine: bytes | None) -> list[bytes]:
        """Leave a message, if any, and return those that others left since the last time."""
        ...

    async def close(self) -> None:
        """Give everything back."""
        ...


class Probes(Protocol):
    """Who of all replicas may ask an offer that failed. It raises nothing for what the store does."""

    async def claim(self, offer: str) -> float:
        """Return 0 where the next attempt at this offer is the probe, else seconds to leave it alone."""
        ...

    async def keep(self, waiting: Callable[[str], float | None]) -> None:
        """Look after the probes of this replica.

        `waiting`: seconds that an offer is left alone after its probe has ended, None while it runs.
        """
        ...

    async def close(self) -> None:
        """Give everything back."""
        ...
