"""The first start, with nothing configured: what is printed, and what a person does next."""

import json
import re
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.gateway import INFWAY, PATIENCE, run, serving

KEY = re.compile(r"sk-iw-\w{12}-\w{49}")
# A model server of this machine would be used, too; these tests are about having none.
ALONE = ("--sandbox", "--no-local")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("first"), *ALONE) as gateway:
        yield gateway


def key_file(home: str) -> Path:
    return Path(home) / ".local" / "share" / "infway" / "key"


def until(holds: Callable[[], bool]) -> None:
    end = time.perf_counter() + PATIENCE
    while not holds():
        assert time.perf_counter() < end
        time.sleep(0.02)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_banners_line_works_as_it_is_pasted(first):
    line = first.banner[first.banner.index("curl ") :]
    done = run("bash", "-c", line)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["choices"][0]["message"]["content"]
    assert answer["usage"]["total_tokens"] > 0


def test_the_banner_says_what_is_served_and_where(first):
    assert "sandbox-swift" in first.banner
    assert f"Base URL   {first.url}/v1" in first.banner
    assert f"{first.url}/docs" in first.banner


def test_the_made_key_is_kept_for_its_owner_alone(first):
    kept = key_file(first.environment["HOME"])
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert KEY.findall(first.banner) == [kept.read_text().strip()] * 2


def test_a_second_start_has_the_same_key(tmp_path):
    keys = []
    for _ in range(2):
        with serving(tmp_path, *ALONE) as gateway:
            keys += KEY.findall(gateway.banner)
            assert gateway.stop() == 0
    assert len(keys) == 4
    assert len(set(keys)) == 1


def test_health_says_that_it_is_well(first):
    done = first.infway("health")
    assert (done.returncode, done.stdout) == (0, f"{first.url} is well.\n")


def test_chat_prints_an_answer_and_usage_shows_it(first):
    done = first.infway("chat", "hi")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) > 1
    until(lambda: "REQUESTS" in first.infway("usage").stdout)
    head, *rows = first.infway("usage", "--by", "key").stdout.splitlines()
    assert head.split()[:3] == ["KEY", "REQUESTS", "FAILED"]
    assert rows[0].split()[0] == "first-start"


def test_models_lists_what_is_served(first):
    done = first.infway("models")
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.splitlines()
    assert head.split()[:4] == ["MODEL", "UPSTREAM", "IN", "OUT"]
    assert [row.split()[:2] for row in rows] == [
        ["sandbox-chat", f"sandbox-{name}"] for name in ("thrifty", "shaky", "swift")
    ]


def test_check_says_that_nothing_is_configured(first):
    done = first.infway("check")
    assert done.returncode == 0, done.stderr
    assert "No upstreams" in done.stdout
    assert "The configuration is right" in done.stdout


def test_explain_shows_the_order_of_a_request(first):
    body = json.dumps({"messages": [{"role": "user", "content": "hi"}]})
    done = first.infway("explain", "-", stdin=body)
    assert done.returncode == 0, done.stderr
    assert "input tokens" in done.stdout
    assert re.search(r"^1 +\S+/\S+ ", done.stdout, re.MULTILINE)


def test_reload_is_done_and_logged(first):
    done = first.infway("reload")
    assert done.returncode == 0, done.stderr
    assert str(first.process.pid) in done.stdout
    until(lambda: "the configuration was read again" in first.log.read_text())


def test_a_port_in_use_is_said_clearly(first):
    done = run(INFWAY, "serve", *ALONE, environment=first.environment)
    assert done.returncode == 1
    port = first.environment["PORT"]
    assert f"127.0.0.1:{port} cannot be listened on: Address already in use" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_option_is_said_clearly(tmp_path):
    done = run(INFWAY, "serve", "--port", "70000", environment={"HOME": str(tmp_path)})
    assert done.returncode == 2
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
