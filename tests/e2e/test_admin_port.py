"""The admin API of `infway serve`, with one process and with workers; and what it refuses to start with."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from tests.e2e.conftest import write_config
from tests.e2e.gateway import INFWAY, PATIENCE, Gateway, run, serving
from tests.e2e.upstream import Upstream
from tests.wall import closed_port

FIRST = "Zk3v9QpL7xT2mN8wR4bY6cJ1hG5dF0sA"


@pytest.fixture(scope="module", params=[1, 2])
def standing(
    request: pytest.FixtureRequest, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, int]]:
    port = closed_port()
    folder = tmp_path_factory.mktemp("standing")
    path = write_config(
        folder,
        upstream.url,
        server={"workers": request.param, "grace": 0},
        admin={"port": port, "key": FIRST},
        accounts={"refresh": 0.1},
    )
    with serving(folder, "-c", path) as gateway:
        until(lambda: ask(port, "GET", "/admin/v1/keys")[0] == 200)
        yield gateway, port


def until(true: Callable[[], bool]) -> None:
    end = time.perf_counter() + PATIENCE
    while not true():
        assert time.perf_counter() < end
        time.sleep(0.01)


def ask(port: int, method: str, path: str, body: object = None, key: str = FIRST):
    """Return the status and the reply; 0 where nobody listens yet."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        try:
            said = None if body is None else json.dumps(body)
            connection.request(method, path, said, headers)
            response = connection.getresponse()
        except OSError:
            return 0, None
        return response.status, json.loads(response.read())


def test_a_key_that_was_minted_here_or_by_the_command_line_works_and_ends_everywhere(standing):
    gateway, port = standing
    callers = int(gateway.url.rpartition(":")[2])
    _, made = ask(port, "POST", "/admin/v1/keys", {"name": "anna"})
    minted = gateway.infway("keys", "mint", "bo").stdout.strip()
    for key in (made["key"], minted):
        until(lambda: ask(callers, "GET", "/v1/models", key=key)[0] == 200)  # noqa: B023
    assert ask(port, "POST", "/admin/v1/keys/bo/revoke")[0] == 200
    assert gateway.infway("keys", "revoke", "anna").returncode == 0
    for key in (made["key"], minted):
        many = range(8)  # one of several workers after another
        until(
            lambda: all(ask(callers, "GET", "/v1/models", key=key)[0] == 401 for _ in many)  # noqa: B023
        )
    told = gateway.log.read_text()
    assert made["key"][19:] not in told
    assert minted[19:] not in told


def test_what_is_configured_is_listed_and_changed_in_the_file_alone(standing):
    _, port = standing
    _, listed = ask(port, "GET", "/admin/v1/keys")
    assert (listed["data"][0]["name"], listed["data"][0]["source"]) == ("e2e", "configuration")
    assert ask(port, "POST", "/admin/v1/keys/e2e/revoke")[0] == 409


def test_a_reload_that_is_asked_for_here_reaches_every_process(standing):
    gateway, port = standing
    assert ask(port, "POST", "/admin/v1/reload")[0] == 202
    until(lambda: "the configuration was read again" in gateway.log.read_text())


def test_a_stop_closes_the_port_as_well(standing):
    gateway, port = standing  # the last of those that share it
    gateway.stop()
    assert ask(port, "GET", "/admin/v1/keys")[0] == 0


def test_nothing_starts_with_an_admin_key_that_everybody_knows(upstream: Upstream, tmp_path: Path):
    for key in (None, "short", "change-me-this-is-only-an-example!!"):
        admin = {"port": closed_port(), **({"key": key} if key else {})}
        path = write_config(tmp_path, upstream.url, admin=admin)
        environment = {"INFWAY_DATA_DIR": str(tmp_path / "data"), "PATH": ""}
        done = run(INFWAY, "serve", "-c", path, environment=environment)
        assert done.returncode == 2
        assert "admin" in done.stderr


def test_a_port_that_somebody_has_is_named(upstream: Upstream, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        admin = {"port": somebody.getsockname()[1], "key": FIRST}
        path = write_config(tmp_path, upstream.url, server={"port": closed_port()}, admin=admin)
        environment = {"INFWAY_DATA_DIR": str(tmp_path / "data"), "PATH": ""}
        done = run(INFWAY, "serve", "-c", path, environment=environment)
    assert (done.returncode, "admin.port" in done.stderr) == (1, True)
