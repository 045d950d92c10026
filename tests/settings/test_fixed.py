"""What a reload cannot change is named."""

import pytest

from infway.settings import Settings
from infway.settings.fixed import fixed, needs_restart


@pytest.mark.parametrize(
    ("tree", "names"),
    [
        ({}, []),
        ({"server": {"port": 9000, "host": "0.0.0.0", "workers": 2}},
         ["server.host", "server.port", "server.workers"]),
        ({"server": {"heartbeat": 3}, "sandbox": True}, []),
        ({"state": {"redis": "redis://x"}, "ledger": {"path": "/x"}, "logs": {"level": "debug"}},
         ["ledger.path", "logs.level", "state.redis"]),
    ],
    ids=str,
)  # fmt: skip
def test_what_differs_and_waits_for_a_restart_is_named(tree: dict, names: list[str]):
    assert needs_restart(Settings(), Settings.model_validate(tree)) == names
    assert needs_restart(Settings.model_validate(tree), Settings()) == names


def test_the_names_are_those_of_the_file():
    for name in fixed(Settings()):
        section, field = name.split(".")
        assert field in type(getattr(Settings(), section)).model_fields
