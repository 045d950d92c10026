"""What a start comes to: the sandbox serves alone where it was asked for and nothing else was."""

from pathlib import Path

import pytest

from infway.banner import banner
from infway.datadir import DataDir
from infway.embedded import Embedded, available
from infway.serving import EMBEDDED, Plan, ServeOptions, plan, with_stand_in
from infway.settings import Override, Settings
from infway.settings.checks import SANDBOX

SIMULATED = Override(("sandbox",), True, "--sandbox")
UPSTREAM = {"name": "box", "vendor": "ollama", "models": ["m"]}


def planned(folder: Path, *said: Override, **environment: str) -> Plan:
    options = ServeOptions(None, said, environment, DataDir(folder))
    return plan(options, lambda most: most - 1)


def test_the_banner_names_what_listens_and_who_else_runs_from_the_folder(tmp_path: Path):
    admin = Override(
        ("admin",),
        {"port": 9001, "host": "0.0.0.0", "key": "Zk3v9QpL7xT2mN8wR4bY6cJ1hG5dF0sA"},
        "-",
    )
    made = planned(tmp_path, SIMULATED, admin)
    said = banner(made)
    assert "Admin API  http://127.0.0.1:9001/admin/v1\n" in said
    assert "another gateway" not in said
    DataDir(tmp_path).write_pid(1, "http://127.0.0.1:7")
    said = banner(made)
    assert f"another gateway runs from {tmp_path}: process 1 at http://127.0.0.1:7." in said
    assert "Admin API" not in banner(planned(tmp_path, SIMULATED))


def names(made: Plan) -> set[str]:
    return {upstream.name for upstream in made.inventory.upstreams}


def test_the_sandbox_alone_serves_where_it_was_asked_for(tmp_path: Path):
    made = planned(tmp_path, SIMULATED)
    assert names(made) == set(SANDBOX)
    assert not made.embedded
    assert made.found is not None
    assert made.found.upstreams == ()


def test_keys_that_are_there_serve_beside_the_sandbox(tmp_path: Path):
    made = planned(tmp_path, SIMULATED, GROQ_API_KEY="gsk-0123456789abcdef")
    assert names(made) == {*SANDBOX, "groq"}


@pytest.mark.parametrize(("local", "looked_for"), [(None, False), (False, False), (True, True)])
def test_local_servers_are_looked_for_beside_the_sandbox_only_when_asked(local, looked_for):
    discover = {} if local is None else {"local": local}
    settings = Settings.model_validate({"sandbox": True, "discover": discover})
    assert settings.discovers_local is looked_for


def test_without_anything_a_model_of_this_machine_or_the_sandbox_serves(tmp_path: Path):
    off = [
        Override(("discover", name), False, "--no-discover") for name in ("local", "environment")
    ]
    made = planned(tmp_path, *off)
    assert made.embedded is available()
    assert names(made) == (set() if made.embedded else set(SANDBOX))


def test_what_stands_in_is_neither_beside_upstreams_nor_beside_the_sandbox():
    for tree in ({"upstreams": [UPSTREAM]}, {"sandbox": True}):
        settings = Settings.model_validate(tree)
        assert with_stand_in(settings) == settings
    stand_in = with_stand_in(Settings())
    if available():
        assert [one.name for one in stand_in.upstreams] == [EMBEDDED]
        assert stand_in.upstreams[0].models[0].id == Embedded.model
    else:
        assert stand_in.sandbox
