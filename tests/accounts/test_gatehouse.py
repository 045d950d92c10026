"""What a process knows of keys: fresh while the database is there, and kept while it is not."""

import asyncio
import logging
import secrets
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import pytest
from tests.accounts.conftest import PEPPER, ROOT, Desk

from infway.accounts.capabilities import Capability
from infway.accounts.configured import Configured
from infway.accounts.digests import Digests
from infway.accounts.entries import Kind
from infway.accounts.gatehouse import Custom, Gatehouse
from infway.accounts.keys import Key, Keyring
from infway.accounts.spelling import new_key
from infway.accounts.terms import AdminTerms, KeyTerms
from infway.database import Database, DatabaseError, Rows, Step, Value, Work
from infway.kernel.chat import Principal
from infway.kernel.clock import Clock

FIRST = "the-first-administrators-own-secret"


@dataclass
class Line(Database):
    """A database behind a line that a test cuts."""

    behind: Database
    is_cut: bool = False
    questions: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.behind.kind

    def open(self) -> None:
        self._pass()

    def migrate(self, room: str, steps: Sequence[Step]) -> None:
        self._pass()
        self.behind.migrate(room, steps)

    def transaction(self) -> AbstractContextManager[Work]:
        self._pass()
        return self.behind.transaction()

    def read(self, query: str, values: Sequence[Value] = ()) -> Rows:
        self._pass()
        self.questions.append(query)
        return self.behind.read(query, values)

    def close(self) -> None:
        pass

    def _pass(self) -> None:
        if self.is_cut:
            raise DatabaseError("the line is cut", is_away=True)


@dataclass
class Replica:
    """One process: its gatehouse and its keyring."""

    desk: Desk
    line: Line
    house: Gatehouse
    ring: Keyring

    def name(self, secret: str) -> str | None:
        found = self.ring.find(secret.encode())
        return None if found is None else found.name


def replica(desk: Desk, refresh: float = 0.01, digests: Digests = PEPPER) -> Replica:
    line = Line(desk.database)
    clock = Clock(lambda: desk.at, lambda: desk.at)
    house = Gatehouse(line, digests, clock, secrets.randbelow)
    ring = Keyring([Key("sk-team", Principal("team"))], digests, clock.wall)
    house.serve(ring, Custom(desk.configured, refresh, FIRST))
    return Replica(desk, line, house, ring)


@contextmanager
def told(caplog: pytest.LogCaptureFixture) -> Generator[list[str], None, None]:
    said: list[str] = []
    with caplog.at_level(logging.INFO, "infway.accounts"):
        yield said
    said += [record.getMessage() for record in caplog.records]


async def until(done) -> None:
    async with asyncio.timeout(20):
        while not done():
            await asyncio.sleep(0.002)


async def test_what_one_makes_all_know_and_what_one_revokes_nobody_does(desk: Desk):
    one, other = replica(desk), replica(desk)
    async with one.house.open(), other.house.open():
        made = one.house.office.create(ROOT, Kind.KEY, "anna", KeyTerms())
        await until(lambda: one.name(made.secret) == other.name(made.secret) == "anna")
        other.house.office.revoke(ROOT, Kind.KEY, "anna")
        await until(lambda: one.name(made.secret) is other.name(made.secret) is None)
        assert one.name("sk-team") == "team"


async def test_only_what_changed_is_read(desk: Desk):
    for place in range(5):
        desk.key(f"k{place}")
    one = replica(desk)
    await one.house.look()
    desk.key("late")
    assert [row.name for row in one.house.register.changes(5)] == ["late"]
    await one.house.look()
    keys = one.house._roster.keys
    assert len(keys) == 6
    await one.house.look()
    assert one.house._roster.keys is keys


async def test_known_keys_go_on_while_the_database_is_away_and_what_is_unknown_is_in_doubt(
    desk: Desk, caplog: pytest.LogCaptureFixture
):
    one = replica(desk)
    made = desk.key("anna")
    await one.house.look()
    one.line.is_cut = True
    unknown = desk.key("bo").secret.encode()
    with told(caplog) as said:
        assert one.ring.refusal(unknown).status == 401
        for _ in range(5):
            await one.house.look()
            assert one.ring.refusal(unknown).status == 503
        assert one.name(made.secret) == "anna"
        assert one.name("sk-team") == "team"
        assert one.ring.refusal(b"sk-nobody").status == 401
        one.line.is_cut = False
        await one.house.look()
    assert one.name(unknown.decode()) == "bo"
    assert one.ring.refusal(new_key(secrets.randbelow).encode()).status == 401
    assert len(said) == 2


