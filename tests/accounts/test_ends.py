"""An admin key that ends grants nothing that goes on: nobody holds for longer through it."""

from functools import partial

import pytest
from tests.accounts.conftest import PEPPER, ROOT, Desk

from infway.accounts.capabilities import EVERYTHING, Actor, Capability
from infway.accounts.entries import Kind
from infway.accounts.terms import AdminTerms
from infway.kernel.errors import CallerError

DAY = 86_400.0
ADMIN = Kind.ADMIN
TERMS = AdminTerms(capabilities=(Capability.ADMINS_WRITE, Capability.KEYS_READ))


def refused(verb, path: str = "expires_at") -> str:
    with pytest.raises(CallerError) as caught:
        verb()
    said = caught.value
    assert (said.status, said.code, said.param) == (403, "permission_denied", path)
    return said.message


def known(desk: Desk, secret: str) -> Actor:
    """Return who presents a secret, to a process that looks now."""
    return desk.roster().admins[PEPPER.of(secret.encode())]


@pytest.fixture
def bea(desk: Desk) -> Actor:
    """An administrator whose key ends tomorrow, beside two others: one that stays, one that does not."""
    desk.office.create(ROOT, ADMIN, "stays", TERMS)
    desk.office.create(ROOT, ADMIN, "ends", TERMS, desk.at + DAY / 2)
    made = desk.office.create(ROOT, ADMIN, "bea", TERMS, desk.at + DAY)
    return known(desk, made.secret)


@pytest.mark.parametrize("later", [None, DAY + 1, 400 * DAY])
def test_a_key_that_ends_mints_none_that_ends_later_or_never(
    desk: Desk, bea: Actor, later: float | None
) -> None:
    end = None if later is None else desk.at + later
    told = refused(lambda: desk.office.create(bea, ADMIN, "more", TERMS, end))
    assert told == (
        "expires_at: it would go on after 2027-01-16T08:00:00+00:00, when this key ends itself."
    )
    for name in ("bea", "ends"):
        refused(partial(desk.office.expire, bea, ADMIN, name, end))
    assert desk.office.show(ROOT, ADMIN, "bea").expires == desk.at + DAY


def test_what_it_mints_may_end_with_it_or_before(desk: Desk, bea: Actor) -> None:
    for name, end in (("with", DAY), ("before", 60.0)):
        assert desk.office.create(bea, ADMIN, name, TERMS, desk.at + end).secret
    desk.office.expire(bea, ADMIN, "before", desk.at + DAY)
    desk.office.rotate(bea, ADMIN, "ends", 60.0)
    desk.office.expire(bea, ADMIN, "bea", desk.at + 60.0)


def test_it_touches_none_that_goes_on_when_it_has_ended(desk: Desk, bea: Actor) -> None:
    office = desk.office
    before = office.show(ROOT, ADMIN, "stays")
    for verb in (
        lambda: office.rotate(bea, ADMIN, "stays", 0.0),
        lambda: office.enable(bea, ADMIN, "stays"),
        lambda: office.disable(bea, ADMIN, "stays"),
        lambda: office.revoke(bea, ADMIN, "stays"),
        lambda: office.expire(bea, ADMIN, "stays", desk.at + 60.0),
        lambda: office.edit(bea, ADMIN, "stays", {"capabilities": ["keys:read"]}),
    ):
        refused(verb)
    assert office.show(ROOT, ADMIN, "stays") == before


def test_an_old_secret_makes_no_new_one_that_outlives_it(desk: Desk) -> None:
    old = desk.office.create(ROOT, ADMIN, "carl", TERMS)
    new = desk.office.rotate(ROOT, ADMIN, "carl", 60.0)
    holder = known(desk, old.secret)
    assert holder.until == desk.at + 60.0
    refused(lambda: desk.office.rotate(holder, ADMIN, "carl", 30 * DAY))
    refused(lambda: desk.office.create(holder, ADMIN, "more", TERMS))
    assert desk.office.rotate(known(desk, new.secret), ADMIN, "carl", 0.0).secret


def test_the_keys_of_callers_that_it_makes_may_stay(desk: Desk) -> None:
    who = Actor("temporary", EVERYTHING, None, desk.at + DAY)
    made = desk.key("anna", who)
    assert made.entry.expires is None
    assert desk.office.expire(who, Kind.KEY, "anna", desk.at + 9 * DAY).expires == desk.at + 9 * DAY
