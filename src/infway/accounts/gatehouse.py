"""What a process that serves knows of keys: those of the register, kept fresh, and who administers.

Requests only ever look at what is in memory; a task of its own reads what changed.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

from infway.accounts.capabilities import Actor
from infway.accounts.configured import Configured
from infway.accounts.digests import Digests
from infway.accounts.keys import Keyring
from infway.accounts.office import FIRST_ADMIN, Office, Tools
from infway.accounts.register import Register
from infway.accounts.roster import Roster
from infway.accounts.spelling import Below
from infway.beside import beside
from infway.database import Database, DatabaseError
from infway.kernel.clock import Clock

_log = logging.getLogger(__name__)
_FORBEARANCE = 10.0  # seconds that one look may take before unknown keys are in doubt

FRESH = 300.0
"""Seconds for which what the register said is believed while it cannot be read: a key may have been
revoked since. Reliability, row 64."""


class Custom(NamedTuple):
    """What the configuration says. `refresh`: seconds between two looks; `first`: the first admin key."""

    configured: Configured = Configured()
    refresh: float = 2.0
    first: str | None = None


class Gatehouse:
    """Keys that were made at run time, in one process. `office`: where they are made."""

    def __init__(self, database: Database, digests: Digests, clock: Clock, below: Below) -> None:
        self.digests = digests
        self.register = Register(database, digests.mark)
        self._clock = clock
        self._custom = Custom()
        self._roster = Roster(self.register, Configured(), clock.monotonic, _FORBEARANCE)
        self._first: bytes | None = None
        self._keyring: Keyring | None = None
        self._looking = asyncio.Lock()
        self._is_away = False
        self._fresh = 0.0  # until when (Unix seconds) what the register said is believed
        tools = Tools(digests, clock.wall, below)
        self.office = Office(self.register, lambda: self._custom.configured, tools)

    def check(self) -> None:
        """Raise DatabaseError where the register cannot be used at all; it may be but away."""
        try:
            self.register.open()
        except DatabaseError as error:
            if not error.is_away:
                raise
        finally:
            self.register.close()

    def serve(self, keyring: Keyring, custom: Custom) -> None:
        """Let a keyring know the keys of the register, beside this configuration."""
        self._custom = custom
        self._first = None if custom.first is None else self.digests.of(custom.first.encode())
        self._roster.use(custom.configured)
        keyring.is_unsure = self.is_unsure
        keyring.fresh = self._fresh
        keyring.hold(self._roster.keys)
        self._keyring = keyring

    def admin(self, presented: bytes) -> Actor | None:
        """Return which administrator presents this key, None where nobody is known by it."""
        digest = self.digests.of(presented)
        if digest == self._first:
            return Actor(FIRST_ADMIN)
        found, now = self._roster.admins.get(digest), self._clock.wall()
        if found is None or now >= self._fresh or (found.until is not None and now >= found.until):
            return None
        return found

    def is_unsure(self) -> bool:
        """Tell whether there may be keys of which nothing is known here."""
        return self._clock.wall() >= self._fresh or self._roster.is_unsure()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None, None]:
        """Know the keys of the register while the block runs.

        Raises DatabaseError where it cannot be used at all; one that is away may come back.
        """
        await self.look()
        async with beside(self._watch):
            yield

    async def look(self) -> None:
        """Take in what changed. Raises DatabaseError, unless the database is but away."""
        async with self._looking:
            at = self._clock.wall()
            try:
                changed = await asyncio.to_thread(self._roster.refresh)
            except DatabaseError as error:
                if not error.is_away:
                    raise
                if not self._is_away:
                    _log.warning("the register of keys cannot be read, known keys go on: %s", error)
                self._is_away = True
                return
            if self._is_away:
                _log.info("the register of keys is read again")
            self._is_away = False
            self._fresh = at + FRESH
            if self._keyring is not None:
                self._keyring.fresh = self._fresh
                if changed:
                    self._keyring.hold(self._roster.keys)

    async def _watch(self) -> None:
        reason = ""
        while True:
            await asyncio.sleep(self._custom.refresh)
            try:
                await self.look()
                reason = ""
            except Exception as error:  # noqa: BLE001 - whatever it is, known keys go on and it may pass
                if str(error) != reason:
                    _log.error("the register of keys cannot be read: %s", error)
                reason = str(error)
