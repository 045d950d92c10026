"""What the configuration names: entries like those of the register, which only the file changes."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from infway.accounts.checking import organisation_of
from infway.accounts.entitlement import Entitlements
from infway.accounts.entries import Entry, Kind, Source, State
from infway.accounts.terms import AnyTerms, KeyTerms


class Configured(NamedTuple):
    """What the configuration names. `keys`: those whose names no other key may have."""

    entitlements: Entitlements = Entitlements({}, {}, {})
    keys: Mapping[str, KeyTerms] = MappingProxyType({})

    def entry(self, kind: Kind, name: str) -> Entry | None:
        """Return what the configuration has of this name."""
        terms = self._named(kind).get(name)
        return None if terms is None else self._entry(kind, name, terms)

    def entries(self, kind: Kind, organisation: str | None, after: str, count: int) -> list[Entry]:
        """Return those of a kind, or of one organisation among them, behind a name; by name."""
        names = sorted(name for name in self._named(kind) if name > after)
        found = [self._entry(kind, name, self._named(kind)[name]) for name in names]
        return [one for one in found if organisation in (None, one.organisation)][:count]

    def _named(self, kind: Kind) -> Mapping[str, AnyTerms]:
        match kind:
            case Kind.PLAN:
                return self.entitlements.plans
            case Kind.ORGANISATION:
                return self.entitlements.organisations
            case Kind.PROJECT:
                return self.entitlements.projects
            case Kind.KEY:
                return self.keys
            case Kind.ADMIN:  # the one of `admin.key` has neither terms nor an end
                return {}

    def _entry(self, kind: Kind, name: str, terms: AnyTerms) -> Entry:
        entry = Entry(kind, "", name, "", State.ACTIVE, terms, None, source=Source.CONFIGURATION)
        return replace(entry, organisation=organisation_of(entry, self.entitlements))
