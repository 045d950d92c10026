"""What is said of an entry, against what there is: names that exist, periods that are there once."""

import re
from collections.abc import Collection, Mapping

from pydantic import ValidationError

from infway.accounts.capabilities import Actor
from infway.accounts.entitlement import Entitlements
from infway.accounts.entries import TERMS, Entry, Kind
from infway.accounts.terms import (
    NAME,
    AdminTerms,
    AnyTerms,
    BudgetTerms,
    HolderTerms,
    KeyTerms,
    ProjectTerms,
)
from infway.accounts.wording import BEYOND, NAMES, fault_of, wrong

_LONGEST = 64  # letters of a name
_LAST = 253_402_300_800  # Unix seconds; where the year 10000 begins, which no date can say


def checked_terms(kind: Kind, said: Mapping[str, object]) -> AnyTerms:
    """Return terms of a kind; raises CallerError with the path of the field that is wrong."""
    try:
        read: AnyTerms = TERMS[kind].model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise fault_of(first, first["loc"]) from error
    return read


def organisation_of(entry: Entry, there: Entitlements) -> str:
    """Return whose an entry is, empty where it is nobody's."""
    said = entry.terms
    if entry.kind is Kind.ORGANISATION:
        return entry.name
    if isinstance(said, KeyTerms):
        return there.organisation_of(said.project) or ""
    return said.organisation or "" if isinstance(said, ProjectTerms | AdminTerms) else ""


def check_names(actor: Actor, said: AnyTerms, there: Entitlements) -> None:
    """Raise CallerError where terms speak of what is not there, or is none of somebody's own."""
    if isinstance(said, HolderTerms):
        _check("plan", said.plan, there.plans)
        _check_budgets(said.budgets)
    organisations: Collection[str] = there.organisations
    if actor.organisation is not None:
        organisations = (actor.organisation,)
    if isinstance(said, ProjectTerms | AdminTerms):
        _check("organisation", said.organisation, organisations)
    if isinstance(said, KeyTerms):
        own = [
            name
            for name, project in there.projects.items()
            if actor.organisation is None or project.organisation == actor.organisation
        ]
        _check("project", said.project, own)


def _check(field: str, name: str | None, there: Collection[str]) -> None:
    if name is not None and name not in there:
        raise wrong(field, f"there is no {field} `{name}`.")


def _check_budgets(said: Collection[BudgetTerms]) -> None:
    seen: set[str] = set()
    for place, one in enumerate(said):
        if one.per in seen:
            raise wrong(f"budgets[{place}].per", "there is another budget for this time.")
        seen.add(one.per)


def check_name(name: str) -> None:
    """Raise CallerError unless a name is one that paths, tables and files can have."""
    if len(name) > _LONGEST or not re.fullmatch(NAME, name):
        raise wrong("name", NAMES)


def check_moment(at: float | None) -> None:
    """Raise CallerError where a moment (Unix seconds) is beyond the calendar."""
    if at is not None and at >= _LAST:
        raise wrong("expires_at", BEYOND)
    if at is not None and not at >= 0:
        raise wrong("expires_at", "must not be before 1970.")
