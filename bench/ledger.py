"""`python -m bench.ledger [--rows N] [--real N] [--kinds sqlite postgres]`: the ledger filled, and asked.

Rows go in as the gateway's do, sums and all, written through to the disk. Then the five questions
that are asked most, each several times; and batches as they come from a busy gateway, timed alone.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from random import Random

from bench.postgres import Postgres
from infway.database import Database
from infway.database.opening import database_at
from infway.database.postgres import Patience, PostgresDatabase
from infway.database.sqlite import SqliteDatabase
from infway.ledger.counting import COUNTERS
from infway.ledger.questions import Question, ask
from infway.ledger.rows import Row, tags_text
from infway.ledger.sql import SqlLedger

DAY = 86_400.0
DAYS = 90
BEGIN = 1_767_225_600.0  # 2026-01-01, UTC
NOW = BEGIN + DAYS * DAY
KEYS, PROJECTS, ORGANISATIONS, MODELS, UPSTREAMS = 100, 12, 3, 20, 6
OF_KEY = 5  # models that a key uses
TAGS = ("web", "batch", "team-a", "team-b", "test", "eval")
TIMES = 7  # that each question is asked
FILL = 20_000  # rows of a batch while filling
BATCHES, BATCH = 30, 1000  # those that are timed alone: what 5,000 requests in a second leave

QUESTIONS: dict[str, Question] = {
    "cost by model, 30 days": Question(("model",), NOW - 30 * DAY),
    "cost by key, 30 days": Question(("key",), NOW - 30 * DAY),
    "each day of one project, 90 days": Question(("day",), None, None, {"project": ["project-3"]}),
    "project and model, 90 days": Question(("project", "model")),
    "upstreams and outcomes, 24 hours": Question(("upstream", "outcome"), NOW - DAY - 1234.5),
}


def rows(count: int, begin: float, seconds: float, name: str) -> Iterator[Row]:
    """Yield rows of requests in the order of time, one in ten with a second attempt."""
    chance = Random(name)
    step = seconds / (count / 2.1)
    number = 0
    while True:
        number += 1
        key = chance.randrange(KEYS)
        model = (key * 7 + chance.randrange(OF_KEY)) % MODELS
        failed = chance.random() < 0.1
        prompt, completion = chance.randrange(50, 4000), chance.randrange(10, 800)
        project = key % PROJECTS
        row = Row(
            request=f"{name}-{number:x}", attempt=0, at=begin + number * step, key=f"key-{key}",
            model=f"model-{model}", upstream=f"upstream-{(model + failed) % UPSTREAMS}", outcome="ok",
            status=200, stream=1, prompt_tokens=prompt, completion_tokens=completion,
            cached_tokens=prompt // 2, reasoning_tokens=completion // 4,
            cost=prompt * 2_500_000 + completion * 10_000_000, estimated=0, priced=1, start_ms=400,
            end_ms=2500, organisation=f"organisation-{project % ORGANISATIONS}",
            project=f"project-{project}", boot="boot", monotonic=number * step, native="native",
            tags=tags_text((TAGS[key % 6], TAGS[(key + 1) % 6]) if key % 2 else ()),
        )  # fmt: skip
        if failed:
            first = f"upstream-{model % UPSTREAMS}"
            yield row._replace(attempt=1, upstream=first, outcome="http_500", cost=0)
        yield row._replace(attempt=1 + failed)
        yield row


def filled(ledger: SqlLedger, count: int) -> float:
    """Write so many rows; return the seconds of the writing alone."""
    source, spent, left = rows(count, BEGIN, DAYS * DAY, "fill"), 0.0, count
    while left > 0:
        batch = list(islice(source, min(FILL, left)))
        began = time.perf_counter()
        ledger.append(batch)
        spent += time.perf_counter() - began
        left -= len(batch)
        if (count - left) % (50 * FILL) == 0:
            print(f"  {count - left:,} rows, {spent:.0f} s", flush=True)
    return spent


def copied(database: Database, count: int, times: int) -> float:
    """Have each of so many rows so many times, and their sums with them; return seconds.

    The database makes the copies itself: what questions meet is the same, and sooner there.
    """
    began = time.perf_counter()
    names = ", ".join(Row._fields[1:])
    for number in range(1, times):
        with database.transaction() as work:
            work.run(
                f"INSERT INTO entries (request, {names}) SELECT '{number}-' || request, {names}"
                " FROM entries WHERE request NOT LIKE '%-%-%'"
            )
    with database.transaction() as work:
        for table, counters in (
            ("hours", COUNTERS),
            ("days", COUNTERS),
            ("spent", ("high", "low")),
        ):
            more = ", ".join(f"{name} = {name} * {times}" for name in counters)
            work.run(f"UPDATE {table} SET {more}")
    ((rows_,),) = database.read("SELECT sum(rows) FROM days")
    assert rows_ == count * times
    return time.perf_counter() - began


def written(ledger: SqlLedger) -> tuple[float, float]:
    """Write batches as they come from a busy gateway; return seconds of all, and CPU seconds."""
    source = rows(BATCHES * BATCH, NOW, 60.0, f"more{time.time_ns():x}")
    batches = [list(islice(source, BATCH)) for _ in range(BATCHES)]
    began, used = time.perf_counter(), time.process_time()
    for batch in batches:
        ledger.append(batch, "owner")
    return time.perf_counter() - began, time.process_time() - used


def asked(database: Database) -> None:
    """Ask every question and print how long its answer took; the CPU is this process's own."""
    for name, question in QUESTIONS.items():
        times, used = [], time.process_time()
        for _ in range(TIMES):
            began = time.perf_counter()
            lines = ask(database, question)
            times.append((time.perf_counter() - began) * 1000)
        used = (time.process_time() - used) / TIMES * 1000
        print(
            f"  {name:34} {len(lines):5} lines  best {min(times):7.1f} ms"
            f"  median {statistics.median(times):7.1f} ms  CPU {used:6.1f} ms",
            flush=True,
        )


