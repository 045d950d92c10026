"""Who may do what to which entry: nobody reaches above what they hold themselves."""

from collections.abc import Mapping

from infway.accounts.capabilities import EVERYWHERE, Actor, Capability
from infway.accounts.entries import Entry, Kind, Source, State, iso
from infway.accounts.terms import AdminTerms, HolderTerms, KeyTerms
from infway.kernel.errors import CallerError

READS: Mapping[Kind, Capability] = {
    Kind.PLAN: Capability.KEYS_READ,
    Kind.ORGANISATION: Capability.KEYS_READ,
    Kind.PROJECT: Capability.KEYS_READ,
    Kind.KEY: Capability.KEYS_READ,
    Kind.ADMIN: Capability.ADMINS_READ,
}
WRITES: Mapping[Kind, Capability] = {
    Kind.PLAN: Capability.PLANS_WRITE,
    Kind.ORGANISATION: Capability.ORGANISATIONS_WRITE,
    Kind.PROJECT: Capability.PROJECTS_WRITE,
    Kind.KEY: Capability.KEYS_WRITE,
    Kind.ADMIN: Capability.ADMINS_WRITE,
}


def check_may(actor: Actor, capability: Capability) -> None:
    """Raise CallerError 403 where somebody has no such capability."""
    if capability not in actor.capabilities:
        message = f"This key has no capability `{capability.value}`."
        raise CallerError(403, "permission_denied", message)


def theirs(actor: Actor, kind: Kind, entry: Entry | None) -> Entry:
    """Return an entry that is somebody's own; raises CallerError 404 for all others alike."""
    is_own = actor.organisation is None or kind is Kind.PLAN
    if entry is None or not (is_own or entry.organisation == actor.organisation):
        raise CallerError(404, f"{kind.value}_not_found", f"There is no such {kind.value}.")
    return entry


def check_within(actor: Actor, entry: Entry) -> None:
    """Raise CallerError 403 where an entry holds more than somebody who makes or changes it."""
    said = entry.terms
    if actor.organisation is not None and entry.organisation != actor.organisation:
        message = f"This key acts for the organisation `{actor.organisation}` alone."
        raise CallerError(403, "permission_denied", message)
    if isinstance(said, AdminTerms):
        _check_admin(actor, said)
        _check_end(actor, entry.expires)
    if isinstance(said, KeyTerms) and said.unpriced and actor.organisation is not None:
        message = "unpriced: what has no price counts in no budget of the organisation."
        raise CallerError(403, "permission_denied", message, "unpriced")


def _check_admin(actor: Actor, said: AdminTerms) -> None:
    beyond = sorted(set(said.capabilities) - actor.capabilities)
    if beyond:
        message = f"capabilities: this key has no `{beyond[0]}` itself."
        raise CallerError(403, "permission_denied", message, "capabilities")
    everywhere = sorted(set(said.capabilities) & EVERYWHERE)
    if said.organisation is not None and everywhere:
        message = f"capabilities: `{everywhere[0]}` concerns all organisations."
        raise CallerError(400, "invalid_field", message, "capabilities")


def _check_end(actor: Actor, end: float | None) -> None:
    """Whoever lasts longer holds more, whatever it is that they hold."""
    if actor.until is not None and (end is None or end > actor.until):
        message = f"expires_at: it would go on after {iso(actor.until)}, when this key ends itself."
        raise CallerError(403, "permission_denied", message, "expires_at")


def check_alive(entry: Entry) -> None:
    """Raise CallerError 409 where an entry has ended for good."""
    if entry.state is State.REVOKED:
        raise CallerError(409, "conflict", f"The {entry.kind.value} has ended for good.")


def check_registered(entry: Entry) -> None:
    """Raise CallerError 409 where an entry is the configuration's, which nobody changes from here."""
    if entry.source is Source.CONFIGURATION:
        message = (
            f"The {entry.kind.value} `{entry.name}` stands in the configuration: change it there."
        )
        raise CallerError(409, "conflict", message)


def plan_of(entry: Entry) -> str | None:
    """Return the plan that an entry has, if any."""
    return entry.terms.plan if isinstance(entry.terms, HolderTerms) else None
