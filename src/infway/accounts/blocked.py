"""Why an entry that is active itself holds nothing: what it belongs to is gone, or disabled."""

from infway.accounts.configured import Configured
from infway.accounts.entitlement import Entitlements
from infway.accounts.entries import Entry, Kind, Source
from infway.accounts.terms import HolderTerms, KeyTerms, ProjectTerms
from infway.kernel.errors import CallerError


def why_blocked(entry: Entry, configured: Configured, there: Entitlements) -> str | None:
    """Return the reason, if there is one. `there`: all that entries may speak of."""
    if entry.source is Source.CONFIGURATION or not isinstance(entry.terms, HolderTerms):
        return None
    if entry.kind is Kind.KEY and entry.name in configured.keys:
        return "the configuration has a key of this name"
    return _lacking(entry.terms, there)


def check_open(entry: Entry, before: Entry | None, there: Entitlements) -> None:
    """Raise CallerError 409 where something new would be refused at once, by what it belongs to.

    `before`: how it was, where there is one; it may stay where it is.
    """
    above = _above(entry)
    if above is None or (before is not None and _above(before) == above):
        return
    kind, name = above
    within = there.projects.get(name) if kind == "project" else there.organisations.get(name)
    why = _closed(kind, name, there) or (
        within and _lacking(within, there, f" of the {kind} `{name}`")
    )
    if why:
        message = f"{why[0].upper()}{why[1:]}: the {entry.kind.value} would be refused."
        raise CallerError(409, "conflict", message, kind)


def _above(entry: Entry) -> tuple[str, str] | None:
    said = entry.terms
    if isinstance(said, KeyTerms) and said.project is not None:
        return "project", said.project
    if isinstance(said, ProjectTerms) and said.organisation is not None:
        return "organisation", said.organisation
    return None


def _lacking(terms: HolderTerms, there: Entitlements, whose: str = "") -> str | None:
    """Return what is missing of what terms speak of, the nearest first. `whose`: the terms are."""
    for kind, named in (
        ("plan", there.plans),
        ("project", there.projects),
        ("organisation", there.organisations),
    ):
        name: str | None = getattr(terms, kind, None)
        if name is None:
            continue
        found = named.get(name)
        if found is None:
            return f"there is no {kind} `{name}`{whose and f', the {kind}{whose}'}"
        why = _closed(kind, name, there)
        if why is None and isinstance(found, HolderTerms):
            why = _lacking(found, there, f" of the {kind} `{name}`")
        if why is not None:
            return why
    return None


def _closed(kind: str, name: str, there: Entitlements) -> str | None:
    is_closed = f"{kind}:{name}" in there.closed
    return f"the {kind} `{name}` is disabled" if is_closed else None
