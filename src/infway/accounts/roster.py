"""What was made at run time, in memory, as the register had it a moment ago.

Every replica keeps all of it: a request looks at a dictionary and never waits for a database.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from threading import Lock

from infway.accounts.capabilities import Actor
from infway.accounts.configured import Configured
from infway.accounts.entitlement import EntitlementError, Entitlements
from infway.accounts.entries import Entry, Kind, Secret, State
from infway.accounts.keys import Known
from infway.accounts.register import Register
from infway.accounts.terms import (
    AdminTerms,
    KeyTerms,
    OrganisationTerms,
    PlanTerms,
    ProjectTerms,
)
from infway.kernel.chat import Principal

_log = logging.getLogger(__name__)
_NAMED = 5  # keys that a warning names


class Roster:
    """All entries of a register. `now`: monotonic seconds.

    `patience`: seconds that a look may take until keys may be unknown here.

    One thread at a time refreshes it; what it found is swapped in whole.
    """

    def __init__(
        self, register: Register, configured: Configured, now: Callable[[], float], patience: float
    ) -> None:
        self.register = register
        self.configured = configured
        self.keys: Mapping[bytes, Known] = {}
        self.admins: Mapping[bytes, Actor] = {}
        self._now = now
        self._patience = patience
        self._entries: dict[tuple[Kind, str], Entry] = {}
        self._version = 0
        self._read_at: float | None = None
        self._is_lost = False
        self._lost: list[str] = []
        self._named = configured.entitlements
        self._turn = Lock()

    def is_unsure(self) -> bool:
        """Tell whether there may be keys that are unknown here: the register could not be read."""
        if self._is_lost or self._read_at is None:
            return True
        return self._now() - self._read_at > self._patience

    def refresh(self) -> bool:
        """Take in what changed; tell whether anything did. Raises DatabaseError."""
        at = self._now()  # before the look: what is written during it may be missed
        try:
            changed = self.register.changes(self._version)
        except BaseException:
            self._is_lost = True
            raise
        self._read_at, self._is_lost = at, False
        if not changed:
            return False
        with self._turn:
            gone = self._enter(changed)
            if {entry.kind for entry in changed} == {Kind.KEY}:
                kept = {one: known for one, known in self.keys.items() if one not in gone}
                self.keys = {**kept, **self._resolved(changed)}
                self._tell_lost()
            else:
                self._rebuild()
        return True

    def use(self, configured: Configured) -> None:
        """Resolve everything anew beside another configuration."""
        with self._turn:
            self.configured = configured
            self._rebuild()

    def _enter(self, changed: Iterable[Entry]) -> set[bytes]:
        """Take entries in; return the digests that they had before."""
        gone: set[bytes] = set()
        for entry in changed:
            before = self._entries.get((entry.kind, entry.id))
            gone.update(one.digest for one in (before.secrets if before else ()))
            self._entries[entry.kind, entry.id] = entry
            self._version = max(self._version, entry.version)
        return gone

    def _rebuild(self) -> None:
        self._named = self.configured.entitlements.beside(entitled(self._entries.values()))
        self._lost.clear()
        self.keys = self._resolved(one for one in self._entries.values() if one.kind is Kind.KEY)
        self._tell_lost()
        self.admins = {
            secret.digest: actor_of(entry, secret)
            for entry in self._entries.values()
            if entry.kind is Kind.ADMIN and entry.state is State.ACTIVE
            for secret in entry.secrets
        }

    def _resolved(self, entries: Iterable[Entry]) -> dict[bytes, Known]:
        found: dict[bytes, Known] = {}
        for entry in entries:
            principal = self._principal(entry) if entry.state is State.ACTIVE else None
            if principal is not None:
                for secret in entry.secrets:
                    found[secret.digest] = Known(principal, entry.until(secret))
        return found

    def _principal(self, entry: Entry) -> Principal | None:
        """Return who presents a key; None where nobody may, which is told unless it was meant."""
        assert isinstance(entry.terms, KeyTerms)  # noqa: S101 - what keys have
        if entry.name in self.configured.keys:
            self._lost.append(f"`{entry.name}`: the configuration has a key of this name")
            return None
        try:
            return self._named.principal(entry.name, entry.terms)
        except EntitlementError as error:
            self._lost.append(f"`{entry.name}`: {error}")
            return None

    def _tell_lost(self) -> None:
        if self._lost:
            said = "; ".join(self._lost[:_NAMED])
            _log.warning("%d keys of the register are not taken: %s", len(self._lost), said)
            self._lost.clear()


def entitled(entries: Iterable[Entry]) -> Entitlements:
    """Return the plans, projects and organisations among entries."""
    plans: dict[str, PlanTerms] = {}
    projects: dict[str, ProjectTerms] = {}
    organisations: dict[str, OrganisationTerms] = {}
    closed: set[str] = set()
    for entry in entries:
        match entry.terms:
            case PlanTerms() as plan if entry.state is State.ACTIVE:
                plans[entry.name] = plan
            case ProjectTerms() as project:
                projects[entry.name] = project
            case OrganisationTerms() as organisation:
                organisations[entry.name] = organisation
            case _:
                continue
        if entry.state is not State.ACTIVE:
            closed.add(f"{entry.kind.value}:{entry.name}")
    return Entitlements(plans, projects, organisations, frozenset(closed))


def actor_of(entry: Entry, secret: Secret) -> Actor:
    """Return who presents a secret of an administrator."""
    assert isinstance(entry.terms, AdminTerms)  # noqa: S101 - what administrators have
    said = entry.terms
    until = entry.until(secret)
    return Actor(entry.name, frozenset(said.capabilities), said.organisation, until)
