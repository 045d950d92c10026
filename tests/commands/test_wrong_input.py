"""What a newcomer gets wrong: the message says what to do, and nothing ends in a traceback."""

import json
import socket

import pytest

from infway.datadir import DataDir

NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens there
ASKED = json.dumps({"model": "sandbox-chat", "messages": [{"role": "user", "content": "x"}]})


@pytest.mark.parametrize("name", ["serve", "check", "models", "explain", "reload", "usage"])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"server:\n  port: [1\n", ":3:1: while parsing"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"server: {prt: 1}", "server.prt: unknown key; did you mean `port`?"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_by_every_command(infway, tmp_path, name, text, reason):
    path = tmp_path / "infway.yaml"
    if text is not None:
        path.write_bytes(text)
    argv = [name, *(["-"] if name == "explain" else []), "--config", str(path)]
    done = infway(*argv, stdin=ASKED)
    assert (done.code, done.out) == (2, "")
    first, problem = done.err.splitlines()
    assert first == "The configuration is wrong:"
    assert str(path) in problem
    assert reason in problem


@pytest.mark.parametrize(
    "address", ["nonsense", "ftp://host", "http://", "http://[x", "http://h:x"]
)
@pytest.mark.parametrize("argv", [("chat", "hi"), ("explain", "--id", "r"), ("models",)])
def test_an_address_that_is_none_is_a_wrong_option(infway, argv, address):
    done = infway(*argv, "--url", address)
    assert (done.code, done.out) == (2, "")
    assert "'--url': write an address like http://127.0.0.1:8080" in done.err


@pytest.mark.parametrize("argv", [("chat", "hi"), ("explain", "--id", "r"), ("models",)])
def test_where_no_gateway_runs_the_way_to_one_is_told(infway, argv):
    for done in (infway(*argv, "--url", NOBODY), infway(*argv, INFWAY_URL=NOBODY)):
        assert done.code == 1
        assert f"{NOBODY} does not answer: " in done.err
        assert "`infway serve` starts a gateway; --url or INFWAY_URL names another" in done.err


@pytest.mark.parametrize("argv", [("chat", "hi"), ("explain", "--id", "r"), ("models",)])
def test_something_else_that_answers_is_no_gateway(infway, gateway, argv):
    with gateway(200, b"<html>", kind="text/html") as (url, _):
        done = infway(*argv, "--url", url)
    assert (done.code, done.out) == (1, "")
    assert f"{url} answers, but not as infway does" in done.err


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("invalid_api_key", "INFWAY_API_KEY names the key to present."),
        ("model_not_found", "`infway models` lists what there is."),
    ],
)
def test_a_refusal_comes_with_what_to_do_about_it(infway, gateway, code, advice):
    body = json.dumps({"error": {"message": "No.", "code": code}}).encode()
    for argv in (("chat", "hi"), ("explain", "--id", "r"), ("models",)):
        with gateway(404, body) as (url, _):
            done = infway(*argv, "--url", url)
        assert (done.code, done.err) == (1, f"Error: 404: No. {advice}\n")


@pytest.mark.parametrize("request_id", ["../../health", "a b?c#d", "ü"])
def test_an_id_of_any_letters_is_asked_for_as_it_is(infway, gateway, request_id):
    with gateway(404, b'{"error": {"message": "not kept"}}') as (url, asked):
        done = infway("explain", "--id", request_id, "--url", url)
    assert done.err == "Error: 404: not kept\n"
    path = asked[0].split()[1]
    assert path.startswith("/admin/decisions/")
    assert not set("?# ") & set(path)
    assert path.count("/") == 3


def test_an_empty_pipe_is_nothing_to_say(infway):
    for stdin in ("", " \n"):
        done = infway("chat", "--url", NOBODY, stdin=stdin)
        assert done.code == 2
        assert "There is nothing to say" in done.err


def test_a_port_in_use_and_a_wrong_host_are_told_apart(infway):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        used = infway("serve", "--sandbox", "--no-discover", "--port", port)
    assert used.code == 1
    assert f"127.0.0.1:{port} cannot be listened on: Address already in use." in used.err
    assert "Another port: --port 9000" in used.err
    for host in ("192.0.2.1", "nonsense.invalid", "a" * 300):
        wrong = infway("serve", "--sandbox", "--no-discover", "--host", host, "--port", port)
        assert wrong.code == 1
        assert f"{host}:{port} cannot be listened on: " in wrong.err
        assert "This machine alone: --host 127.0.0.1" in wrong.err


def test_a_ledger_that_cannot_be_opened_ends_a_start_in_one_line(infway, tmp_path, config):
    path = config(json.dumps({"ledger": {"path": str(tmp_path)}}))
    done = infway("serve", "--sandbox", "--no-discover", "-c", path)
    assert (done.code, done.out) == (78, "")  # row 66
    assert done.err.startswith(f"infway: the database {tmp_path} cannot be opened: ")
    assert len(done.err.splitlines()) == 1


def test_what_is_served_is_said_to_every_command_in_the_same_options(infway):
    said = ("--sandbox", "--no-discover")
    models = infway("models", *said)
    assert {line.split()[0] for line in models.out.splitlines()[1:]} == {"sandbox-chat"}
    assert "sandbox-swift: 1 model\n" in infway("check", *said).out
    explained = infway("explain", "-", *said, stdin=ASKED)
    assert (explained.code, explained.err) == (0, "")
    assert "sandbox-thrifty/sandbox-chat" in explained.out
    nothing = infway("explain", "-", "--no-discover", stdin=ASKED)
    assert "`infway models` lists what there is." in nothing.err


def told(**more: object) -> bytes:
    offer = {"name": "box", "context_length": 4096, "quality": 43.0, "capabilities": ["tools"]}
    priced = {"prompt": "0.00000015", "completion": "0.0000006", "input_cache_read": None}
    model = {"id": "m-1", "upstreams": [{**offer, "pricing": priced, **more}]}
    return json.dumps({"data": [model, {"id": "auto", "object": "model"}]}).encode()


def test_models_are_those_of_the_gateway_that_runs(infway, gateway, tmp_path):
    with gateway(200, told()) as (url, asked):
        DataDir(tmp_path / "data").write_pid(1, url)
        found = infway("models")
        assert infway("models", "--url", url).out == infway("models", INFWAY_URL=url).out
        assert infway("models", "--url", url).out == found.out
        assert "sandbox-chat" in infway("models", "--sandbox", "--no-discover").out
    row = found.out.splitlines()[1:]
    assert [line.split() for line in row] == [["m-1", "box", "0.15", "0.6", "4,096", "43", "tools"]]
    assert [line.split()[1] for line in asked[:2]] == ["/health", "/v1/models"]
    left = infway("models", "--no-discover", "nothing-like-it")  # an option: no gateway is asked
    assert left.err == "Error: There is no such model.\n"
    after_a_crash = infway("models")  # what the pid file names answers no more
    assert after_a_crash.code == 0
    assert "m-1" not in after_a_crash.out


def test_a_gateway_that_runs_is_not_asked_what_another_start_would_serve(infway):
    done = infway("models", "--url", NOBODY, "--sandbox")
    assert done.code == 2
    assert "leave out what would be served" in done.err
