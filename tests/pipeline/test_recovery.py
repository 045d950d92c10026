"""What a process that died leaves: every attempt that was begun gets its row, and none gets two."""

import logging
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from tests.ledger.journaling import die, opened, row
from tests.pipeline.test_settle import CLOCK, WHO, Kept, settlement
from tests.wall.asking import PRICES, ask, offer

from infway.database import DatabaseError
from infway.kernel.account import Account
from infway.kernel.chat import Prices, Principal
from infway.kernel.clock import Clock
from infway.kernel.events import Text, Usage
from infway.kernel.faults import Failure, Fault
from infway.ledger.journal import SETTLED, Journal
from infway.ledger.opening import LedgerError
from infway.ledger.rows import Row
from infway.ledger.sqlite import SqliteLedger
from infway.pipeline.checkpoints import look
from infway.pipeline.recovery import Recovery
from infway.pipeline.settle import Settlement
from infway.pipeline.settler import Settler, Spooling
from infway.pipeline.tried import Attempt

Begun = tuple[Settler, Settlement]


def begun(journal: Journal, name: str = "r-1", who: Principal = WHO, **said: object) -> Begun:
    """A request with one attempt under way."""
    settler = Settler(Kept(), CLOCK, spooling=Spooling(journal))
    one = Settlement(ask(id=name, **said), who, 0.0, settler)
    one.begin(Attempt(offer(), 0.0), one.ask)
    return settler, one


def recovered(folder: Path, ledger: Kept | None = None) -> list[Row]:
    ledger = ledger or Kept()
    Recovery(folder, ledger, lambda _: None, lambda _: None).run()
    return ledger.rows


def test_a_request_of_which_nothing_came_costs_its_prompt(tmp_path: Path):
    journal = opened(tmp_path)
    account = Account(organisation="acme", project="web", tags=("b", "a"))
    begun(journal, who=Principal("someone", account=account))
    name = journal.name
    die(journal)
    attempt, request = recovered(tmp_path)
    assert attempt == Row(
        request="r-1", attempt=1, at=1_700_000_000.0, key="someone", model="m", upstream="up",
        outcome="interrupted", status=0, stream=1, prompt_tokens=25, completion_tokens=0,
        cached_tokens=0, reasoning_tokens=0, cost=25 * 1_000_000, estimated=1, priced=1,
        start_ms=None, end_ms=0, rescue="", organisation="acme", project="web",
        tags='["a", "b"]', cache_write_tokens=0, native="ok", boot=name, monotonic=0.0,
    )  # fmt: skip
    assert request == attempt._replace(attempt=0)
    assert list(tmp_path.iterdir()) == []


def test_a_stream_costs_what_was_last_seen_of_it(tmp_path: Path):
    journal = opened(tmp_path)
    settler, one = begun(journal)
    [attempt] = one.attempts
    attempt.first = 0.5
    attempt.see([Text("word ")] * 100)
    look(settler.open, journal, 1.0)  # too early, and too little
    attempt.see([Text("word ")] * 200)
    look(settler.open, journal, 1.0)
    attempt.see([Text("word ")] * 40)
    die(journal)
    for found in recovered(tmp_path):
        assert (found.prompt_tokens, found.completion_tokens) == (25, 375)
        assert found.cost == 25 * 1_000_000 + 375 * 2_000_000
        assert (found.outcome, found.start_ms, found.estimated) == ("interrupted", 500, 1)


def test_every_stream_is_seen_every_two_seconds_and_only_where_something_came(tmp_path: Path):
    journal = opened(tmp_path)
    now = [0.0]
    settler = Settler(Kept(), Clock(lambda: now[0], CLOCK.wall), spooling=Spooling(journal))
    one = Settlement(ask(), WHO, 0.0, settler)
    attempt = Attempt(offer(), 0.0)
    one.begin(attempt, one.ask)
    attempt.first = 0.1
    written = []
    for tick in range(40):
        now[0] = tick / 4
        if tick < 20:
            attempt.see([Text("word")])
        before = journal.position
        look(settler.open, journal, now[0])
        if journal.position != before:
            written.append((now[0], attempt.noted))
    assert written == [(2.0, 9), (4.0, 17), (6.0, 20)]


