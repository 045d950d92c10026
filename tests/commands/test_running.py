"""Commands that talk to the running gateway: health, reload, chat, explain --id."""

import json
import os
import re
import signal
import subprocess
import sys

from infway.datadir import DataDir

KEY = "sk-test-0123456789abcdef"


def test_explain_asks_the_gateway_for_a_past_request(infway, gateway):
    offer = {"offer": "a/b", "place": 1, "cost_usd": 0.25, "value": -1, "state": "closed"}
    out = {"offer": "c/d", "place": None, "removed_by": "context"}
    decision = {"input_tokens": 7, "output_tokens": 9.0, "weights": {"price": 1.0, "error": None}}
    happened = {"outcome": "ok", "attempts": [{"offer": "a/b", "outcome": "ok"}]}
    body = json.dumps({"decision": decision | {"offers": [offer, out]}, **happened}).encode()
    with gateway(200, body) as (url, asked):
        done = infway("explain", "--id", "r-1", "--url", url, INFWAY_API_KEY=KEY)
    assert done.code == 0, done.err
    assert "7 input tokens, 9 output tokens expected; weights: price 1\n" in done.out
    assert re.search(r"^1 +a/b +0\.25 +-1 +closed$", done.out, re.MULTILINE)
    assert re.search(r"^- +c/d +ruled out by context$", done.out, re.MULTILINE)
    assert "Tried: a/b: ok. Outcome: ok." in done.out
    assert asked == [f"GET /admin/decisions/r-1 Bearer {KEY} "]


def test_explain_passes_on_a_refusal(infway, gateway):
    with gateway(403, b'{"error": {"message": "This key is no admin key."}}') as (url, _):
        done = infway("explain", "--id", "r-1", INFWAY_URL=url)
    assert done.code == 1
    assert "403: This key is no admin key." in done.err


def test_health_is_the_exit_code(infway, gateway):
    with gateway(200, b"{}") as (url, asked):
        assert infway("health", "--url", url).code == 0
        assert infway("health", INFWAY_URL=url).code == 0
        assert infway("health", INFWAY_PORT=url.rpartition(":")[2]).code == 0
    assert {line.split()[1] for line in asked} == {"/health"}
    with gateway(503, b"{}") as (url, _):
        assert infway("health", "--url", url).code == 1
    done = infway("health", "--url", url)
    assert done.code == 1
    assert "does not answer" in done.err


def test_the_running_gateway_is_found_by_what_it_left_in_the_data_folder(infway, tmp_path, gateway):
    with gateway(200, b"{}") as (url, asked):
        DataDir(tmp_path / "data").write_pid(os.getpid(), url)
        assert infway("health").code == 0
    assert len(asked) == 1


def test_health_asks_every_gateway_of_the_folder_and_one_that_is_not_well_is_told(
    infway, tmp_path, gateway
):
    data = DataDir(tmp_path / "data")
    with gateway(200, b"{}") as (first, asked), gateway(200, b"{}") as (second, too):
        data.write_pid(1, first)
        data.write_pid(2, second)
        done = infway("health")
        assert (done.code, done.out) == (0, f"{first} is well.\n{second} is well.\n")
        assert (len(asked), len(too)) == (1, 1)
        said = infway("chat", "hi").err
        assert f"{first} is asked; --url or INFWAY_URL names another one: {second}." in said
    data.remove_pid(1)
    done = infway("health")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"Error: {second} does not answer: ")
    data.remove_pid(2)


def test_health_asks_where_the_configuration_listens_if_nothing_runs_from_the_folder(
    infway, config, gateway
):
    with gateway(200, b"{}") as (url, _):
        port = url.rpartition(":")[2]
        path = config(f"server: {{host: 0.0.0.0, port: {port}}}\nsandbox: true\n")
        done = infway("health", INFWAY_CONFIG=path)
        assert (done.code, done.out) == (0, f"{url} is well.\n")
        elsewhere = config("server: {port: 9}\nsandbox: true\n")
        assert infway("health", INFWAY_CONFIG=elsewhere, INFWAY_PORT=port).code == 0
        assert infway("health", INFWAY_HOST="0.0.0.0", PORT=port).code == 0
    silent = infway("chat", "hi", INFWAY_CONFIG=elsewhere)
    assert silent.err.startswith("Error: http://127.0.0.1:9 does not answer")


