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


def changed_terms(
    kind: Kind, before: AnyTerms, said: Mapping[str, object], cleared: Collection[str]
) -> AnyTerms:
    """Return terms after a change; raises CallerError. `cleared` fields have their defaults.

    A budget that is said without its alerts keeps those of the same time.
    """
    for name in cleared:
        if name not in TERMS[kind].model_fields:
            raise wrong("clear", f"a {kind.value} has no field `{name}`.")
    known = before.model_dump(exclude_unset=True, exclude=set(cleared))
    terms = checked_terms(kind, {**known, **said})
    if not isinstance(before, HolderTerms) or not isinstance(terms, HolderTerms):
        return terms
    kept = {} if "budgets" in cleared else _alerts(before.budgets)
    told = {**kept, **_alerts(terms.budgets)}
    budgets = tuple(
        one.model_copy(update={"alerts": told[one.per]}) if one.per in told else one
        for one in terms.budgets
    )
    return terms.model_copy(update={"budgets": budgets}) if told else terms


def _alerts(budgets: Collection[BudgetTerms]) -> dict[str, tuple[float, ...]]:
    """Return the alerts that were said, by the time of their budget."""
    return {one.per: one.alerts for one in budgets if "alerts" in one.model_fields_set}


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