def test_a_fallback_that_is_interrupted_leaves_how_the_first_attempt_ended(tmp_path: Path):
    journal = opened(tmp_path)
    _, one = begun(journal)
    one.attempts[0].end(1.0, Failure(Fault.HTTP_500, 500), one.ask)
    one.see(one.attempts[0])
    one.begin(Attempt(offer(), 1.5), one.ask)
    die(journal)
    failed, second, request = recovered(tmp_path)
    assert (failed.outcome, failed.status, failed.cost, failed.end_ms) == ("http_500", 500, 0, 1000)
    assert (second.attempt, second.outcome, second.at) == (2, "interrupted", 1_700_000_001.5)
    assert (request.attempt, request.outcome, request.cost) == (0, "interrupted", second.cost)
    assert (request.at, request.end_ms) == (failed.at, 1500)


def test_what_was_settled_stays_what_it_was(tmp_path: Path):
    journal = opened(tmp_path)
    settler = Settler(Kept(), CLOCK, spooling=Spooling(journal))
    one = settlement(settler, attempts=0)
    attempt = Attempt(offer(), 0.0)
    one.begin(attempt, one.ask)
    attempt.first = 0.1
    attempt.see([Text("word"), Usage(10, 20, 30)])
    one.see(attempt)
    attempt.end(1.0, None, one.ask)
    one.close("ok", 200)
    one.see(attempt)  # too late: it changes nothing
    die(journal)
    assert recovered(tmp_path) == one.rows()


def test_an_unpriced_attempt_is_told_as_such(tmp_path: Path):
    journal = opened(tmp_path)
    settler = Settler(Kept(), CLOCK, spooling=Spooling(journal))
    one = Settlement(ask(), WHO, 0.0, settler)
    one.begin(Attempt(offer(prices=Prices()), 0.0), one.ask)
    die(journal)
    assert [(found.cost, found.priced) for found in recovered(tmp_path)] == [(0, 0), (0, 0)]


def test_a_ledger_that_is_away_at_the_takeover_has_all_of_it_later(tmp_path: Path, caplog):
    journal = opened(tmp_path)
    begun(journal)
    die(journal)
    ledger, buried = Kept(), []
    ledger.broken = True
    recovery = Recovery(tmp_path, ledger, lambda _: None, buried.append)
    recovery.run()
    recovery.run()
    assert buried == []
    assert len([one for one in caplog.records if one.levelno == logging.ERROR]) == 1
    ledger.broken = False
    recovery.run()
    assert [one.attempt for one in ledger.rows] == [1, 0]
    assert buried == [journal.name]


def test_a_folder_that_cannot_be_read_holds_up_no_other(tmp_path: Path, caplog):
    names = []
    for number in range(3):
        journal = opened(tmp_path)
        begun(journal, f"r-{number}")
        names.append(journal.name)
        die(journal)
    first, last = min(names), max(names)
    (tmp_path / first / "9.journal").mkdir()  # nobody reads that, root neither
    (tmp_path / "0-a-file").write_text("no folder at all")
    ledger, buried = Kept(), []
    recovery = Recovery(tmp_path, ledger, lambda _: None, buried.append)
    recovery.run()
    recovery.run()
    assert sorted(buried) == sorted(names)[1:]
    assert len(ledger.rows) == 4
    assert not (tmp_path / last).exists()
    [said] = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert first in said
    (tmp_path / first / "9.journal").rmdir()
    recovery.run()
    assert len(ledger.rows) == 6
    assert buried[-1] == first


def test_a_database_that_is_away_ends_the_round_and_is_said_once(tmp_path: Path, caplog):
    for number in range(3):
        journal = opened(tmp_path)
        begun(journal, f"r-{number}")
        die(journal)

    class Away(Kept):
        asked = 0

        def hold(self, owner: str, since: float | None) -> None:
            self.asked += 1
            raise DatabaseError("nobody answers", is_away=True)

    ledger = Away()
    recovery = Recovery(tmp_path, ledger, lambda _: None, lambda _: None)
    recovery.run()
    recovery.run()
    assert ledger.asked == 2
    assert len([one for one in caplog.records if one.levelno == logging.ERROR]) == 1


def test_a_takeover_that_dies_in_the_middle_is_done_again_and_counts_once(tmp_path: Path):
    journal = opened(tmp_path / "spool", size=1024 * 1024)
    for number in range(3000):
        journal.write(SETTLED, (row(f"r-{number}"), row(f"r-{number}", attempt=0)))
    begun(journal, "last")
    die(journal)
    ledger = SqliteLedger(tmp_path / "ledger.db")
    ledger.open()

    class Dying:
        """A ledger whose process is killed after its first transaction."""

        appended = 0
        hold = ledger.hold

        def append(self, rows: Sequence[Row], owner: str = "") -> None:
            assert owner == journal.name
            ledger.append(rows, owner)
            self.appended += 1
            if self.appended == 1:
                raise LedgerError("killed")

    dying = Dying()
    recovery = Recovery(tmp_path / "spool", dying, lambda _: None, lambda _: None)  # type: ignore[arg-type]
    recovery.run()
    assert len(ledger.rows_of("last")) == 0
    recovery.run()
    with closing(ledger):
        assert len(ledger.rows_of("last")) == 2
        assert all(len(ledger.rows_of(f"r-{number}")) == 2 for number in (0, 1, 999, 2999))


