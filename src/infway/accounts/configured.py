"""What the configuration names: entries like those of the register, which only the file changes."""

from collections.abc import Container, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from infway.accounts.checking import organisation_of
from infway.accounts.entitlement import Entitlements
from infway.accounts.entries import Entry, Kind, Source, State
from infway.accounts.terms import AnyTerms, KeyTerms, PlanTerms


class Offered(NamedTuple):
    """The names of models, by which they may be asked for, and of upstreams."""

    models: Container[str]
    upstreams: Container[str]

    def missing(self, terms: AnyTerms) -> list[str]:
        """Return a sentence for each name in terms that leads nowhere now; it may do so later."""
        models = terms.models if isinstance(terms, KeyTerms | PlanTerms) else None
        upstreams = terms.upstreams if isinstance(terms, KeyTerms) else None
        return [
            *(
                f"models: no upstream offers `{name}` now."
                for name in models or ()
                if name not in self.models and name.rpartition(":")[0] not in self.models
            ),
            *(
                f"upstreams: there is no upstream `{name}` now."
                for name in upstreams or ()
                if name not in self.upstreams
            ),
        ]


class Configured(NamedTuple):
    """What the configuration names. `keys`: those whose names no other key may have.

    `offered`: what there is to be used, where that is known.
    """

    entitlements: Entitlements = Entitlements({}, {}, {})
    keys: Mapping[str, KeyTerms] = MappingProxyType({})
    offered: Offered | None = None

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
