"""What cuts connections whose servers are frozen: each at its own time, in one thread for all."""

import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from time import perf_counter

import psycopg
import pytest
from bench.postgres import Postgres

from infway.database.leash import Leash
from infway.kernel.clock import system_clock

SLEEP = b"SELECT pg_sleep(30)"


@pytest.fixture
def leash() -> Leash:
    return Leash(system_clock().monotonic)


def cut_after(leash: Leash, url: str, limit: float) -> float:
    """Return the seconds until a connection that is in a long statement is cut."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        began = perf_counter()
        with pytest.raises(psycopg.OperationalError), leash.hold(connection, limit):
            connection.execute(SLEEP)
        return perf_counter() - began


def watching() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name == "infway-leash"}


def test_each_is_cut_at_its_own_time_also_where_a_later_one_was_there_before(
    postgres: Postgres, leash: Leash
):
    limits, took = (1.5, 0.3, 0.9), dict[float, float]()
    others = watching()

    def cut(limit: float) -> Callable[[], None]:
        return lambda: took.update({limit: cut_after(leash, postgres.url(), limit)})

    with closing(psycopg.connect(postgres.url())) as other, leash.hold(other, 60):
        threads = [threading.Thread(target=cut(limit)) for limit in limits]
        for one in threads:
            one.start()
        assert len(watching() - others) == 1
        for one in threads:
            one.join()
        assert not other.closed
        assert other.execute("SELECT 1").fetchone() == (1,)
    assert sorted(took) == sorted(took, key=took.__getitem__)
    assert all(limit <= took[limit] < 30 for limit in limits)


def test_what_ended_in_time_is_never_cut_and_nobody_watches_for_ever(
    postgres: Postgres, leash: Leash
):
    others = watching()
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(psycopg.connect(postgres.url()))) for _ in "ab"]
        for _ in range(500):
            for connection in connections:
                with leash.hold(connection, 0.2):
                    connection.execute("SELECT 1")
        assert len(watching() - others) == 1
        for one in watching() - others:
            one.join(5)
            assert not one.is_alive()
        assert [one.execute("SELECT 1").fetchone() for one in connections] == [(1,), (1,)]
