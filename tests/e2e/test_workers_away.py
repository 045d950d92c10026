"""Rows 64, 65 and 67 at once: the store is away, a worker dies, and the others go on without it."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest
from bench.postgres import NoPostgresError, Postgres
from tests.e2e.conftest import write_config
from tests.e2e.gateway import PATIENCE, Gateway, serving
from tests.e2e.test_lifetime import TELLER, answers, until_logged
from tests.e2e.test_workers import port_of, ready, until, workers
from tests.process.stores import killed, locked

from infway.database.opening import database_at

REFUSED = "a worker cannot start, it is tried again and the others go on"
PEPPER = "3e9b51c07fa2d846b1c5e08f7a9d24631f0c8be5"


@dataclass
class Store:
    """Where the rows are, and how that is taken away. `settings`: what the gateway is told."""

    place: str | Path
    settings: dict[str, object]
    server: Postgres | None = None

    @contextmanager
    def away(self) -> Iterator[None]:
        """Lock the file, or end the server."""
        if self.server is None:
            assert isinstance(self.place, Path)
            with locked(self.place):
                yield
            return
        with killed(self.server):
            yield

    def requests(self) -> int:
        """How many requests have their row, each of them one attempt."""
        with closing(database_at(self.place)) as database:
            database.open()
            counts = dict(database.read("SELECT attempt, count(*) FROM entries GROUP BY attempt"))
        assert counts[0] == counts[1]
        return int(counts[0])


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        file = tmp_path / "ledger.db"
        yield Store(file, {"ledger": {"path": str(file)}})
        return
    try:
        server = Postgres()
    except NoPostgresError as error:
        pytest.skip(str(error))
    with closing(server):
        url = server.database()
        yield Store(url, {"store": {"url": url}, "accounts": {"pepper": PEPPER}}, server)


@contextmanager
def two_workers(url: str, folder: Path, **settings: object) -> Iterator[Gateway]:
    path = write_config(folder, url, server={"workers": 2, "grace": 0}, **settings)
    with serving(folder, "-c", path) as gateway:
        until(lambda: len(workers(gateway)) == 2 and all_answer(gateway))
        yield gateway


def all_answer(gateway: Gateway) -> bool:
    """Tell whether each worker takes connections: of many, every one has some."""
    if ready(gateway) != 200:
        return False
    with ExitStack() as held:
        for _ in range(16):
            connection = held.enter_context(closing(HTTPConnection("127.0.0.1", port_of(gateway))))
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        taken = {
            pid
            for pid in workers(gateway)
            for one in psutil.Process(pid).net_connections()
            if one.status == psutil.CONN_ESTABLISHED and one.laddr.port == port_of(gateway)
        }
        return taken == workers(gateway)


def refusals(gateway: Gateway) -> list[str]:
    return [line for line in gateway.log.read_text().splitlines() if REFUSED in line]


def kill_one(gateway: Gateway) -> int:
    killed = min(workers(gateway))
    os.kill(killed, signal.SIGKILL)
    return killed


def test_a_worker_that_dies_while_the_store_is_away_takes_no_other_along(
    upstream, tmp_path: Path, store: Store
):
    with two_workers(upstream.url, tmp_path, **store.settings) as gateway:
        asked = 0
        for _ in range(5):
            assert answers(gateway, TELLER) == 200
            asked += 1
        with store.away():
            lost = kill_one(gateway)
            while not refusals(gateway):
                assert answers(gateway, TELLER) == 200
                asked += 1
            assert ready(gateway) == 200
        until_logged(gateway, "workers can start again")
        assert len(workers(gateway)) == 2
        assert lost not in workers(gateway)
        for _ in range(5):
            assert answers(gateway, TELLER) == 200
            asked += 1
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(PATIENCE) == 0
        assert len(refusals(gateway)) == 1  # a reason is said once
        assert "Traceback" not in gateway.log.read_text()
    assert store.requests() == asked
