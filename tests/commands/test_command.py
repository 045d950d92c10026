"""The command itself: its help, its version, and the variables it reads."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from infway import __version__
from infway.cli import COMMANDS, ENVIRONMENT

ROOT = Path(__file__).parents[2]


def test_help_names_every_command_and_imports_none(infway):
    done = infway("--help")
    assert done.code == 0
    for name, meaning in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(meaning)}$", done.out, re.MULTILINE)
    code = "import infway.cli, sys; print([m for m in sys.modules if m.startswith('infway.')])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "infway.settings" not in loaded.stdout
    assert "pydantic" not in loaded.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(infway, name):
    done = infway(name, "--help")
    assert (done.code, done.err) == (0, "")
    assert f"Usage: infway {name}" in done.out


def test_the_version_is_told_both_ways(infway):
    assert infway("version").out == infway("--version").out == f"infway {__version__}\n"


@pytest.mark.parametrize(
    ("argv", "code", "stdin"),
    [
        (("version",), 0, ""),
        (("usage",), 1, ""),
        (("check", "--config", "/nowhere/infway.yaml"), 2, ""),
        (("explain", "-", "--no-local"), 1, "{"),
    ],
)
def test_a_process_ends_as_its_main_does(infway, process, argv, code, stdin):
    done = process(*argv, stdin=stdin)
    assert done.code == code
    assert done == infway(*argv, stdin=stdin)


def test_an_unknown_command_is_an_error(infway):
    done = infway("sevre")
    assert done.code == 2
    assert "sevre" in done.err


def test_every_variable_is_in_the_documentation():
    text = (ROOT / "docs" / "configuration.md").read_text()
    for name, meaning in ENVIRONMENT.items():
        assert f"| `{name}` | {meaning} |" in text
    for name, meaning in COMMANDS.items():
        assert f"| `infway {name}` | {meaning} |" in text


def test_every_variable_that_is_read_is_in_the_table():
    used = set()
    for path in (ROOT / "src" / "infway").rglob("*.py"):
        used |= set(re.findall(r'"(INFWAY_[A-Z_]+|PORT|XDG_[A-Z_]+)"', path.read_text()))
    assert used == set(ENVIRONMENT)
