"""Several processes race for the same budgets."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.ledger.sums import assert_sums_equal_rows

from infway.database.opening import database_at
from infway.ledger.purses import Purse
from infway.ledger.spending import Spending, Sums
from infway.ledger.sql import SqlLedger

PROCESSES = 4
CAP = 12_000  # 120 rounds want about 250 each: more is wanted than there is
PROJECT, KEY = Purse("project:p", "1970-01"), Purse("key:k", "total")


def test_processes_that_race_never_spend_more_than_there_is(place: str | Path):
    with closing(database_at(place)) as database:
        database.open()
        ledger, spending = SqlLedger(database), Spending(database)
        ledger.open()
        programs = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.ledger.racer", str(place), f"{number}", f"{CAP}"],
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(PROCESSES)
        ]
        while any(program.poll() is None for program in programs):
            assert_below(spending)
        said = [int(program.communicate()[0]) for program in programs]
        assert [program.returncode for program in programs] == [0] * PROCESSES
        sums = spending.sums([PROJECT, KEY])
        assert sums[PROJECT] == sums[KEY] == Sums(sum(said), 0)
        assert CAP * 0.9 <= sum(said) <= CAP
        assert database.read("SELECT count(*) FROM grants") == [(0,)]
        assert_sums_equal_rows(database)


def assert_below(spending: Spending) -> None:
    for sums in spending.sums([PROJECT, KEY]).values():
        assert sums.spent + sums.granted <= CAP
