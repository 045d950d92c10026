"""What is kept of responses: by key, for a time, up to a size."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infway.ledger.opening import LedgerError
from infway.ledger.responses import Kept, TooLarge
from infway.ledger.responses_sqlite import SqliteResponses

ROOM = 2**30


def one(id_: str, **more: object) -> Kept:
    """Return a response that is over."""
    kept = Kept(id_, "a", 1000.0, 1000.0, "completed", None, b"{}", b"[]")
    return kept._replace(**more)


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteResponses]:
    """A store, in a file and in memory."""
    made = SqliteResponses(tmp_path / "responses.db" if request.param == "file" else None)
    made.open()
    yield made
    made.close()


def test_a_response_is_found_by_its_key_alone(store: SqliteResponses) -> None:
    store.write([one("r1")])
    assert store.find("r1", "a") == one("r1")
    assert store.find("r1", "b") is None
    assert not store.remove("r1", "b")
    assert store.remove("r1", "a")
    assert store.find("r1", "a") is None


def test_what_is_written_again_is_replaced(store: SqliteResponses) -> None:
    store.write([one("r1", items=("i1",))])
    store.write([one("r1", response=b'{"a":1}', items=("i2",))])
    assert store.holders(["i1", "i2"], "a", ROOM) == {"i2": one("r1", response=b'{"a":1}')}
    assert store.holders(["i2"], "b", ROOM) == {}


def test_a_chain_is_whole_or_not_there(store: SqliteResponses) -> None:
    turns = [one("r1"), one("r2", previous="r1"), one("r3", previous="r2")]
    store.write(turns)
    assert store.chain("r3", "a", ROOM) == turns
    assert store.chain("r1", "a", ROOM) == turns[:1]
    assert store.chain("r3", "b", ROOM) == []
    assert store.chain("nobody", "a", ROOM) == []
    store.remove("r1", "a")
    assert store.chain("r3", "a", ROOM) == []


def test_a_chain_of_two_keys_is_none(store: SqliteResponses) -> None:
    store.write([one("r1", key="b"), one("r2", previous="r1")])
    assert store.chain("r2", "a", ROOM) == []


def test_only_what_is_being_made_can_be_finished(store: SqliteResponses) -> None:
    store.write([one("r1", status="queued")])
    assert store.touch("r1", "in_progress", 1001.0)
    assert store.find("r1", "a") == one("r1", status="in_progress", touched=1001.0)
    assert store.finish(one("r1", status="cancelled"))
    assert not store.finish(one("r1"))
    assert not store.touch("r1", "in_progress", 1002.0)
    assert store.find("r1", "a") == one("r1", status="cancelled")
    assert not store.finish(one("nobody"))


def test_what_is_too_old_is_forgotten(store: SqliteResponses) -> None:
    store.write([one("old", created=999.0, items=("i1",)), one("new")])
    assert store.sweep(1000.0, 2**30) == 1
    assert store.find("old", "a") is None
    assert store.holders(["i1"], "a", ROOM) == {}
    assert store.find("new", "a") is not None


def test_the_oldest_go_where_there_is_no_room(store: SqliteResponses) -> None:
    store.write([one(f"r{n}", created=1000.0 + n, response=b"x" * 98) for n in range(5)])
    assert store.sweep(0.0, 300) == 2
    assert [store.find(f"r{n}", "a") is None for n in range(5)] == [True, True, *[False] * 3]


def test_no_key_takes_the_room_of_the_others(store: SqliteResponses) -> None:
    body = b"x" * 98
    store.write([one("b1", key="b", created=1.0, response=body)])
    store.write([one("c1", key="c", created=2.0, response=body)])
    store.write([one(f"r{n}", created=1000.0 + n, response=body) for n in range(8)])
    assert store.sweep(0.0, 500) == 5
    left = [id_ for id_ in (f"r{n}" for n in range(8)) if store.find(id_, "a") is not None]
    assert left == ["r5", "r6", "r7"]
    assert store.find("b1", "b") is not None
    assert store.find("c1", "c") is not None


def test_keys_that_hold_alike_lose_alike(store: SqliteResponses) -> None:
    for key in "ab":
        store.write(
            [one(f"{key}{n}", key=key, created=float(n), response=b"x" * 98) for n in range(4)]
        )
    assert store.sweep(0.0, 400) == 4
    assert [store.find(f"{key}{n}", key) is None for key in "ab" for n in range(4)] == [
        *(True, True, False, False),
        *(True, True, False, False),
    ]


def test_a_chain_that_is_too_large_is_not_read(store: SqliteResponses) -> None:
    body = b"x" * 98
    store.write([one("r1", response=body), one("r2", previous="r1", response=body)])
    assert len(store.chain("r2", "a", 200)) == 2
    assert len(store.chain("r1", "a", 199)) == 1
    with pytest.raises(TooLarge):
        store.chain("r2", "a", 199)
    assert store.chain("r2", "b", 0) == []


def test_a_response_that_holds_many_items_is_read_once(store: SqliteResponses) -> None:
    items = tuple(f"i{n}" for n in range(50))
    store.write([one("r1", response=b"x" * 98, items=items)])
    found = store.holders([*items, *items, "nothing"], "a", 100)
    assert set(found) == set(items)
    assert len({id(kept) for kept in found.values()}) == 1
    store.write([one("r2", response=b"x" * 98, items=("other",))])
    with pytest.raises(TooLarge):
        store.holders(["i1", "other"], "a", 199)


def test_a_file_is_opened_again(tmp_path: Path) -> None:
    for _ in range(2):
        store = SqliteResponses(tmp_path / "deep" / "responses.db")
        store.open()
        store.write([one("r1")])
        store.close()
    with pytest.raises(LedgerError, match="not open"):
        store.find("r1", "a")


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "responses.db"
    path.write_bytes(b"no database, but long enough to be taken for one " * 40)
    with pytest.raises(LedgerError, match="cannot be opened"):
        SqliteResponses(path).open()
