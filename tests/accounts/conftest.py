"""An office over a real database of either kind, and a clock that a test sets."""

import secrets
from dataclasses import dataclass, field

import pytest

from infway.accounts.capabilities import Actor
from infway.accounts.configured import Configured
from infway.accounts.digests import Digests
from infway.accounts.entitlement import Entitlements
from infway.accounts.entries import Kind
from infway.accounts.office import Office, Tools
from infway.accounts.register import Register
from infway.accounts.roster import Roster
from infway.accounts.terms import KeyTerms, OrganisationTerms, PlanTerms, ProjectTerms
from infway.database import Database

PEPPER = Digests(b"a pepper for tests")
ROOT = Actor("root")


@dataclass
class Desk:
    """An office and what it works with. `at`: what the clock says, Unix seconds."""

    database: Database
    at: float = 1_800_000_000.0
    configured: Configured = field(default_factory=Configured)

    def __post_init__(self) -> None:
        self.register = Register(self.database, PEPPER.mark)
        tools = Tools(PEPPER, lambda: self.at, secrets.randbelow)
        self.office = Office(self.register, lambda: self.configured, tools)

    def roster(self) -> Roster:
        """Return what another process knows, which has looked once."""
        roster = Roster(self.register, self.configured, lambda: self.at, 10.0)
        roster.refresh()
        return roster

    def key(self, name: str, actor: Actor = ROOT, **said: object):
        """Mint a key."""
        return self.office.create(actor, Kind.KEY, name, KeyTerms.model_validate(said))

    def project(self, name: str, organisation: str | None = None, **said: object):
        """Make a project."""
        terms = ProjectTerms.model_validate({"organisation": organisation, **said})
        return self.office.create(ROOT, Kind.PROJECT, name, terms)

    def organisation(self, name: str, **said: object):
        """Make an organisation."""
        terms = OrganisationTerms.model_validate(said)
        return self.office.create(ROOT, Kind.ORGANISATION, name, terms)

    def plan(self, name: str, **said: object):
        """Make a plan."""
        return self.office.create(ROOT, Kind.PLAN, name, PlanTerms.model_validate(said))


@pytest.fixture
def desk(database: Database) -> Desk:
    """An office with an empty register, beside a configuration that names a few things."""
    named = Entitlements(
        plans={"free": PlanTerms(requests_per_minute=20, models=("m1", "m2"))},
        projects={"chat": ProjectTerms(organisation="acme", plan="free")},
        organisations={"acme": OrganisationTerms()},
    )
    return Desk(database, configured=Configured(named, {"team": KeyTerms()}))
