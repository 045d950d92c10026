"""Several workers behind one port: one dies, all stop, their keeper goes, the file is broken."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil
import pytest
from tests.e2e.conftest import write_config
from tests.e2e.gateway import PATIENCE, Gateway, forker_of, serving, workers_of
from tests.e2e.test_lifetime import SLOW, TELLER, answers, request, until_logged
from tests.e2e.upstream import Upstream

GRACE = 0.5


@contextmanager
def two_workers(upstream: Upstream, folder: Path) -> Iterator[tuple[Gateway, Path]]:
    path = write_config(folder, upstream.url, server={"workers": 2, "grace": GRACE})
    with serving(folder, "-c", path) as gateway:
        until(lambda: len(workers(gateway)) == 2 and ready(gateway) == 200)
        yield gateway, path


@pytest.fixture(scope="module")
def lasting(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, Path]]:
    """One gateway for the tests after which it still serves, and for the one that ends it."""
    with two_workers(upstream, tmp_path_factory.mktemp("lasting")) as several:
        yield several


@pytest.fixture
def own(upstream: Upstream, tmp_path: Path) -> Iterator[tuple[Gateway, Path]]:
    with two_workers(upstream, tmp_path) as several:
        yield several


def until(true: Callable[[], bool]) -> None:
    end = time.perf_counter() + PATIENCE
    while not true():
        assert time.perf_counter() < end
        time.sleep(0.01)


def workers(gateway: Gateway) -> set[int]:
    """Return the processes that serve."""
    return {one.pid for one in workers_of(gateway.process.pid)}


def is_over(pid: int) -> bool:
    """Tell whether a process has ended, also where nobody has asked how."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def ready(gateway: Gateway) -> int:
    connection = HTTPConnection(gateway.url.removeprefix("http://"), timeout=PATIENCE)
    try:
        with closing(connection):
            connection.request("GET", "/readyz")
            return connection.getresponse().status
    except (OSError, HTTPException):
        return 0


def test_who_forks_workers_may_be_killed_and_they_stop_in_order(own):
    gateway, _ = own
    before = workers(gateway)
    streams = [request(gateway, SLOW, stream=True) for _ in range(4)]
    forker = forker_of(gateway.process.pid)
    assert forker is not None
    forker.kill()
    for connection, response in streams:
        assert b"data: [DONE]" in response.read()
        connection.close()

    def are_replaced() -> bool:
        now = workers(gateway)
        return len(now) == 2 and now.isdisjoint(before) and ready(gateway) == 200

    until(are_replaced)
    until(lambda: all(map(is_over, before)))
    assert answers(gateway, TELLER) == 200


def test_another_worker_takes_the_place_of_one_that_dies(lasting):
    gateway, _ = lasting
    before = workers(gateway)
    streams = [request(gateway, SLOW, stream=True) for _ in range(6)]
    for _, response in streams:
        response.readline()
    killed = before.pop()
    theirs = {
        one.raddr.port if one.laddr.port == port_of(gateway) else one.laddr.port
        for one in psutil.Process(killed).net_connections()
        if one.raddr and port_of(gateway) in (one.laddr.port, one.raddr.port)
    }
    os.kill(killed, signal.SIGKILL)
    whole = 0
    for connection, response in streams:
        own = connection.sock.getsockname()[1] if connection.sock else 0
        with closing(connection):
            try:
                is_whole = response.read().endswith(b"data: [DONE]\n\n")
            except (HTTPException, OSError):
                is_whole = False
        assert is_whole == (own not in theirs)  # nothing but what was in flight there
        whole += is_whole
    assert whole == len(streams) - len(theirs)
    until(lambda: len(workers(gateway)) == 2)
    assert killed not in workers(gateway)
    for _ in range(20):
        assert answers(gateway, TELLER) == 200


def port_of(gateway: Gateway) -> int:
    return int(gateway.url.rpartition(":")[2])


def test_who_starts_again_does_not_need_the_file(lasting):
    gateway, path = lasting
    write_config(path.parent, "http://127.0.0.1:9/v1", server={"workers": 2}, aliases={"x": TELLER})
    good = path.read_text()
    assert "aliases" in good
    path.write_text("{")
    gateway.process.send_signal(signal.SIGHUP)
    until_logged(gateway, "the running one stays")
    for pid in workers(gateway):
        os.kill(pid, signal.SIGKILL)
        until(lambda: len(workers(gateway)) == 2)
    until(lambda: ready(gateway) == 200)
    for _ in range(10):
        assert answers(gateway, TELLER) == 200


def test_a_stop_reaches_every_worker_and_waits_for_their_streams(own):
    gateway, _ = own
    streams = [request(gateway, SLOW, stream=True) for _ in range(6)]
    for _, response in streams:
        response.readline()
    os.killpg(os.getpgid(gateway.process.pid), 0)  # it is there
    forker = forker_of(gateway.process.pid)
    assert forker is not None
    gateway.process.send_signal(signal.SIGTERM)
    for pid in (*workers(gateway), forker.pid):
        os.kill(pid, signal.SIGTERM)  # as service managers do, which know all processes
    until(lambda: ready(gateway) != 200)
    assert answers(gateway, TELLER) == 200  # in its grace
    for connection, response in streams:
        with closing(connection):
            said = response.read()
        assert said.endswith(b"data: [DONE]\n\n")
        assert b'"error"' not in said
    assert gateway.process.wait(PATIENCE) == 0
    assert '"level":"error"' not in gateway.log.read_text()


def test_workers_do_not_outlive_their_keeper(lasting):
    gateway, _ = lasting
    left = [psutil.Process(pid) for pid in workers(gateway)]
    gateway.process.kill()
    assert psutil.wait_procs(left, timeout=PATIENCE)[1] == []
    assert ready(gateway) == 0
