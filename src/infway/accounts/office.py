"""Where keys are made and changed: the verbs of the command line and of the admin API, and who may.

Nobody grants what they do not hold, and nobody changes what holds more than they do. Whoever is
limited to an organisation sees nothing of others, not even that it is there.
"""

from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

from infway.accounts import grants
from infway.accounts.allowances import HOLDERS, allowances_of
from infway.accounts.blocked import check_open, why_blocked
from infway.accounts.capabilities import Actor, Capability
from infway.accounts.checking import (
    changed_terms,
    check_moment,
    check_name,
    check_names,
    organisation_of,
)
from infway.accounts.configured import Configured
from infway.accounts.digests import Digests
from infway.accounts.entitlement import Entitlements
from infway.accounts.entries import CONFIGURED, PRESENTED, Entry, Kind, Secret, State
from infway.accounts.register import Change, Note, Register
from infway.accounts.roster import entitled
from infway.accounts.spelling import ADMIN_PREFIX, PREFIX, Below, new_id, new_key
from infway.accounts.terms import AnyTerms, KeyTerms
from infway.accounts.wording import wrong
from infway.kernel.account import Allowance
from infway.kernel.errors import CallerError

LONGEST_OVERLAP = 30 * 86_400.0  # seconds that a rotated key may go on
MOST_SECRETS = 4  # of one key, the newest and older ones that are still taken
FIRST_ADMIN = "admin.key"  # what the audit calls whoever presents the key of the configuration
Entries = list[Entry]
Notes = list[Note]
Warnings = list[str]
Allowances = list[Allowance]
_SPOKEN_OF = (Kind.PLAN, Kind.PROJECT, Kind.ORGANISATION)  # in terms
_PREFIXES: Mapping[Kind, str] = {Kind.KEY: PREFIX, Kind.ADMIN: ADMIN_PREFIX}


class Minted(NamedTuple):
    """A key that was made just now: the only time that its secret is seen."""

    entry: Entry
    secret: str


class Tools(NamedTuple):
    """What an office works with. `wall`: Unix time. `below`: randomness fit for secrets."""

    digests: Digests
    wall: Callable[[], float]
    below: Below


