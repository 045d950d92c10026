"""The metrics of several workers are those of all of them, whichever is asked."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from tests.e2e.conftest import write_config
from tests.e2e.gateway import PATIENCE, Gateway, serving
from tests.e2e.test_lifetime import TELLER, answers
from tests.e2e.test_workers import ready, until, workers
from tests.e2e.upstream import Upstream
from tests.telemetry.test_tallies import number

SENT = 40


@pytest.fixture
def several(upstream: Upstream, tmp_path: Path) -> Iterator[Gateway]:
    path = write_config(tmp_path, upstream.url, server={"workers": 2, "grace": 0})
    with serving(tmp_path, "-c", path) as gateway:
        until(lambda: len(workers(gateway)) == 2 and ready(gateway) == 200)
        yield gateway


def page(gateway: Gateway) -> bytes:
    """Ask one of the workers, whichever takes the connection."""
    address = gateway.url.removeprefix("http://")
    with closing(HTTPConnection(address, timeout=PATIENCE)) as connection:
        connection.request("GET", "/metrics")
        return connection.getresponse().read()


def requests(gateway: Gateway) -> float:
    return number(page(gateway), "infway_requests_total")


def send(gateway: Gateway) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: answers(gateway, TELLER), range(SENT))) == {200}


def test_they_are_what_was_sent_and_never_go_back_when_workers_are_killed(several: Gateway):
    seen = 0.0
    for turn in (1, 2, 3):
        send(several)
        until(lambda: requests(several) == SENT * turn)  # noqa: B023
        for _ in range(20):
            said = page(several)
            assert number(said, "infway_requests_total") == SENT * turn
            assert number(said, "infway_attempts_total") == SENT * turn
            assert number(said, "infway_attempt_seconds_count") == SENT * turn
            assert number(said, "infway_tokens_total", kind="prompt") == 25 * SENT * turn
        for pid in workers(several):
            os.kill(pid, signal.SIGKILL)
            until(lambda: len(workers(several)) == 2)
            until(lambda: ready(several) == 200)
            seen = max(seen, kept(several))
            assert seen == SENT * turn
    assert several.stop() == 0


def kept(gateway: Gateway) -> float:
    """Return the requests as a worker counts them that may have to be found first."""
    while True:
        try:
            return requests(gateway)
        except (OSError, HTTPException):
            continue