def waiting() -> subprocess.Popen[bytes]:
    """Start a process that ends well at the signal of a reload."""
    code = (
        "import signal; signal.pthread_sigmask(0, {1}); print(1, flush=True); signal.sigwait({1})"
    )
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)


def test_reload_signals_every_gateway_of_the_folder(infway, tmp_path):
    with waiting() as first, waiting() as second:
        for port, one in enumerate((first, second), 1):
            assert one.stdout is not None
            one.stdout.readline()
            DataDir(tmp_path / "data").write_pid(one.pid, f"http://127.0.0.1:{port}")
        done = infway("reload")
        assert (done.code, first.wait(10), second.wait(10)) == (0, 0, 0)
    assert [line.split()[1] for line in done.out.splitlines()] == [str(first.pid), str(second.pid)]


def test_reload_signals_the_running_gateway(infway, tmp_path):
    waiting = [sys.executable, "-c", "import signal; print(1, flush=True); signal.sigwait({1})"]
    code = f"import signal; signal.pthread_sigmask(0, {{1}}); {waiting[2]}"
    with subprocess.Popen([*waiting[:2], code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        DataDir(tmp_path / "data").write_pid(process.pid, "http://127.0.0.1:1")
        done = infway("reload")
        assert (done.code, process.wait(10)) == (0, 0)
    assert f"Process {process.pid} was told" in done.out
    gone = infway("reload")
    assert gone.code == 1
    assert "is gone" in gone.err


def test_reload_never_asks_for_a_wrong_configuration(infway, tmp_path, config):
    DataDir(tmp_path / "data").write_pid(os.getpid(), "http://127.0.0.1:1")
    before = signal.getsignal(signal.SIGHUP)
    assert infway("reload", "-c", config("x: 1")).code == 2
    assert signal.getsignal(signal.SIGHUP) == before


def test_reload_without_a_gateway_is_an_error(infway, tmp_path):
    done = infway("reload")
    assert done.code == 1
    assert f"No gateway is running from {tmp_path / 'data'}." in done.err


def chunk(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def test_chat_shows_the_answer_as_it_comes(infway, gateway):
    body = b": heartbeat\n\n" + chunk(choices=[{"delta": {"role": "assistant"}}])
    body += chunk(choices=[{"delta": {"content": "Hel"}}]) + chunk(
        choices=[{"delta": {"content": "lo"}}]
    )
    body += chunk(choices=[]) + b"data: [DONE]\n\n"
    with gateway(200, body) as (url, asked):
        done = infway("chat", "hi", "--url", url, "-m", "gpt-4o", INFWAY_API_KEY=KEY)
        piped = infway("chat", INFWAY_URL=url, stdin="from a pipe")
    assert (done.out, done.err) == ("Hello\n", "")
    assert piped.out == "Hello\n"
    assert f"POST /v1/chat/completions Bearer {KEY} " in asked[0]
    assert '"model":"gpt-4o"' in asked[0].replace(" ", "")
    assert "from a pipe" in asked[1]
    assert "no key" in asked[1]


def test_chat_uses_the_key_of_the_first_start(infway, tmp_path, gateway):
    key = DataDir(tmp_path / "data").make_key(lambda below: below // 2)
    with gateway(200, b"data: [DONE]\n\n") as (url, asked):
        assert infway("chat", "hi", "--url", url).code == 0
    assert f"Bearer {key} " in asked[0]


def test_chat_says_why_it_got_no_answer(infway, gateway):
    with gateway(401, b'{"error": {"message": "The API key is not valid."}}') as (url, _):
        assert "401: The API key is not valid." in infway("chat", "hi", "--url", url).err
    with gateway(502, b"<html>") as (url, _):
        assert "502: no reason given" in infway("chat", "hi", "--url", url).err
    with gateway(200, chunk(error={"message": "It broke."})) as (broken, _):
        cut = infway("chat", "hi", "--url", broken)
    assert cut.code == 1
    assert "It broke." in cut.err
    assert "does not answer" in infway("chat", "hi", "--url", url).err