async def test_while_a_look_hangs_what_is_unknown_comes_to_be_in_doubt(desk: Desk):
    one = replica(desk)
    await one.house.look()
    unknown = new_key(secrets.randbelow).encode()
    desk.at += 9.0
    assert one.ring.refusal(unknown).status == 401
    desk.at += 2.0
    assert one.ring.refusal(unknown).status == 503


async def test_keys_and_administrators_of_a_register_unread_for_five_minutes_are_in_doubt(
    desk: Desk,
):
    made = desk.key("anna")
    terms = AdminTerms(capabilities=(Capability.KEYS_READ,))
    admin = desk.office.create(ROOT, Kind.ADMIN, "bea", terms)
    one = replica(desk)
    await one.house.look()
    one.line.is_cut = True
    desk.at += 299.0
    await one.house.look()
    assert one.name(made.secret) == "anna"
    assert one.house.admin(admin.secret.encode()) is not None
    desk.at += 1.0  # nobody looks: it may have been stopped
    assert one.name(made.secret) is None
    told = one.ring.refusal(made.secret.encode())
    assert (told.status, told.code, told.retry_after) == (503, "accounting_unavailable", 1)
    assert one.house.admin(admin.secret.encode()) is None
    assert one.house.is_unsure()
    assert one.name("sk-team") == "team"
    assert one.house.admin(FIRST.encode()) is not None
    one.house.serve(one.ring, Custom(desk.configured))
    assert one.name(made.secret) is None
    one.line.is_cut = False
    await one.house.look()
    assert one.name(made.secret) == "anna"
    assert one.house.admin(admin.secret.encode()) is not None


async def test_a_start_without_its_database_serves_the_keys_of_the_configuration(desk: Desk):
    made = desk.key("anna")
    one = replica(desk)
    one.line.is_cut = True
    one.house.check()
    async with one.house.open():
        assert one.name("sk-team") == "team"
        assert one.ring.refusal(made.secret.encode()).status == 503
        one.line.is_cut = False
        await until(lambda: one.name(made.secret) == "anna")


async def test_a_start_with_another_pepper_fails(desk: Desk):
    desk.key("anna")
    one = replica(desk, digests=Digests(b"other"))
    with pytest.raises(DatabaseError, match="another pepper"):
        one.house.check()
    with pytest.raises(DatabaseError, match="another pepper"):
        async with one.house.open():
            pass


async def test_a_key_ends_on_time_while_the_database_is_away(desk: Desk):
    made = desk.key("anna")
    desk.office.expire(ROOT, Kind.KEY, "anna", desk.at + 5)
    one = replica(desk)
    await one.house.look()
    one.line.is_cut = True
    assert one.name(made.secret) == "anna"
    desk.at += 5
    assert one.name(made.secret) is None


async def test_another_configuration_holds_for_the_keys_of_the_register_at_once(
    desk: Desk, caplog: pytest.LogCaptureFixture
):
    made = desk.key("anna", plan="free")
    one = replica(desk)
    await one.house.look()
    with told(caplog) as said:
        one.house.serve(one.ring, Custom(Configured()))
    assert one.name(made.secret) is None
    assert "`anna`: there is no plan `free`" in said[0]
    one.house.serve(one.ring, Custom(desk.configured))
    assert one.name(made.secret) == "anna"


async def test_a_key_of_the_configuration_takes_the_name_from_one_of_the_register(desk: Desk):
    made = desk.key("anna")
    one = replica(desk)
    await one.house.look()
    keys = {"anna": KeyTerms()}
    one.house.serve(one.ring, Custom(Configured(keys=keys)))
    assert one.name(made.secret) is None


async def test_administrators_are_known_apart_from_callers(desk: Desk):
    terms = AdminTerms(capabilities=(Capability.KEYS_READ,))
    admin = desk.office.create(ROOT, Kind.ADMIN, "bea", terms)
    caller = desk.key("anna")
    one = replica(desk)
    await one.house.look()
    first = one.house.admin(FIRST.encode())
    bea = one.house.admin(admin.secret.encode())
    assert first is not None
    assert (first.name, first.capabilities) == ("admin.key", frozenset(Capability))
    assert bea is not None
    assert (bea.name, bea.capabilities) == ("bea", {Capability.KEYS_READ})
    assert one.house.admin(caller.secret.encode()) is None
    assert one.house.admin(b"sk-team") is None
    assert one.name(admin.secret) is None
    assert one.name(FIRST) is None
    desk.office.expire(ROOT, Kind.ADMIN, "bea", desk.at)
    await one.house.look()
    assert one.house.admin(admin.secret.encode()) is None
