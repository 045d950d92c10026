"""The notice board of the replicas: each leaves messages there that all others read."""

from typing import Protocol


class Board(Protocol):
    """Where messages are traded.

    It raises nothing for what the store does: while that fails, messages are lost, nothing is
    heard, and the board finds back by itself.
    """

    async def trade(self, mine: bytes | None) -> list[bytes]:
        """Leave a message, if any, and return those that others left since the last time."""
        ...

    async def close(self) -> None:
        """Give everything back."""
        ...