class Office:
    """The verbs. Everything raises CallerError and DatabaseError, and changes nothing then."""

    def __init__(
        self, register: Register, configured: Callable[[], Configured], tools: Tools
    ) -> None:
        self._register = register
        self._configured = configured
        self._tools = tools

    def list(self, actor: Actor, kind: Kind, after: str = "", count: int = 2**31) -> Entries:
        """Return those of a kind that are theirs: the configuration's, then the others, by name.

        Plans are everybody's. `after`: the place of the last that is known already.
        """
        grants.check_may(actor, grants.READS[kind])
        whose = None if kind is Kind.PLAN else actor.organisation
        found: Entries = []
        if not after or after.startswith(CONFIGURED):
            name, after = after.removeprefix(CONFIGURED), ""
            found = self._configured().entries(kind, whose, name, count)
        made = self._register.entries(kind, whose, after, count - len(found))
        there = self._there(lambda kind: self._register.entries(kind, None))
        return [*found, *(self._told(one, there) for one in made)]

    def show(self, actor: Actor, kind: Kind, ref: str) -> Entry:
        """Return one entry, by its id or its name; of two with one name, the configuration's."""
        grants.check_may(actor, grants.READS[kind])
        found = self._configured().entry(kind, ref) or self._register.entry(kind, ref)
        there = self._there(lambda kind: self._register.entries(kind, None))
        return self._told(grants.theirs(actor, kind, self._placed(found)), there)

    def create(
        self,
        actor: Actor,
        kind: Kind,
        name: str | None,
        terms: AnyTerms,
        expires: float | None = None,
    ) -> Minted:
        """Make an entry; a key without a name is called as its id. Only keys have a secret."""
        tools = self._tools
        with self._change(actor, kind) as change:
            id_ = new_id(tools.below)
            name = id_ if name is None else name
            check_name(name)
            self._check_free(change, kind, name)
            check_moment(expires)
            if expires is not None and expires <= change.at:
                raise wrong("expires_at", "is over already.")
            made = Entry(kind, id_, name, "", State.ACTIVE, terms, change.at, expires)
            entry = self._checked(change, made)
            if kind not in PRESENTED:
                return Minted(self._put(change, "create", None, entry), "")
            secret = new_key(tools.below, id_, _PREFIXES[kind])
            secrets = (Secret(tools.digests.of(secret.encode())),)
            return Minted(self._put(change, "mint", None, replace(entry, secrets=secrets)), secret)

    def edit(
        self,
        actor: Actor,
        kind: Kind,
        ref: str,
        said: Mapping[str, object],
        cleared: Collection[str] = (),
    ) -> Entry:
        """Change what is said of an entry, and nothing else; `cleared` fields have their defaults.

        A budget that is said without its alerts keeps those of the same time.
        """
        with self._change(actor, kind) as change:
            before = self._held(change, kind, ref)
            terms = changed_terms(kind, before.terms, said, cleared)
            after = self._checked(change, replace(before, terms=terms), before)
            if kind is Kind.PROJECT and after.organisation != before.organisation:
                message = "organisation: a project stays with its organisation."
                raise CallerError(400, "invalid_field", message, "organisation")
            return self._put(change, "edit", before, after)

    def rotate(self, actor: Actor, kind: Kind, ref: str, overlap: float) -> Minted:
        """Make a new secret; the old ones are taken for `overlap` more seconds."""
        tools = self._tools
        with self._change(actor, kind) as change:
            before = self._held(change, kind, ref)
            at = change.at
            secret = new_key(tools.below, before.id, _PREFIXES[kind])
            end = at + overlap
            older = [
                Secret(one.digest, end if one.until is None else min(one.until, end))
                for one in before.secrets
            ]
            kept = [one for one in older if one.until is not None and one.until > at]
            secrets = (Secret(tools.digests.of(secret.encode())), *kept[: MOST_SECRETS - 1])
            return Minted(
                self._put(change, "rotate", before, replace(before, secrets=secrets)), secret
            )

    def expire(self, actor: Actor, kind: Kind, ref: str, at: float | None) -> Entry:
        """Let a key end at a moment (Unix seconds), which may be over; None: never."""
        check_moment(at)
        with self._change(actor, kind) as change:
            before = self._held(change, kind, ref)
            after = replace(before, expires=at)
            grants.check_within(change.actor, after)
            return self._put(change, "expire", before, after)

    def enable(self, actor: Actor, kind: Kind, ref: str) -> Entry:
        """Let an entry hold again that was disabled."""
        with self._change(actor, kind) as change:
            before = self._held(change, kind, ref)
            return self._put(change, "enable", before, replace(before, state=State.ACTIVE))

    def disable(self, actor: Actor, kind: Kind, ref: str) -> Entry:
        """Let an entry hold no more until it is enabled."""
        with self._change(actor, kind) as change:
            before = self._held(change, kind, ref)
            return self._put(change, "disable", before, replace(before, state=State.DISABLED))

    def revoke(self, actor: Actor, kind: Kind, ref: str) -> Entry:
        """End a key for good; its name is not free again, for the ledger speaks of it."""
        with self._change(actor, kind) as change:
            before = self._own(change, kind, ref)
            return self._put(
                change, "revoke", before, replace(before, state=State.REVOKED, secrets=())
            )

    def remove_plan(self, actor: Actor, ref: str) -> Entry:
        """Take a plan away that nothing of the register has."""
        with self._change(actor, Kind.PLAN) as change:
            before = self._held(change, Kind.PLAN, ref)
            for kind in (Kind.KEY, Kind.PROJECT, Kind.ORGANISATION):
                for one in change.all(kind):
                    if one.state is not State.REVOKED and grants.plan_of(one) == before.name:
                        message = f"The {kind.value} `{one.name}` has this plan."
                        raise CallerError(409, "conflict", message)
            return self._put(change, "remove", before, replace(before, state=State.REVOKED))

    def warnings(self, entry: Entry) -> Warnings:
        """Return a sentence for each name in an entry that leads nowhere now."""
        offered = self._configured().offered
        return [] if offered is None else offered.missing(entry.terms)

    def audit(self, actor: Actor, before: int | None, count: int) -> Notes:
        """Return the newest changes, of their organisation where they are limited to one."""
        grants.check_may(actor, Capability.AUDIT_READ)
        return self._register.notes(actor.organisation, before, count)

    def allowances(self, actor: Actor) -> Allowances:
        """Return all budgets that are theirs, those of the configuration as well."""
        grants.check_may(actor, Capability.USAGE_READ)
        whose = actor.organisation
        entries = [one for kind in HOLDERS for one in self._register.entries(kind, whose)]
        return allowances_of(self._configured(), entries, whose)

    @contextmanager
    def _change(self, actor: Actor, kind: Kind) -> Generator[Change, None, None]:
        grants.check_may(actor, grants.WRITES[kind])
        with self._register.change(actor, self._tools.wall()) as change:
            yield change

    def _held(self, change: Change, kind: Kind, ref: str) -> Entry:
        """Return an entry that is about to change, and may be."""
        entry = self._own(change, kind, ref)
        grants.check_alive(entry)
        return entry

    def _own(self, change: Change, kind: Kind, ref: str) -> Entry:
        """Return an entry of the register that is somebody's own, whether it has ended or not."""
        found = self._configured().entry(kind, ref) or change.entry(kind, ref)
        entry = grants.theirs(change.actor, kind, self._placed(found))
        grants.check_registered(entry)
        grants.check_within(change.actor, entry)
        return entry

    def _placed(self, entry: Entry | None) -> Entry | None:
        """Return an entry with the organisation that it has by now: the configuration moves projects."""
        there = self._configured().entitlements
        if entry is None or not isinstance(entry.terms, KeyTerms):
            return entry
        if entry.terms.project not in there.projects:
            return entry
        return replace(entry, organisation=organisation_of(entry, there))

    def _put(self, change: Change, verb: str, before: Entry | None, after: Entry) -> Entry:
        """Keep an entry as it is now; return it with why it is refused, if it is."""
        return self._told(change.put(verb, before, after), self._there(change.all))

    def _told(self, entry: Entry, there: Entitlements) -> Entry:
        return replace(entry, reason=why_blocked(entry, self._configured(), there))

    def _there(self, entries: Callable[[Kind], Entries]) -> Entitlements:
        """Return all that entries may speak of. `entries`: those of a kind."""
        known = entitled(one for kind in _SPOKEN_OF for one in entries(kind))
        return self._configured().entitlements.beside(known)

    def _checked(self, change: Change, entry: Entry, before: Entry | None = None) -> Entry:
        """Return an entry with its organisation, if everything that it speaks of is there."""
        there = self._there(change.all)
        check_names(change.actor, entry.terms, there)
        check_open(entry, before, there)
        entry = replace(entry, organisation=organisation_of(entry, there))
        grants.check_within(change.actor, entry)
        return entry

    def _check_free(self, change: Change, kind: Kind, name: str) -> None:
        is_first = kind is Kind.ADMIN and name == FIRST_ADMIN
        is_configured = is_first or self._configured().entry(kind, name) is not None
        if is_configured or change.named(kind, name):
            message = f"name: another {kind.value} has this name, or had it."
            raise CallerError(409, "conflict", message, "name")
