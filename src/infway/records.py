"""What is kept of requests beside their rows, and for how long: contents, replies, what is too old."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from infway.accounts.keys import Keyring
from infway.api.exchange import Exchange
from infway.api.front import Front
from infway.api.transcripts import Transcripts
from infway.ledger.contents import Contents
from infway.ledger.replays import Memory
from infway.parts import Parts
from infway.pipeline.retention import Kept, Retention
from infway.settings import Settings

_DAY = 86_400.0  # seconds


class Records:
    """Keeps contents where they are switched on, and forgets them and rows in time."""

    def __init__(self, built: Parts, front: Front, keyring: Callable[[], Keyring]) -> None:
        self._front = front
        self._transcripts: Transcripts | None = None
        self.retention = Retention(built.clock)
        self.retention.rows = Kept(built.ledger.sweep)
        if built.database is not None:
            contents = Contents(built.database)
            self._transcripts = Transcripts(contents, keyring, built.clock)
            self.retention.contents = Kept(contents.sweep)

    def use(self, settings: Settings) -> None:
        """Keep what a configuration says from now on."""
        said = settings.ledger
        rows, contents = self.retention.rows, self.retention.contents
        rows.seconds = None if said.keep is None else said.keep * _DAY
        contents.seconds = said.contents.keep * _DAY
        if self._transcripts is not None:
            self._transcripts.size = said.contents.size
            self._front.begin = self._transcripts.begin if said.contents.store else Exchange
        if self._front.repeats is not None:
            twice = settings.idempotency
            self._front.repeats.remembered.memory = Memory(
                twice.keep, twice.size, twice.total, twice.per_key
            )

    async def flush(self) -> None:
        """Write the contents that wait."""
        if self._transcripts is not None:
            await self._transcripts.flush()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Write and forget while the block runs."""
        async with self.retention.open():
            if self._transcripts is None:
                yield
                return
            async with self._transcripts.open():
                yield
