"""What was used a short while ago, from a real database of either kind."""

from tests.ledger.row import request

from infway.database import Database
from infway.ledger.recent import recent
from infway.ledger.sql import SqlLedger

NOW = 1_700_000_000.0


def test_what_each_process_let_in_is_told_by_key(database: Database) -> None:
    ledger = SqlLedger(database)
    ledger.open()
    said = {"boot": "one", "project": "p", "organisation": "o"}
    ledger.append(request("a", at=NOW - 60, key="k", **said))
    ledger.append(request("b", at=NOW - 60, key="k", **said))
    ledger.append(request("c", at=NOW - 60, key="other", boot="two"))
    found = {one.key: one for one in recent(database, NOW - 3600, NOW)}
    assert found["k"][:4] == ("one", "k", "p", "o")
    assert found["k"][5:] == (2, 20, 40)
    assert found["other"][:4] == ("two", "other", "", "")
    assert found["other"][5:] == (1, 10, 20)


def test_a_use_counts_from_its_end_and_never_earlier(database: Database) -> None:
    ledger = SqlLedger(database)
    ledger.open()
    for number in range(40):
        ledger.append(request(f"r{number}", at=NOW + number * 0.37, end_ms=2500, key=f"k{number}"))
    ends = {one.key: one.at for one in recent(database, NOW, NOW + 100)}
    for number in range(40):
        end = NOW + number * 0.37 + 2.5
        assert end <= ends[f"k{number}"] <= end + 8


def test_what_ended_before_or_began_later_is_not_told(database: Database) -> None:
    ledger = SqlLedger(database)
    ledger.open()
    ledger.append(request("old", at=NOW - 4000))
    ledger.append(request("long", at=NOW - 4000, end_ms=1_000_000, key="long"))
    ledger.append(request("late", at=NOW + 1))
    assert [one.key for one in recent(database, NOW - 3600, NOW)] == ["long"]
