"""Settling: exactly once, nothing lost, sums that hold."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wall.asking import ask, offer

from infway.database.sqlite import SqliteDatabase
from infway.kernel.chat import Principal
from infway.kernel.clock import Clock
from infway.kernel.events import Chunk, Reasoning, Refusal, Text, ToolCall, Usage, Verbatim
from infway.kernel.faults import Failure, Fault
from infway.ledger.journal import Journal
from infway.ledger.opening import LedgerError
from infway.ledger.questions import Question
from infway.ledger.questions import ask as ask_ledger
from infway.ledger.rows import Row
from infway.ledger.sqlite import SqliteLedger
from infway.pipeline.settle import Settlement
from infway.pipeline.settler import Settler
from infway.pipeline.tried import Attempt

CLOCK = Clock(monotonic=lambda: 0.0, wall=lambda: 1_700_000_000.0)
WHO = Principal("someone")


class Kept:
    """A ledger in memory that refuses while `broken`."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.broken = False
        self.refused = 0

    def open(self) -> None: ...

    def append(self, rows: Sequence[Row], owner: str = "") -> None:
        if self.broken:
            self.refused += 1
            raise LedgerError("the disk is full")
        known = {row[:2] for row in self.rows}
        self.rows += [row for row in rows if row[:2] not in known]

    def rows_of(self, request: str) -> Sequence[Row]:
        return [row for row in self.rows if row.request == request]

    def hold(self, owner: str, since: float | None) -> None:
        if self.broken:
            raise LedgerError("the disk is full")

    def close(self) -> None: ...


def settlement(settler: Settler, name: str = "r-1", attempts: int = 1) -> Settlement:
    one = Settlement(ask(id=name), WHO, 0.0, settler)
    for number in range(attempts):
        tried = Attempt(offer(), float(number))
        last = number == attempts - 1
        tried.first = number + 0.5 if last else None
        tried.see([Text("x" * 40), Usage(10, 20, 30, cached=5, reasoning=2)] if last else [])
        tried.end(number + 1.0, None if last else Failure(Fault.HTTP_500, 500), one.ask)
        one.attempts.append(tried)
    return one


async def test_only_the_first_close_counts():
    ledger = Kept()
    settler = Settler(ledger, CLOCK)
    one = settlement(settler)
    one.close("ok", 200)
    one.close("client_gone", 499)
    await settler.close()
    assert [(row.attempt, row.outcome, row.status) for row in ledger.rows] == [
        (1, "ok", 200),
        (0, "ok", 200),
    ]


async def test_rows_say_what_happened():
    ledger = Kept()
    settler = Settler(ledger, CLOCK)
    settlement(settler, attempts=2).close("ok", 200)
    await settler.close()
    failed, answered, request = ledger.rows
    assert (failed.outcome, failed.status, failed.cost, failed.start_ms) == (
        "http_500",
        500,
        0,
        None,
    )
    assert (answered.outcome, answered.start_ms, answered.end_ms) == ("ok", 500, 1000)
    assert answered.cost == 10 * 1_000_000 + 20 * 2_000_000
    assert (request.attempt, request.start_ms, request.end_ms) == (0, 1500, 2000)
    assert (request.key, request.model, request.upstream) == ("someone", "m", "up")
    assert answered.at == failed.at + 1 == 1_700_000_001.0


ATTEMPTS = st.lists(
    st.tuples(
        st.none() | st.sampled_from(list(Fault)),
        st.none() | st.builds(Usage, *[st.integers(0, 10**6)] * 3, cached=st.integers(0, 10**6)),
        st.integers(0, 5),
        st.floats(0, 50),
    ),
    max_size=6,
)


@given(ATTEMPTS, st.sampled_from(["ok", "client_gone", "http_500"]))
def test_a_request_row_is_the_exact_sum_of_its_attempts(attempts, outcome: str):
    taken: list[Settlement] = []

    class Queue:
        clock = CLOCK
        journal = Journal()
        open: dict[Settlement, None] = {}  # noqa: RUF012

        def take(self, one: Settlement) -> None:
            taken.append(one)

    one = Settlement(ask(), WHO, 0.0, Queue())
    for fault, usage, pieces, took in attempts:
        tried = Attempt(offer(), 1.0)
        tried.see([Text("word")] * pieces)
        tried.see([usage] if usage else [])
        tried.end(1.0 + took, None if fault is None else Failure(fault), one.ask)
        one.attempts.append(tried)
    one.close(outcome, 200)
    *rows, request = taken[0].rows()
    assert request.attempt == 0
    assert [row.attempt for row in rows] == [*range(1, len(attempts) + 1)]
    for name in ("cost", "prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens"):
        assert getattr(request, name) == sum(getattr(row, name) for row in rows)
    assert request.estimated == max((row.estimated for row in rows), default=0)
    assert request.priced == min((row.priced for row in rows), default=1)
    assert request.outcome == outcome