@contextmanager
def place_of(kind: str) -> Iterator[str | Path]:
    """Yield where a new database is: a folder, or a server that is started for it."""
    if kind == "sqlite":
        folder = Path(tempfile.mkdtemp(prefix="ledger-"))
        try:
            yield folder / "ledger.db"
        finally:
            shutil.rmtree(folder)
    else:
        server = Postgres(safe=True)
        try:
            yield server.database()
        finally:
            server.close()


def patient(place: str | Path) -> Database:
    """Return a database that may take its time, open."""
    database: Database = (
        PostgresDatabase(place, Patience(statement=7200))
        if isinstance(place, str)
        else SqliteDatabase(place)
    )
    database.open()
    return database


def measured(kind: str, count: int, real: int) -> None:
    """Fill and ask one database, and print what it took."""
    with place_of(kind) as place:
        database = database_at(place)
        database.open()
        ledger = SqlLedger(database)
        ledger.open()
        times = -(-count // real)
        print(f"{kind}: {real * times:,} rows of {DAYS} days", flush=True)
        seconds = filled(ledger, real)
        print(f"  {real:,} in batches of {FILL:,}: {real / seconds:,.0f} rows/s", flush=True)
        if times > 1:
            with closing(patient(place)) as copying:
                seconds = copied(copying, real, times)
            print(f"  the others are copies of them: {seconds:,.0f} s", flush=True)
        if kind == "postgres":
            with closing(patient(place)) as other, other.transaction() as work:
                work.run("ANALYZE")
        ((sums,),) = database.read("SELECT count(*) FROM days")
        ((hours,),) = database.read("SELECT count(*) FROM hours")
        print(f"  {sums:,} sums of days, {hours:,} of hours", flush=True)
        asked(database)
        seconds, used = written(ledger)
        print(
            f"  batches of {BATCH:,}: {BATCHES * BATCH / seconds:,.0f} rows/s,"
            f" {used / BATCHES / BATCH * 1e6:.1f} us of this process's CPU for each row",
            flush=True,
        )
        database.close()


def main(arguments: Sequence[str]) -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.ledger", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--real", type=int, default=1_000_000, help="the others are copies")
    parser.add_argument(
        "--kinds", nargs="+", choices=["sqlite", "postgres"], default=["sqlite", "postgres"]
    )
    said = parser.parse_args(arguments)
    for kind in said.kinds:
        measured(kind, said.rows, min(said.rows, said.real))


if __name__ == "__main__":
    main(sys.argv[1:])
