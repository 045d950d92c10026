"""The stores of one process: where its records, its accounts and its kept responses are."""

from typing import NamedTuple

from infway.accounts.gatehouse import Gatehouse
from infway.configured import database_of, gatehouse_of
from infway.database import Database
from infway.ledger.responses_sqlite import SqliteResponses
from infway.ledger.sqlite import OwnLedger
from infway.serving import Plan


class Stores(NamedTuple):
    """What one process keeps records in, all but responses in one database."""

    database: Database
    ledger: OwnLedger
    responses: SqliteResponses
    gatehouse: Gatehouse

    def check(self) -> None:
        """Open and close each, so that what cannot be used is told before anything runs.

        The ledger is first: one that is broken or newer is left as it is. Raises DatabaseError and
        LedgerError.
        """
        for store in (self.ledger, self.responses):
            store.open()
            store.close()
        self.gatehouse.check()


def stores_of(planned: Plan, *, is_checked: bool = False) -> Stores:
    """Return them, not yet open. `is_checked`: they were checked before this process was started."""
    settings, data = planned.settings, planned.options.data
    path = settings.ledger.path or data.ledger
    database = database_of(settings, data, is_checked=is_checked)
    gatehouse = gatehouse_of(database, settings, data)
    responses = SqliteResponses(path.with_name("responses.db"))
    return Stores(database, OwnLedger(database), responses, gatehouse)