@pytest.mark.parametrize(
    ("events", "tokens"),
    [
        ([Text("a")] * 3, 3),
        ([Text("a" * 400)], 100),
        ([Reasoning("a" * 400), Refusal("b" * 400)], 200),
        ([ToolCall(0, "a" * 400)], 100),
        ([Verbatim(b"p" * 100, 7, b"p")], 7),
        ([Chunk({}), Chunk({}, content=False)], 1),
        ([], 0),
    ],
    ids=repr,
)
def test_without_usage_tokens_are_estimated_from_what_was_seen(events, tokens: int):
    tried = Attempt(offer(), 0.0)
    tried.see(events)
    tried.end(1.0, None, ask())
    assert tried.usage.completion == tokens
    assert tried.usage.prompt == (25 if tokens else 0)
    assert tried.usage.estimated is bool(tokens)


async def test_a_full_queue_says_so_until_it_is_written():
    ledger = Kept()
    settler = Settler(ledger, CLOCK, capacity=2)
    for number in range(2):
        assert not settler.is_full
        settlement(settler, f"r-{number}").close("ok", 200)
    assert settler.is_full
    await settler.flush()
    assert not settler.is_full
    await settler.close()


async def test_rows_that_the_ledger_refuses_are_kept_and_tried_again(caplog):
    ledger = Kept()
    settler = Settler(ledger, CLOCK, capacity=2, pause=0.0)
    ledger.broken = True
    for number in range(2):
        settlement(settler, f"r-{number}").close("ok", 200)
    running = asyncio.create_task(settler.run())
    while ledger.refused < 3:
        await asyncio.sleep(0)
    assert settler.is_full
    errors = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert len(errors) == 2  # one for each change of state
    assert "the disk is full" in errors[0]
    assert errors[1].startswith("no request is begun")
    ledger.broken = False
    while not ledger.rows:
        await asyncio.sleep(0)
    running.cancel()
    await settler.close()
    assert len(ledger.rows) == len({row[:2] for row in ledger.rows}) == 4
    assert not settler.is_full


async def test_metrics_see_every_row_once_though_the_ledger_refuses():
    ledger, seen = Kept(), []
    settler = Settler(ledger, CLOCK, seen.extend)
    ledger.broken = True
    settlement(settler).close("ok", 200)
    await settler.flush()
    ledger.broken = False
    await settler.close()
    assert len(seen) == len(ledger.rows) == 2


async def test_nothing_is_lost_when_the_writer_is_cancelled_in_the_middle(tmp_path: Path):
    path = tmp_path / "ledger.db"
    ledger = SqliteLedger(path)
    ledger.open()
    settler = Settler(ledger, CLOCK, pause=0.0)
    for number in range(500):
        settlement(settler, f"r-{number}").close("ok", 200)
    running = asyncio.create_task(settler.run())
    for _ in range(4):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await settler.close()
    ledger.close()
    assert ask_ledger(SqliteDatabase(path), Question())[0].requests == 500


async def test_rows_that_are_lost_at_the_end_are_not_lost_silently(caplog):
    ledger = Kept()
    ledger.broken = True
    settler = Settler(ledger, CLOCK)
    settlement(settler).close("ok", 200)
    await settler.close()
    assert "the last 2 rows" in caplog.text


async def test_a_request_is_found_wherever_its_rows_are():
    ledger = Kept()
    settler = Settler(ledger, CLOCK)
    settlement(settler, "r-1").close("ok", 200)
    waiting = await settler.rows_of("r-1")
    assert [row.attempt for row in waiting] == [1, 0]
    ledger.broken = True
    await settler.flush()
    assert ledger.rows == []
    assert await settler.rows_of("r-1") == waiting
    ledger.broken = False
    await settler.flush()
    assert await settler.rows_of("r-1") == waiting == ledger.rows
    assert await settler.rows_of("r-2") == []
    await settler.close()


@pytest.mark.parametrize("attempts", [1, 2])
async def test_a_request_is_of_the_moment_it_was_admitted_however_many_attempts_it_took(
    attempts: int,
) -> None:
    kept = Kept()
    settler = Settler(kept, CLOCK)
    one = Settlement(ask(id="r-1"), WHO, 0.0, settler)
    for began in (5.0, 6.0)[:attempts]:  # it waited for its turn
        tried = Attempt(offer(), began)
        one.begin(tried, one.ask)
        tried.first = began + 0.5
        tried.end(began + 1.0, None, one.ask)
    one.close("ok", 200)
    await settler.flush()
    row = next(row for row in kept.rows if row.attempt == 0)
    assert (row.at, row.monotonic) == (CLOCK.wall(), 0.0)
    assert (row.start_ms, row.end_ms) == (5500, 5000 + attempts * 1000)
    assert [one.at - CLOCK.wall() for one in kept.rows if one.attempt] == [5.0, 6.0][:attempts]
    await settler.close()
