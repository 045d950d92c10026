"""Questions about usage: the same answers as from all rows, whatever is asked."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.row import DAY, HOUR, ROW, request

from infway.database import Database
from infway.database.opening import database_at
from infway.ledger.questions import NAMES, Line, Question, QuestionError, ask
from infway.ledger.rows import Row, tags_of, tags_text
from infway.ledger.sql import SqlLedger

TIMES = [0.0, 5 * HOUR, DAY - 1, DAY, 3 * DAY + 7 * HOUR, 10 * DAY + HOUR / 2, 40 * DAY]


def written(database: Database) -> list[Row]:
    """Fill a ledger with many requests that differ in everything; return its rows."""
    rows: list[Row] = []
    for number, at in enumerate(TIMES * 6):
        row = ROW._replace(
            request=f"r-{number}", at=at + number, key=f"k{number % 4}", model=f"m{number % 3}",
            upstream=f"u{number % 2}", project=("", "p", "q")[number % 3],
            organisation=("", "o")[number % 2], outcome=("ok", "ok", "timeout")[number % 3],
            tags=tags_text((("a", "b"), ("a",), ())[number % 3]), cost=10**6 * number + 7,
            cache_write_tokens=number, estimated=number % 2, priced=int(number % 5 > 0),
        )  # fmt: skip
        rows += [row._replace(attempt=1, upstream="u9", outcome="http_500", cost=0)] * (number % 2)
        rows += [row._replace(attempt=1 + number % 2), row]
    ledger = SqlLedger(database)
    ledger.open()
    ledger.append(rows)
    return rows


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, list[Row]]]:
    place: str | Path = tmp_path_factory.mktemp("filled") / "ledger.db"
    if request.param == "postgres":
        place = request.getfixturevalue("postgres").database()
    with closing(database_at(place)) as database:
        database.open()
        yield database, written(database)


def expected(rows: Sequence[Row], question: Question) -> dict[tuple[str, ...], Line]:
    """Answer a question the long way."""
    used = {*question.by, *question.only}
    since = (question.since or 0.0) // HOUR * HOUR
    until = float("inf") if question.until is None else -(-question.until // HOUR) * HOUR
    answer: dict[tuple[str, ...], Line] = {}
    for row in rows:
        if (row.attempt > 0) != ("upstream" in used) or not since <= row.at < until:
            continue
        day = f"{datetime.fromtimestamp(row.at, UTC):%Y-%m-%d}"
        tags = set(tags_of(row.tags))
        if "tag" in question.only:
            tags &= set(question.only["tag"])
        known = {**row._asdict(), "day": day}
        fits = all(known[name] in question.only[name] for name in {*question.only} - {"tag"})
        if not fits or ("tag" in used and not tags):
            continue
        for tag in tags if "tag" in question.by else [""]:
            group = {**known, "tag": tag}
            _add(answer, tuple(group[name] for name in question.by), row)
    return answer


def _add(answer: dict[tuple[str, ...], Line], place: tuple[str, ...], row: Row) -> None:
    mine = (
        1, int(row.outcome != "ok"), row.prompt_tokens, row.completion_tokens,
        row.cached_tokens, row.cache_write_tokens, row.reasoning_tokens, row.cost,
        row.estimated, 1 - row.priced,
    )  # fmt: skip
    known = answer.get(place, Line(place, *[0] * 10))
    answer[place] = Line(place, *map(sum, zip(known[1:], mine, strict=True)))


VALUES = {
    "key": ["k0", "k1", "k9"],
    "project": ["", "p"],
    "organisation": ["o", ""],
    "model": ["m0", "m1"],
    "upstream": ["u0", "u9"],
    "outcome": ["ok", "http_500"],
    "tag": ["a", "b", "c"],
}
BORDERS = st.none() | st.sampled_from(TIMES) | st.floats(0, 45 * DAY)
QUESTIONS = st.builds(
    Question,
    st.lists(st.sampled_from(NAMES), max_size=2, unique=True).map(tuple),
    BORDERS,
    BORDERS,
    st.dictionaries(st.sampled_from(sorted(VALUES)), st.just(None), max_size=2).flatmap(
        lambda names: st.fixed_dictionaries(
            {name: st.lists(st.sampled_from(VALUES[name]), max_size=2) for name in names}
        )
    ),
)


@settings(max_examples=150, deadline=None)
@given(question=QUESTIONS)
def test_an_answer_from_sums_is_that_of_all_rows(
    filled: tuple[Database, list[Row]], question: Question
):
    database, rows = filled
    lines = ask(database, question)
    assert {line.group: line for line in lines} == expected(rows, question)
    assert len(lines) == len({line.group for line in lines})


def test_days_come_in_order_and_all_else_by_cost(filled: tuple[Database, list[Row]]):
    database, _ = filled
    days = [line.group[0] for line in ask(database, Question(("day",)))]
    assert days == ["1970-01-01", "1970-01-02", "1970-01-04", "1970-01-11", "1970-02-10"]
    costs = [line.cost for line in ask(database, Question(("key",)))]
    assert costs == sorted(costs, reverse=True)
    both = [line.group[1] for line in ask(database, Question(("key", "day")))]
    assert both == sorted(both)


def test_a_request_that_went_to_two_upstreams_is_one_request_and_two_attempts(
    database: Database,
):
    ledger = SqlLedger(database)
    ledger.open()
    first = ROW._replace(attempt=1, upstream="one", outcome="http_500", cost=0)
    ledger.append([first, ROW._replace(attempt=2, upstream="two"), ROW._replace(upstream="two")])
    assert [line.requests for line in ask(database, Question(("model",)))] == [1]
    upstreams = ask(database, Question(("upstream",)))
    assert {line.group: (line.requests, line.failed, line.cost) for line in upstreams} == {
        ("one",): (1, 1, 0),
        ("two",): (1, 0, 500),
    }


def test_an_answer_stays_when_its_rows_are_forgotten(database: Database):
    ledger = SqlLedger(database)
    ledger.open()
    for number in range(5):
        ledger.append(request(f"r-{number}", at=number * DAY))
    before = ask(database, Question(("day",)))
    assert len(before) == 5
    ledger.sweep(9 * DAY, 100)
    assert ask(database, Question(("day",))) == before
    assert ledger.rows_of("r-1") == []


def test_a_ledger_in_which_nothing_was_used_answers_with_nothing(database: Database):
    SqlLedger(database).open()
    assert ask(database, Question()) == []
    assert ask(database, Question(("key", "day"), since=HOUR, until=2 * HOUR)) == []


@pytest.mark.parametrize(
    "question",
    [
        Question(("status",)),
        Question(("key; DROP TABLE entries",)),
        Question(("key", "key")),
        Question(("key", "model", "day")),
        Question((), None, None, {"status": ["200"]}),
        Question((), None, None, {"day": ["1970-01-01"]}),
    ],
)
def test_what_cannot_be_asked_is_told(database: Database, question: Question):
    with pytest.raises(QuestionError):
        ask(database, question)