@pytest.mark.parametrize("prompt", [25, 300_000])
def test_a_long_prompt_pays_its_own_price(tmp_path: Path, prompt: int):
    journal = opened(tmp_path)
    settler = Settler(Kept(), CLOCK, spooling=Spooling(journal))
    one = Settlement(ask(input_tokens=prompt), WHO, 0.0, settler)
    prices = PRICES._replace(long_from=200_000, longer=PRICES._replace(input=5))
    one.begin(Attempt(offer(prices=prices), 0.0), one.ask)
    die(journal)
    price = 5 if prompt > 200_000 else 1_000_000
    assert {found.cost for found in recovered(tmp_path)} == {prompt * price}


@pytest.mark.parametrize("at", [0, 1, 50, 99, 100, 250])
async def test_what_the_ledger_has_is_not_brought_again(tmp_path: Path, at: int):
    """Of 400 requests in some segments the first `at` are written, the rest is not."""
    ledger = Kept()
    journal = opened(tmp_path)
    settler = Settler(ledger, CLOCK, spooling=Spooling(journal))
    for number in range(at):
        settlement(settler, f"r-{number:03}").close("ok", 200)
    open_one = Settlement(ask(id="open"), WHO, 0.0, settler)
    open_one.begin(Attempt(offer(), 0.0), open_one.ask)
    await settler.flush()
    ledger.broken = True
    for number in range(at, 400):
        settlement(settler, f"r-{number:03}").close("ok", 200)
    await settler.flush()
    die(journal)
    brought = recovered(tmp_path)
    expected = [f"r-{number:03}" for number in range(at, 400)]
    assert [one.request for one in brought if not one.attempt] == [*expected, "open"]
    assert {one.outcome for one in brought if one.request == "open"} == {"interrupted"}


async def test_what_memory_does_not_hold_is_not_said_to_be_in_the_ledger(tmp_path: Path):
    """Rows beyond the memory's room are in the journal alone while those before them are written."""
    ledger = Kept()
    journal = opened(tmp_path)
    settler = Settler(ledger, CLOCK, capacity=5, spooling=Spooling(journal))
    for number in range(20):
        settlement(settler, f"r-{number:03}").close("ok", 200)
        settler.gather()
    settler.written(settler.batch())
    die(journal)
    brought = {one.request for one in recovered(tmp_path)}
    assert brought == {f"r-{number:03}" for number in range(5, 20)}


@pytest.mark.parametrize("damage", ["a flipped bit", "a torn mark", "a cut file"])
async def test_a_mark_that_cannot_be_believed_hides_no_row(tmp_path: Path, damage: str):
    ledger = Kept()
    journal = opened(tmp_path)
    settler = Settler(ledger, CLOCK, spooling=Spooling(journal))
    for number in range(50):
        settlement(settler, f"r-{number:03}").close("ok", 200)
    await settler.flush()
    assert len(ledger.rows) == 100
    folder = die(journal)
    path = max(folder.iterdir(), key=lambda one: int.from_bytes(one.read_bytes()[4:8], "little"))
    data = bytearray(path.read_bytes())
    if damage == "a flipped bit":
        data[13] ^= 0x80
    elif damage == "a torn mark":
        data[12:14] = b"\0\0"
    else:
        del data[4096:]
    path.write_bytes(data)
    brought = {one.request for one in recovered(tmp_path)}
    assert brought == (set() if damage == "a cut file" else {f"r-{one:03}" for one in range(50)})
    assert list(tmp_path.iterdir()) == []


async def test_metrics_that_fail_lose_no_row(tmp_path: Path):
    def fail(_: Sequence[Row]) -> None:
        raise OSError("no room for another counter")

    ledger = Kept()
    journal = opened(tmp_path)
    settler = Settler(ledger, CLOCK, watch=fail, spooling=Spooling(journal))
    settlement(settler).close("ok", 200)
    with pytest.raises(OSError, match="no room"):
        settler.gather()
    await settler.flush()
    assert len(ledger.rows) == 2
