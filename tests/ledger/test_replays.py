"""Claims on requests that may come twice: one has each, and whoever gave it up has it no more."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from infway.database import Database, DatabaseError, Rows, Value, Work
from infway.database.opening import database_at
from infway.ledger.replays import OPEN, STEPS, Claim, Kept, Once, Replays, owner_of, size_of

ONCE = Once("tests", "a /v1", b"digest")
ANSWER = Kept(b"", 200, b"head", b"body")


class Meeting:
    """A database in which something happens between a claim and the look at who has it."""

    def __init__(self, database: Database, happens: Callable[[], None]) -> None:
        self._database = database
        self._happens = happens

    @contextmanager
    def transaction(self) -> Iterator["Meeting"]:
        """Begin a real transaction."""
        with self._database.transaction() as self._work:
            yield self

    _work: Work

    def run(self, query: str, values: Sequence[Value] = ()) -> Rows:
        """Run one statement; behind a claim, what happens."""
        found = self._work.run(query, values)
        if query.startswith("INSERT"):
            self._happens()
        return found


def test_a_claim_that_is_freed_while_another_looks_is_the_others(two: tuple[Database, Database]):
    first, second = Replays(two[0]), two[1]
    first.open()
    assert first.claim(ONCE, "first", 0.0) is None
    meeting = Meeting(second, lambda: first.end([(Claim(ONCE, "first"), None)], 0.5))
    assert Replays(meeting).claim(ONCE, "second", 1.0) is None  # type: ignore[arg-type]
    found = first.claim(ONCE, "third", 2.0)
    assert found == Kept(b"digest", OPEN, b"", b"")


def test_a_claim_that_is_always_just_taken_is_told_as_passing(two: tuple[Database, Database]):
    first = Replays(two[0])
    first.open()

    class Crowded(Meeting):
        """Somebody takes it before each claim, and frees it behind."""

        @contextmanager
        def transaction(self) -> Iterator[Meeting]:
            first.claim(ONCE, "other", 0.0)
            with super().transaction() as work:
                yield work

    crowded = Crowded(two[1], lambda: first.release("other"))
    with pytest.raises(DatabaseError) as told:
        Replays(crowded).claim(ONCE, "mine", 1.0)  # type: ignore[arg-type]
    assert told.value.is_away


@pytest.fixture
def replays(database: Database) -> Replays:
    replays = Replays(database)
    replays.open()
    return replays


def test_what_is_said_twice_of_a_claim_harms_no_later_one(replays: Replays):
    earlier, later = (Claim(ONCE, owner_of("p", number)) for number in (1, 2))
    assert replays.claim(*earlier, 0.0) is None
    replays.end([(earlier, None)], 1.0)
    assert replays.claim(*later, 1.0) is None
    replays.end([(earlier, None)], 1.0)
    replays.end([(earlier, ANSWER)], 1.0)
    assert replays.claim(ONCE, "q", 2.0) == Kept(b"digest", OPEN, b"", b"")
    replays.end([(later, ANSWER)], 2.0)
    replays.end([(later, None)], 2.0)
    assert replays.claim(ONCE, "q", 3.0) == ANSWER._replace(asked=b"digest")


def test_a_process_gives_back_what_it_has_not_answered_and_nothing_else(replays: Replays):
    names = ["open", "answered", "others"]
    open_, answered, others = (ONCE._replace(name=name) for name in names)
    assert replays.claim(open_, owner_of("p", 1), 0.0) is None
    assert replays.claim(answered, owner_of("p", 12), 0.0) is None
    assert replays.claim(others, owner_of("p1", 1), 0.0) is None
    replays.end([(Claim(answered, owner_of("p", 12)), ANSWER)], 0.0)
    replays.release("p")
    assert replays.claim(open_, "q", 1.0) is None
    assert replays.claim(answered, "q", 1.0) == ANSWER._replace(asked=b"digest")
    assert replays.claim(others, "q", 1.0) == Kept(b"digest", OPEN, b"", b"")


def test_claims_of_an_older_infway_are_given_back_too(place: str | Path):
    with closing(database_at(place)) as database:
        database.open()
        replays = Replays(database)
        replays.open()
        assert replays.claim(ONCE, "old", 0.0) is None
        replays.release("old")
        assert replays.claim(ONCE, "q", 1.0) is None


def test_what_an_older_infway_kept_is_kept_and_has_a_size(database: Database):
    database.migrate("replays", STEPS[:3])
    insert = "INSERT INTO replays VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    with database.transaction() as work:
        work.run(insert, ("tests", "a", b"digest", "", 1.0, 200, b"head", b"body" * 1000))
        work.run(insert, ("tests", "b", b"digest", "p.1", 1.0, OPEN, b"", b""))
    replays = Replays(database)
    replays.open()
    assert replays.held() == {"tests": 2 * 512 + 4 + 4000}
    found = replays.claim(ONCE._replace(name="a"), "q", 2.0)
    assert found == Kept(b"digest", 200, b"head", b"body" * 1000)


def test_of_a_caller_who_has_too_much_the_oldest_answers_go_in_parts(replays: Replays):
    for number in range(10):
        claim = Claim(ONCE._replace(name=str(number)), owner_of("p", number))
        assert replays.claim(*claim, 0.0) is None
        if number:
            replays.end([(claim, ANSWER)], 100.0 - number)
    each = size_of(ANSWER)
    assert replays.held() == {"tests": 512 + 9 * each}
    assert replays.trim("tests", 512 + 5 * each, 3) == 3
    assert replays.trim("tests", 512 + 5 * each, 3) == 1
    assert replays.trim("tests", 512 + 5 * each, 3) == 0
    assert replays.trim("nobody", 0, 3) == 0
    known = [replays.claim(ONCE._replace(name=str(number)), "q", 1.0) for number in range(10)]
    assert [one is not None for one in known] == [True] * 6 + [False] * 4  # 9 ended first
