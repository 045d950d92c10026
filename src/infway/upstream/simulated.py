"""Replies that are played instead of fetched, piece by piece, for the sandbox."""

import asyncio
from collections.abc import Iterator, Mapping

from infway.kernel.chat import Scripted
from infway.upstream.http1 import DRAIN, MAX_BODY


class Played:
    """A scripted reply with the manners of one from the network."""

    def __init__(self, script: Scripted) -> None:
        self.status = script.status
        self.headers: Mapping[str, str] = script.headers
        self._pieces: Iterator[tuple[float, bytes]] = iter(script.pieces)

    async def read(self, limit: int = MAX_BODY) -> bytes:  # noqa: ARG002 - a script is never too long
        """Return all pieces, after all pauses."""
        pieces: list[bytes] = []
        while piece := await self.read_some():
            pieces.append(piece)
        return b"".join(pieces)

    async def read_some(self) -> bytes:
        """Return the next piece after its pause."""
        pause, piece = next(self._pieces, (0.0, b""))
        if pause:
            await asyncio.sleep(pause)
        return piece

    async def finish(self, patience: float = DRAIN) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Play no more."""
        self._pieces = iter(())
