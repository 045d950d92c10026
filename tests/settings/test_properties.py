"""Whatever a file holds, it gives settings or problems, and never another error."""

import json
from copy import deepcopy
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infway.kernel.errors import SettingsError
from infway.settings import Settings, load

EXAMPLE = Path(__file__).parents[2] / "config" / "infway.yaml"
TEXT = EXAMPLE.read_text()
TREE = yaml.safe_load(TEXT)
PIECES = st.sampled_from(
    [
        "",
        "\n",
        ": ",
        "- ",
        "*a",
        "&a ",
        "${X}",
        "${",
        "!!int ",
        "'",
        '"',
        "[",
        "{",
        "}",
        "\t",
        "null",
        "1e999",
        "-1",
        ".inf",
        "\x00",
        "é",
        "? ",
        "<<: ",
        "---\n",
        ">\n",
    ]
) | st.text(max_size=8)
CUTS = st.lists(
    st.tuples(st.integers(0, len(TEXT)), st.integers(0, 40), PIECES), min_size=1, max_size=6
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
STEPS = st.lists(st.integers(0, 30), min_size=1, max_size=6)


def settings_or_problems(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        assert isinstance(load(path, {}), Settings)
    except SettingsError as error:
        wrong = error.problems
        assert wrong


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=CUTS)
def test_a_mutated_text_gives_settings_or_problems_and_nothing_else(tmp_path, cuts):
    text = TEXT
    for start, length, piece in cuts:
        text = text[:start] + piece + text[start + length :]
    settings_or_problems(tmp_path / "infway.yaml", text.encode("utf-8", "surrogatepass"))


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.lists(st.tuples(STEPS, VALUES), min_size=1, max_size=4))
def test_any_value_in_any_place_gives_settings_or_problems_and_nothing_else(tmp_path, changes):
    tree = deepcopy(TREE)
    for steps, value in changes:
        inner, places = tree, list(tree)
        for step in steps:
            place = places[step % len(places)]
            deeper = inner[place]
            if not isinstance(deeper, dict | list) or not deeper or step == steps[-1]:
                inner[place] = value
                break
            inner = deeper
            places = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
    settings_or_problems(tmp_path / "infway.yaml", json.dumps(tree).encode())


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=200))
def test_any_bytes_give_settings_or_problems_and_nothing_else(tmp_path, data):
    settings_or_problems(tmp_path / "infway.yaml", data)
