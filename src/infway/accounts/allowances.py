"""All budgets that there are: of keys, projects and organisations, configured or made since."""

from collections.abc import Iterable, Iterator

from infway.accounts.configured import Configured
from infway.accounts.entitlement import Entitlements, budgets_of
from infway.accounts.entries import Entry, Kind, State
from infway.accounts.roster import entitled
from infway.accounts.terms import HolderTerms, KeyTerms
from infway.kernel.account import Allowance

HOLDERS = (Kind.ORGANISATION, Kind.PROJECT, Kind.KEY)
"""Those that may have budgets, the largest first."""


def allowances_of(
    configured: Configured, entries: Iterable[Entry], organisation: str | None
) -> list[Allowance]:
    """Return the budgets of those who have not ended, by kind and name.

    Of two with one name, that of the configuration counts. `organisation`: only what is its own.
    """
    alive = [one for one in entries if one.state is not State.REVOKED]
    keys = {one.name: one.terms for one in alive if isinstance(one.terms, KeyTerms)}
    named = configured.entitlements.beside(entitled(alive))
    found = _of(named, {**keys, **configured.keys})
    return [one for one in found if organisation is None or one.organisation == organisation]


def _of(named: Entitlements, keys: dict[str, KeyTerms]) -> Iterator[Allowance]:
    for name, terms in sorted(named.organisations.items()):
        yield from _each(f"organisation:{name}", name, terms)
    for name, project in sorted(named.projects.items()):
        yield from _each(f"project:{name}", project.organisation or "", project)
    for name, key in sorted(keys.items()):
        yield from _each(f"key:{name}", named.organisation_of(key.project) or "", key)


def _each(holder: str, organisation: str, terms: HolderTerms) -> Iterator[Allowance]:
    for budget in budgets_of(terms):
        yield Allowance(holder, organisation, budget)
