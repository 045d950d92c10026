"""What is kept of responses: by key, for a time, up to a size."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infway.ledger.responses import Kept
from infway.ledger.responses_sqlite import SqliteResponses
from infway.ledger.sqlite import LedgerError


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
    assert store.holders(["i1", "i2"], "a") == {"i2": one("r1", response=b'{"a":1}')}
    assert store.holders(["i2"], "b") == {}


def test_a_chain_is_whole_or_not_there(store: SqliteResponses) -> None:
    turns = [one("r1"), one("r2", previous="r1"), one("r3", previous="r2")]
    store.write(turns)
    assert store.chain("r3", "a") == turns
    assert store.chain("r1", "a") == turns[:1]
    assert store.chain("r3", "b") == []
    assert store.chain("nobody", "a") == []
    store.remove("r1", "a")
    assert store.chain("r3", "a") == []


def test_a_chain_of_two_keys_is_none(store: SqliteResponses) -> None:
    store.write([one("r1", key="b"), one("r2", previous="r1")])
    assert store.chain("r2", "a") == []


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
    assert store.holders(["i1"], "a") == {}
    assert store.find("new", "a") is not None


def test_the_oldest_go_where_there_is_no_room(store: SqliteResponses) -> None:
    store.write([one(f"r{n}", created=1000.0 + n, response=b"x" * 98) for n in range(5)])
    assert store.sweep(0.0, 300) == 2
    assert [store.find(f"r{n}", "a") is None for n in range(5)] == [True, True, *[False] * 3]


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
