"""A gateway while it is told to read its configuration again, to stop, or is too busy."""

import json
import signal
import sqlite3
import time
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from threading import Timer

import pytest
from openai import OpenAI
from tests.e2e.conftest import KEY, write_config
from tests.e2e.gateway import PATIENCE, Gateway, serving
from tests.e2e.upstream import ANSWER, PIECES

SLOW, TELLER = "slow-current", "teller-current"


def request(gateway: Gateway, model: str, *, stream: bool) -> tuple[HTTPConnection, HTTPResponse]:
    body = {"model": model, "messages": [{"role": "user", "content": "Count!"}], "stream": stream}
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    address = gateway.url.removeprefix("http://")
    connection = HTTPConnection(address, timeout=PATIENCE)
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    return connection, connection.getresponse()


def answers(gateway: Gateway, model: str) -> int:
    connection, response = request(gateway, model, stream=False)
    with closing(connection):
        response.read()
    return response.status


def until_logged(gateway: Gateway, words: str) -> None:
    end = time.perf_counter() + PATIENCE
    while words not in gateway.log.read_text():
        assert time.perf_counter() < end, gateway.log.read_text()
        time.sleep(0.02)


@pytest.fixture
def own(upstream, tmp_path):
    """A gateway that a test may break, with its configuration."""
    path = write_config(tmp_path, upstream.url)
    with serving(tmp_path, "-c", path) as gateway:
        yield gateway, path


def test_a_stop_lets_a_live_stream_finish_and_leaves_with_0(own):
    gateway, _ = own
    connection, response = request(gateway, SLOW, stream=True)
    with closing(connection):
        first = response.readline()
        gateway.process.send_signal(signal.SIGTERM)
        rest = response.read().decode()
    assert first.startswith(b"data: {")
    assert rest.endswith("data: [DONE]\n\n")
    assert f'"{PIECES["slow"] - 1} "' in rest
    assert gateway.process.wait(PATIENCE) == 0
    assert '"level":"error"' not in gateway.log.read_text()


def test_a_wrong_configuration_is_not_taken_and_the_running_one_stays(own):
    gateway, path = own
    path.write_text('{"server": {"prot": 1}, "upstreams": 7}')
    done = gateway.infway("reload", "-c", str(path))
    assert done.returncode == 2
    assert "server.prot" in done.stderr
    assert "upstreams" in done.stderr
    gateway.process.send_signal(signal.SIGHUP)  # and whoever sends the signal past the command
    until_logged(gateway, "the running one stays")
    assert answers(gateway, TELLER) == 200


def test_a_reload_serves_what_is_new_and_does_not_disturb_a_stream(own, upstream, tmp_path):
    gateway, path = own
    connection, response = request(gateway, SLOW, stream=True)
    with closing(connection):
        response.readline()
        assert answers(gateway, "newcomer") == 404
        write_config(tmp_path, upstream.url, aliases={"newcomer": TELLER})
        assert gateway.infway("reload", "-c", str(path)).returncode == 0
        until_logged(gateway, "the configuration was read again")
        assert answers(gateway, "newcomer") == 200
        assert response.read().endswith(b"data: [DONE]\n\n")


def test_a_reload_names_what_needs_a_restart(own, upstream, tmp_path):
    gateway, path = own
    server = {"port": 1, "docs": False}
    write_config(tmp_path, upstream.url, server=server)
    assert gateway.infway("reload", "-c", str(path)).returncode == 0
    until_logged(gateway, "a restart is needed for what changed of: server.docs")
    assert answers(gateway, TELLER) == 200


def test_the_sdk_comes_again_when_a_busy_gateway_told_it_to(upstream, tmp_path):
    # One row may wait to be written, and somebody else has the file: the second request meets a
    # full queue and is told when to come again; the SDK does as it is told, and its caller notices
    # nothing.
    file = tmp_path / "ledger.db"
    ledger = {"spool_rows": 1, "path": str(file)}
    path = write_config(tmp_path, upstream.url, ledger=ledger)
    with (
        serving(tmp_path, "-c", path) as gateway,
        closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as somebody,
        OpenAI(base_url=f"{gateway.url}/v1", api_key=KEY) as client,
    ):
        somebody.execute("BEGIN IMMEDIATE")
        began = time.perf_counter()
        for _ in range(2):
            done = client.chat.completions.create(
                model=TELLER, messages=[{"role": "user", "content": "Hello?"}]
            )
            assert done.choices[0].message.content == ANSWER
            if somebody.in_transaction:
                Timer(0.8, somebody.execute, ["ROLLBACK"]).start()
        assert time.perf_counter() - began >= 1
        assert gateway.stop() == 0
