"""What the register holds: plans, organisations, projects, keys and administrators."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from infway.accounts.terms import (
    AdminTerms,
    AnyTerms,
    KeyTerms,
    OrganisationTerms,
    PlanTerms,
    ProjectTerms,
)


class Kind(StrEnum):
    """What an entry is."""

    PLAN = "plan"
    ORGANISATION = "organisation"
    PROJECT = "project"
    KEY = "key"
    ADMIN = "admin"


class State(StrEnum):
    """How an entry stands. What is revoked or removed never comes back, nor does its name."""

    ACTIVE = "active"
    DISABLED = "disabled"
    REVOKED = "revoked"


# What is active may be refused all the same
EXPIRED = "expired"
BLOCKED = "blocked"  # with the reason: what it belongs to is disabled, or gone


class Source(StrEnum):
    """Where an entry stands; what is in the configuration is changed there and nowhere else."""

    CONFIGURATION = "configuration"
    DATABASE = "database"


CONFIGURED = ":"  # before names of the configuration, where lists go on; no name begins so
TERMS: dict[Kind, type[AnyTerms]] = {
    Kind.PLAN: PlanTerms,
    Kind.ORGANISATION: OrganisationTerms,
    Kind.PROJECT: ProjectTerms,
    Kind.KEY: KeyTerms,
    Kind.ADMIN: AdminTerms,
}
PRESENTED = frozenset({Kind.KEY, Kind.ADMIN})  # those with secrets


class Secret(NamedTuple):
    """The digest of one secret of a key, and until when it is taken (Unix seconds)."""

    digest: bytes
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. Times in Unix seconds.

    `organisation`: whose it is, empty where it is nobody's. `secrets`: of a key or an
    administrator, the newest first. `version`: when it changed last, in changes of the register.
    What is in the configuration has no id, and nobody knows when it was made. `reason`: why it is
    refused although it is active, where that was looked at.
    """

    kind: Kind
    id: str
    name: str
    organisation: str
    state: State
    terms: AnyTerms
    created: float | None
    expires: float | None = None
    secrets: tuple[Secret, ...] = ()
    version: int = 0
    source: Source = Source.DATABASE
    reason: str | None = None

    @property
    def place(self) -> str:
        """Where it stands in a list of its kind: what comes behind it is asked for with this."""
        return CONFIGURED + self.name if self.source is Source.CONFIGURATION else self.name

    def until(self, secret: Secret) -> float | None:
        """Return when one of its secrets ends, with the whole entry or before."""
        ends = [end for end in (secret.until, self.expires) if end is not None]
        return min(ends, default=None)

    def view(self, now: float) -> dict[str, object]:
        """Return what people and the admin API see of it: everything but digests and secrets."""
        state = self._state(now)
        shown: dict[str, object] = {
            "id": self.id or None,
            "name": self.name,
            "source": self.source.value,
            "state": state,
            **({"reason": self.reason} if state == BLOCKED else {}),
            "created_at": iso(self.created),
        }
        if self.kind in PRESENTED:
            shown["expires_at"] = iso(self.expires)
            older = [one.until for one in self.secrets[1:] if one.until and one.until > now]
            shown["rotated_until"] = iso(max(older, default=None))
        return {**shown, **self.terms.model_dump(mode="json", exclude={"name", "key"})}

    def _state(self, now: float) -> str:
        if self.state is not State.ACTIVE:
            return self.state.value
        if self.expires is not None and now >= self.expires:
            return EXPIRED
        return BLOCKED if self.reason else State.ACTIVE.value


def iso(at: float | None) -> str | None:
    """Return a moment as ISO 8601 has it, in UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
