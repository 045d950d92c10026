"""What docker-compose's profile `replicas` runs, as processes: nginx, two gateways, Valkey, Postgres."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path

import psycopg
import pytest
from bench.postgres import Postgres
from tests.e2e.conftest import KEY, write_config
from tests.e2e.gateway import INFWAY, PATIENCE, Gateway, free_port, run, serving
from tests.e2e.upstream import Upstream
from tests.state.valkey import Valkey, running

CONF = Path(__file__).parents[2] / "docker" / "nginx.conf"
REVOKED = 5.0  # seconds until a revoked key is refused everywhere
PEPPER = "3e9b51c07fa2d846b1c5e08f7a9d24631f0c8be5"
LIMIT, CAP = 12, 0.006  # requests per minute; USD
WORST = 0.0013  # USD: more than one request is expected to cost at most
SLOW, TELLER = "slow-current", "teller-current"


@dataclass
class Fleet:
    """Two replicas behind nginx. `store`: the URL of their database."""

    url: str
    path: Path
    store: str
    gateways: list[Gateway] = field(default_factory=list)

    def ask(self, key: str, model: str = TELLER, url: str | None = None) -> int:
        """Return the status of one chat, through nginx unless a replica is named; 0: no answer."""
        try:
            connection, response = self.begin(key, model, url)
            with closing(connection):
                response.read()
                return response.status
        except (OSError, HTTPException):
            return 0

    def begin(
        self, key: str, model: str, url: str | None = None, *, stream: bool = False
    ) -> tuple[HTTPConnection, HTTPResponse]:
        said = [{"role": "user", "content": "Count!"}]
        body = {"model": model, "messages": said, "stream": stream, "max_tokens": 8}
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        address = (url or self.url).removeprefix("http://")
        connection = HTTPConnection(address, timeout=PATIENCE)
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        return connection, connection.getresponse()

    def knows(self, key: str, url: str) -> bool:
        """Tell whether a replica knows a key, without asking a model anything."""
        address = url.removeprefix("http://")
        with closing(HTTPConnection(address, timeout=PATIENCE)) as connection:
            connection.request("GET", "/v1/models", headers={"Authorization": f"Bearer {key}"})
            return connection.getresponse().status == 200

    def everywhere(self, key: str) -> set[int]:
        return {self.ask(key, url=one.url) for one in self.gateways}

    def many(self, key: str, times: int) -> Counter[int]:
        with ThreadPoolExecutor(8) as pool:
            return Counter(pool.map(lambda _: self.ask(key), range(times)))

    def infway(self, number: int, *argv: str) -> str:
        """Run a command beside one of the replicas, and return what it says."""
        environment = {**self.gateways[number].environment, "INFWAY_CONFIG": str(self.path)}
        done = run(INFWAY, *argv, environment=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.store) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]


def until(true: Callable[[], bool], seconds: float = PATIENCE) -> None:
    end = time.perf_counter() + seconds
    while not true():
        assert time.perf_counter() < end
        time.sleep(0.05)


@contextmanager
def nginx(folder: Path, ports: list[int]) -> Iterator[str]:
    """Run nginx with the configuration of compose, but for addresses and folders."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("there is no nginx on this machine")
    port = free_port()
    text = CONF.read_text().replace("/tmp/", f"{folder}/").replace("/dev/stderr", "stderr")
    for number, own in enumerate(ports, 1):
        text = text.replace(f"replica-{number}:8080", f"127.0.0.1:{own}")
    text = re.sub(r"listen 8080;", f"listen 127.0.0.1:{port};", text)
    if os.geteuid() == 0:
        text = "user root;\n" + text  # its workers own no folder of a test's otherwise
    path = folder / "nginx.conf"
    path.write_text(text)
    command = [program, "-c", path, "-e", "stderr", "-g", "daemon off;"]
    with (folder / "nginx.log").open("w") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def fleet(
    upstream: Upstream, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """The fleet of all these tests; the last of them loses a part of it."""
    store = postgres.database()
    folder = tmp_path_factory.mktemp("fleet")
    with ExitStack() as stack:
        valkey: Valkey = stack.enter_context(running(folder / "valkey"))
        path = write_config(
            folder,
            upstream.url,
            state={"redis": valkey.url, "replicas": 2},
            store={"url": store},
            accounts={"pepper": PEPPER},
            server={"grace": 0, "proxy_headers": True},
            plans={"small": {"requests_per_minute": LIMIT}},
        )
        fleet = Fleet("", path, store)
        for name in ("one", "two"):
            (folder / name).mkdir()
            fleet.gateways.append(stack.enter_context(serving(folder / name, "-c", path)))
        ports = [int(one.url.rpartition(":")[2]) for one in fleet.gateways]
        fleet.url = stack.enter_context(nginx(folder, ports))
        until(lambda: fleet.ask(KEY) == 200)
        yield fleet


def test_a_key_that_is_minted_at_one_works_at_both_and_is_gone_soon_after_it_was_revoked(fleet):
    key = fleet.infway(0, "keys", "mint", "anna")
    until(lambda: fleet.everywhere(key) == {200}, REVOKED)
    assert fleet.ask(key) == 200
    fleet.infway(1, "keys", "revoke", "anna")
    until(lambda: fleet.everywhere(key) == {401}, REVOKED)
    assert fleet.ask(key) == 401


def test_limits_and_budgets_hold_over_both_and_usage_shows_both(fleet):
    limited = fleet.infway(0, "keys", "mint", "limited", "--plan", "small")
    spender = fleet.infway(1, "keys", "mint", "spender", "--budget", f"{CAP}/total")
    for key in (limited, spender):
        until(lambda: all(fleet.knows(key, one.url) for one in fleet.gateways))  # noqa: B023
    assert fleet.many(limited, 3 * LIMIT) == {200: LIMIT, 429: 2 * LIMIT}
    assert fleet.everywhere(limited) == {429}
    told = Counter[int]()
    while told[402] < 20:  # what others reserve, or hold for a moment, refuses some before the end
        told += fleet.many(spender, 8)
    assert set(told) == {200, 402}
    count = "SELECT count(*), sum(cost) FROM entries WHERE key = 'spender' AND attempt > 0"

    def is_spent() -> bool:
        fleet.everywhere(spender)
        return int(fleet.rows(count)[0][1] or 0) >= (CAP - 2 * WORST) * 1e12

    until(is_spent)
    until(lambda: fleet.everywhere(spender) == {402})
    ((times, spent),) = fleet.rows(count)
    assert int(spent) / 1e12 <= CAP
    for number in (0, 1):
        said = json.loads(fleet.infway(number, "usage", "--by", "key", "--format", "json"))
        found = {row["key"]: row["requests"] for row in said}
        assert found["limited"] == LIMIT
        assert found["spender"] >= times


def test_streams_come_through_nginx_piece_by_piece(fleet):
    connection, response = fleet.begin(KEY, "slow-oldest", stream=True)
    with closing(connection):
        began = time.perf_counter()
        response.readline()
        first = time.perf_counter() - began
        assert response.read().endswith(b"data: [DONE]\n\n")
        assert first < (time.perf_counter() - began) / 2


def test_one_replica_is_killed_the_other_goes_on_and_all_is_settled(fleet):
    streams = [fleet.begin(KEY, SLOW, stream=True) for _ in range(6)]
    for _, response in streams:
        response.readline()
    dead = fleet.gateways[0]
    dead.process.send_signal(signal.SIGKILL)
    dead.process.wait()
    assert fleet.many(KEY, 20) == {200: 20}  # nginx tries the other one
    whole = 0
    for connection, response in streams:
        with closing(connection):
            try:
                whole += response.read().endswith(b"data: [DONE]\n\n")
            except (OSError, HTTPException):
                continue
    assert 0 < whole < len(streams)  # least_conn has given both some
    settled = "SELECT outcome, count(*) FROM entries WHERE model = 'slow-current' AND attempt = 0 GROUP BY outcome"
    ended = {"ok": whole, "interrupted": len(streams) - whole}
    with serving(fleet.path.parent / "one", "-c", fleet.path):  # it settles what it had under way
        until(lambda: dict(fleet.rows(settled)) == ended)
