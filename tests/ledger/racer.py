"""One process of a race: takes grants, spends them, writes rows, gives back; prints what it spent."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from tests.ledger.row import ROW

from infway.database.opening import database_at
from infway.ledger.purses import Purse
from infway.ledger.spending import Spending, Want
from infway.ledger.sql import SqlLedger

THREADS, TURNS = 2, 15
PURSES = (Purse("project:p", "1970-01"), Purse("key:k", "total"))


def main(place: str, number: str, cap: int) -> int:
    """Race; return what was spent."""
    database = database_at(place if "://" in place else Path(place))
    database.open()
    ledger, spending = SqlLedger(database), Spending(database)

    def run(thread: int) -> int:
        owner, chance, spent = f"{number}.{thread}", Random(f"{number}.{thread}"), 0
        for turn in range(TURNS):
            wants = [Want(purse, cap, chance.randint(1, 500)) for purse in PURSES]
            granted = min(spending.take(owner, 9e9, wants).values())
            cost = chance.randint(granted * 9 // 10, granted)
            row = ROW._replace(request=f"{owner}-{turn}", key="k", project="p", cost=cost)
            ledger.append([row, row._replace(attempt=1)], owner)
            spending.give_back(owner, spending.held(owner))
            spent += cost
        return spent

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(run, range(THREADS)))


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
