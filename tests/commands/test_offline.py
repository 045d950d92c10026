"""Commands that need no gateway: check, models, explain, and a wrong serve."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config" / "infway.yaml"
SMALL = "upstreams: [{name: box, vendor: ollama, models: [llama3.2:3b]}]"


def test_check_says_what_would_be_served(infway):
    done = infway("check", "--config", str(EXAMPLE))
    assert done.code == 0
    assert done.err.splitlines() == [
        f"warning: keys[{place}].key: is the example's, which everybody knows" for place in (0, 1)
    ]
    assert done.out.splitlines() == [
        "openai: 2 models",
        "groq: 1 model",
        "azure: 2 models",
        "bedrock: 1 model",
        "vertex: 2 models",
        "workstation: 2 models",
        "The configuration is right: 9 models, 2 keys.",
    ]


def test_check_lists_every_problem_and_leaves_with_2(infway, config):
    path = config("server: {port: x}\nkyes: []\n")
    done = infway("check", "-c", path)
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "The configuration is wrong:",
        f"  {path}:1:10: server.port: should be a valid integer, unable to parse string as an integer",
        f"  {path}:2:1: kyes: unknown key; did you mean `keys`?",
    ]


@pytest.mark.parametrize("account", ["no key file", "{}", '{"client_email": "a@b.c"}'])
@pytest.mark.parametrize("workers", [1, 2])
def test_check_refuses_an_account_in_the_words_of_serve(infway, config, account, workers):
    vertex = {"name": "gcp", "vendor": "vertex", "project": "p", "models": ["gemini-2.5-flash"]}
    upstream = vertex | {"service_account": account}
    path = config(json.dumps({"upstreams": [upstream], "server": {"workers": workers}}))
    serve, check, reload = (infway(name, "-c", path) for name in ("serve", "check", "reload"))
    assert (
        (check.code, check.out) == (serve.code, serve.out) == (reload.code, reload.out) == (2, "")
    )
    assert check.err == serve.err == reload.err
    assert check.err.splitlines() == [
        "The configuration is wrong:",
        "  upstream `gcp`: The Google service account is not the JSON of a service account's key file.",
    ]


def test_the_example_is_checked_and_served_where_the_extra_of_google_is_missing(process, tmp_path):
    (tmp_path / "google").mkdir()
    (tmp_path / "google" / "__init__.py").write_text("raise ImportError")
    done = process("check", "-c", str(EXAMPLE), PYTHONPATH=str(tmp_path))
    assert done.code == 0, done.err
    line = 1 + EXAMPLE.read_text().splitlines().index(
        next(line for line in EXAMPLE.read_text().splitlines() if "- name: vertex" in line)
    )
    lacking = (
        "Google's credentials need google-auth, which is not installed:"
        " `pip install infway[google]`, or `make install-google`"
    )
    assert f"warning: {EXAMPLE}:{line}:5: upstreams[4]: left out: {lacking}\n" in done.err
    assert "vertex: " not in done.out
    assert "bedrock: 1 model\n" in done.out


def test_an_upstream_alone_without_its_package_is_a_problem_with_its_place(
    process, config, tmp_path
):
    (tmp_path / "google").mkdir()
    (tmp_path / "google" / "__init__.py").write_text("raise ImportError")
    path = config(
        "sandbox: true\nupstreams:\n"
        "  - {name: gcp, vendor: vertex, project: p, models: [gemini-2.5-flash]}\n"
    )
    done = process("check", "-c", path, PYTHONPATH=str(tmp_path))
    assert (done.code, done.out) == (2, "")
    assert f"  {path}:3:5: upstreams[0]: Google's credentials need google-auth" in done.err


def test_check_says_what_a_postgres_needs_to_be_installed(process, config, tmp_path):
    (tmp_path / "psycopg.py").write_text("raise ImportError")
    path = config(
        "sandbox: true\nstore: {url: postgresql://db/infway}\n"
        "accounts: {pepper: Zk3v9QpL7xT2mN8wR4bY6cJ1hG5dF0sA}\n"
    )
    assert process("check", "-c", path).code == 0
    done = process("check", "-c", path, PYTHONPATH=str(tmp_path))
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "The configuration is wrong:",
        (
            "  store.url: a Postgres needs the extra `postgres`: `pip install infway[postgres]`,"
            " or `make install-postgres`"
        ),
    ]


def test_check_notes_a_folder_of_the_ledger_that_is_not_there_yet(infway, config, tmp_path):
    folder = tmp_path / "deep" / "down"
    path = config(json.dumps({"sandbox": True, "ledger": {"path": str(folder / "ledger.db")}}))
    done = infway("check", "-c", path)
    assert done.code == 0
    assert done.err == f"note: ledger.path: the first start makes the folder {folder}\n"
    assert not folder.parent.exists()
    folder.mkdir(parents=True)
    assert infway("check", "-c", path).err == ""


def test_check_prints_the_schema(infway):
    done = infway("check", "--schema")
    assert json.loads(done.out) == json.loads((ROOT / "config/infway.schema.json").read_text())


def test_the_file_may_be_named_by_a_variable(infway, config):
    done = infway("check", INFWAY_CONFIG=config(SMALL))
    assert done.out.startswith("box: 1 model\n")


def test_variables_override_the_file_and_are_named_when_they_are_wrong(infway, config):
    done = infway("check", "-c", config("server: {port: 1}"), PORT="x", INFWAY_PORT="y")
    assert done.code == 2
    assert "INFWAY_PORT: server.port: should be a valid integer" in done.err
    assert "\n  PORT" not in done.err


def test_a_short_key_in_the_environment_is_refused_without_being_shown(infway, config):
    done = infway("check", "-c", config(SMALL), INFWAY_API_KEY="short-one")
    assert done.code == 2
    assert "INFWAY_API_KEY: keys[0].key: should be at least 16 characters long" in done.err
    assert "short-one" not in done.err
    done = infway("check", "-c", config(SMALL), INFWAY_API_KEY="twenty-seven-characters-key")
    assert done.code == 2
    assert "INFWAY_API_KEY: keys[0].key: should be at least 32 characters long" in done.err
    assert "twenty-seven" not in done.err


def test_models_are_listed_with_prices(infway):
    done = infway("models", "-c", str(EXAMPLE))
    head, *rows = done.out.splitlines()
    assert head.split() == [
        "MODEL",
        "UPSTREAM",
        "IN",
        "OUT",
        "CONTEXT",
        "QUALITY",
        "CAPABILITIES",
    ]
    shown = {row.split()[0]: row for row in rows}
    assert re.match(r"gpt-4o-mini +openai +0\.15 +0\.6 +128,000 +43 +tools", shown["gpt-4o-mini"])
    assert re.match(r"qwen3-32b +workstation +\? +\? +\? +\d+ +not known", shown["qwen3-32b"])
    assert re.match(r"bge-m3 +workstation .* embeddings token_ids$", shown["bge-m3"])
    assert len(infway("models", "4o-mini", "-c", str(EXAMPLE)).out.splitlines()) == 2
    assert infway("models", "nothing-like-it", "-c", str(EXAMPLE)).code == 1


def test_explain_ranks_a_request_from_a_file(infway):
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]})
    done = infway("explain", "-", "-c", str(EXAMPLE), stdin=body)
    assert (done.code, done.err) == (0, "")
    rows = [line.split() for line in done.out.splitlines()[3:]]
    assert [row[0] for row in rows] == ["1", "2"]
    assert {row[1] for row in rows} == {"openai/gpt-4o", "azure/gpt-4o"}
    facts = json.loads(infway("explain", "-", "-c", str(EXAMPLE), "--json", stdin=body).out)
    assert [offer["place"] for offer in facts["offers"]] == [1, 2]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            '{"model": "nope", "messages": [{"role": "user", "content": "x"}]}',
            "404 model_not_found",
        ),
        ("{", "400 invalid_request_body"),
    ],
)
def test_explain_says_what_a_caller_would_be_told(infway, body, message):
    done = infway("explain", "-", "-c", str(EXAMPLE), stdin=body)
    assert done.code == 1
    assert message in done.err


def test_explain_wants_one_request(infway):
    assert infway("explain").code == 2
    assert infway("explain", "-", "--id", "x").code == 2


def test_serve_refuses_a_wrong_option_by_its_name(infway):
    done = infway("serve", "--port", "99999")
    assert done.code == 2
    assert "--port: server.port: should be less than or equal to 65535" in done.err
