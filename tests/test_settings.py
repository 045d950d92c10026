"""The configuration: what it accepts, and how it says what is wrong."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from infway.kernel.chat import Feature
from infway.kernel.errors import SettingsError
from infway.settings import Override, Settings, defaults, json_schema, load, read
from infway.settings.checks import SANDBOX, closest
from infway.settings.upstreams import PATTERNS, CapabilityWord

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "config" / "infway.yaml"
SECRET = "sk-test-0123456789abcdef"


@pytest.fixture
def configure(tmp_path: Path):
    """Write a configuration and load it."""

    def write(text: str, environment: Mapping[str, str] | None = None, *overrides: Override):
        path = tmp_path / "infway.yaml"
        path.write_text(text)
        return load(path, environment or {}, overrides)

    return write


@pytest.fixture
def problems(configure):
    """Write a wrong configuration and return its problems, without the folder."""

    def write(text: str, environment: Mapping[str, str] | None = None, *overrides: Override):
        with pytest.raises(SettingsError) as raised:
            configure(text, environment, *overrides)
        return [line.rpartition("infway.yaml:")[2] for line in raised.value.problems]

    return write


def models_in(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for info in model.model_fields.values():
        waiting: list[object] = [info.annotation]
        while waiting:
            kind = waiting.pop()
            waiting += get_args(kind)
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from models_in(kind)


def words_in(node: object) -> set[str]:
    if isinstance(node, dict):
        return set(node) | {word for value in node.values() for word in words_in(value)}
    return {word for item in node for word in words_in(item)} if isinstance(node, list) else set()


# ---------------------------------------------------------------------------- what is accepted


def test_without_a_file_everything_has_a_default():
    found = defaults({})
    assert (found.server.host, found.server.port, found.server.workers) == ("127.0.0.1", 8080, 1)
    assert found.server.body_limit == 20 * 1024 * 1024
    assert found.routing.weights.model_dump() == {
        "price": 1,
        "error": 1,
        "start_latency": 0.25,
        "end_latency": 0.25,
        "quality": 2,
    }
    assert found.discovers_environment
    assert found.discovers_local


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n", "server:\nkeys:\n", "{}"])
def test_an_empty_file_and_an_empty_section_mean_the_defaults(configure, text):
    assert configure(text) == defaults({})


def test_the_example_loads_as_it_is():
    found = load(EXAMPLE, {})
    assert [upstream.name for upstream in found.upstreams] == [
        "openai",
        "groq",
        "azure",
        "workstation",
    ]
    assert not found.discovers_environment


def test_the_example_shows_every_setting():
    shown = words_in(yaml.safe_load(EXAMPLE.read_text()))
    for model in models_in(Settings):
        assert set(model.model_fields) - shown == set(), model.__name__


def test_every_setting_says_what_it_means():
    for model in models_in(Settings):
        for name, info in model.model_fields.items():
            assert info.description, f"{model.__name__}.{name}"


def test_every_setting_is_in_the_documentation():
    text = (ROOT / "docs" / "configuration.md").read_text()
    for model in models_in(Settings):
        for name, info in model.model_fields.items():
            assert f"`{name}`" in text, f"{model.__name__}.{name}"
            assert (info.description or "") in text, f"{model.__name__}.{name}"


def test_the_shipped_schema_is_current():
    shipped = json.loads((ROOT / "config" / "infway.schema.json").read_text())
    assert shipped == json_schema(), "infway check --schema > config/infway.schema.json"


def test_the_example_obeys_the_schema():
    jsonschema.Draft202012Validator.check_schema(json_schema())
    jsonschema.validate(yaml.safe_load(EXAMPLE.read_text()), json_schema())


def test_the_capability_words_are_the_features():
    assert {word.upper() for word in get_args(CapabilityWord)} == set(Feature.__members__)


def test_every_pattern_of_the_schema_has_words_for_people():
    def patterns(node: object) -> set[str]:
        if isinstance(node, list):
            return {found for item in node for found in patterns(item)}
        if not isinstance(node, dict):
            return set()
        own = {node["pattern"]} if isinstance(node.get("pattern"), str) else set()
        return own | {found for value in node.values() for found in patterns(value)}

    assert patterns(Settings.model_json_schema()) == set(PATTERNS)


def test_a_model_may_be_just_its_name(configure):
    found = configure("upstreams: [{name: a, vendor: ollama, models: [x, {id: y, quality: 5}]}]")
    models = found.upstreams[0].models
    assert [(model.id, model.quality) for model in models] == [("x", None), ("y", 5)]


def test_all_and_nothing_mean_the_whole_catalogue(configure):
    text = "upstreams: [{name: a, vendor: openai, key: k%s}]"
    for models in ("", ", models: all", ", models: null"):
        assert configure(text % models).upstreams[0].models is None


def test_prices_are_exact(configure):
    row = "{id: y, input_price: 0.15, output_price: 1e-1}"
    found = configure(f"upstreams: [{{name: a, vendor: ollama, models: [{row}]}}]")
    assert str(found.upstreams[0].models[0].input_price) == "0.15"
    assert float(found.upstreams[0].models[0].output_price) == 0.1


def test_configured_upstreams_end_discovery_unless_it_is_asked_for(configure):
    row = "upstreams: [{name: a, vendor: ollama, models: [x]}]\n"
    assert not configure(row).discovers_local
    asked = configure(row + "discover: {local: true}")
    assert asked.discovers_local
    assert not asked.discovers_environment


def test_yes_and_no_are_words_and_a_leading_zero_is_no_octal(configure):
    found = configure(
        "aliases: {no: yes}\nserver: {port: 08080}\n"
        "upstreams: [{name: a, vendor: ollama, models: [yes], defaults: {n: 010, x: on}}]"
    )
    assert found.aliases == {"no": "yes"}
    assert found.server.port == 8080
    assert found.upstreams[0].defaults == {"n": 10, "x": "on"}


def test_the_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        defaults({}).server.port = 1


# -------------------------------------------------------------------------- variables and secrets


def test_a_variable_stands_anywhere_in_a_value(configure):
    text = "server: {host: '10.0.${A}.${B:-9}', port: '${PORT}', docs: '${D:-off}'}"
    server = configure(text, {"A": "7", "PORT": "81"}).server
    assert (server.host, server.port, server.docs) == ("10.0.7.9", 81, False)


def test_an_empty_default_is_no_value(configure):
    assert configure("state: {redis: '${REDIS:-}'}").state.redis is None


def test_two_dollars_write_a_plain_one(configure):
    assert configure("server: {region: '$${x}$5'}").server.region == "${x}$5"


def test_a_variable_is_never_read_as_yaml(configure):
    found = configure("server:\n  region: ${EVIL}", {"EVIL": "x\nsandbox: true"})
    assert found.server.region == "x\nsandbox: true"
    assert not found.sandbox


def test_a_key_may_be_in_a_file(configure, tmp_path):
    (tmp_path / "secret").write_text(SECRET + "\n")
    found = configure("keys: [{name: a, key: {file: secret}}]")
    assert found.keys[0].key.get_secret_value() == SECRET


def test_the_vendors_own_variable_is_the_default_key(configure):
    text = "upstreams: [{name: a, vendor: gemini}]"
    found = configure(text, {"GOOGLE_API_KEY": SECRET})
    assert found.upstreams[0].key.get_secret_value() == SECRET


def test_secrets_are_in_no_repr(configure):
    text = "keys: [{name: a, key: '${K}'}]\nstate: {redis: 'redis://:${K}@h'}"
    found = configure(text, {"K": SECRET})
    assert SECRET not in repr(found)
    assert SECRET not in str(found.model_dump())


def test_secrets_are_in_no_problem(problems):
    text = (
        "keys: [{name: a, key: 'x ${K}'}, {name: b, key: '${K}'}, {name: c, key: '${K}'}]\n"
        "server: {port: '${K}', host: {a: '${K}'}, drain: '${K}'}\n"
        "upstreams: [{name: '${K}!', vendor: openai, key: ['${K}'], base_url: '${K}'}]"
    )
    found = problems(text, {"K": SECRET})
    assert len(found) == 8
    assert SECRET not in "".join(found)


def test_a_written_secret_is_a_warning(tmp_path):
    path = tmp_path / "infway.yaml"
    path.write_text(f"keys:\n- name: a\n  key: {SECRET}\n- {{name: b, key: '${{K}}'}}\n")
    warnings = read(path, {"K": SECRET + "2"}).warnings
    assert len(warnings) == 1
    assert "infway.yaml:3:3: keys[0].key: " in warnings[0]
    assert SECRET not in warnings[0]


def test_a_file_that_is_not_there_is_a_problem_with_a_place(problems):
    (found,) = problems("keys:\n- name: a\n  key: {file: nowhere}")
    assert found.startswith("3:3: keys[0].key: ")
    assert found.endswith("nowhere cannot be read: No such file or directory")


# ------------------------------------------------------------------------------------- problems


def test_all_problems_come_at_once_in_the_order_of_the_file(problems):
    text = """\
server: {prot: 1, port: 99999}
keys:
  - name: n
    key: short
  - {name: n, key: "${NOPE}"}
upstreams:
  - name: A
    vendor: opnai
    models: [{id: 1, capabilities: [x]}, 5]
  - {name: openai, vendor: openai, models: [gpt-4o]}
  - {name: az, vendor: azure, key: k}
aliases: {a: gpt-4, b: 7}
"""
    assert [line.partition(" should be '")[0] for line in problems(text)] == [
        "1:10: server.prot: unknown key; did you mean `port`?",
        "1:19: server.port: should be less than or equal to 65535",
        "4:5: keys[0].key: should be at least 16 characters long",
        "5:6: keys[1].name: is the same as that of keys[0]",
        "5:15: keys[1].key: the variable NOPE is not set",
        "7:5: upstreams[0].name: should be lower-case letters, digits, `.`, `_` and `-`",
        "8:5: upstreams[0].vendor: there is no vendor `opnai`; did you mean `openai`?",
        "9:15: upstreams[0].models[0].id: should be text; put it in quotes",
        "9:37: upstreams[0].models[0].capabilities[0]:",
        "9:42: upstreams[0].models[1]: should be a mapping of keys to values",
        "10:5: upstreams[1].key: is required: give it, or set OPENAI_API_KEY",
        "11:5: upstreams[2].base_url: is required for the vendor `azure`",
        "11:5: upstreams[2].models: is required: there is no list for the vendor `azure`",
        "12:21: aliases.b: should be text; put it in quotes",
    ]


WRONG: dict[str, tuple[str, str]] = {
    "a key twice": ("server: {}\nserver: {}", "2:1: server: is here a second time; first at 1:1"),
    "no mapping": ("[1]", "1:1: should be a mapping of keys to values"),
    "text alone": ("hello", "1:1: should be a mapping of keys to values"),
    "two documents": ("sandbox: true\n---\nsandbox: false", "2:1: only one document is allowed"),
    "a tag": (
        "sandbox: !!python/name:os.system x",
        "1:1: sandbox: the tag tag:yaml.org,2002:python/name:os.system is not allowed",
    ),
    "a key that is a list": ("? [a]\n: b", "1:3: a key should be a word"),
    "an unknown anchor": ("sandbox: *x", "1:10: *x stands for nothing"),
    "a bad variable": (
        "server: {host: '${1}'}",
        "1:10: server.host: a variable is written ${NAME} or ${NAME:-default}",
    ),
    "an upstream of a key": (
        """\
sandbox: true
discover: {environment: false, local: false}
keys: [{name: a, key: 0123456789abcdefg, upstreams: [sandbox-swif]}]""",
        "3:54: keys[0].upstreams[0]: there is no upstream `sandbox-swif`; did you mean `sandbox-swift`?",
    ),
    "an alias to nothing": (
        "upstreams: [{name: a, vendor: ollama, models: [x]}]\naliases: {y: z}",
        "2:11: aliases.y: there is no model `z`",
    ),
    "an alias that hides a model": (
        "upstreams: [{name: a, vendor: ollama, models: [x]}]\naliases: {x: a/x}",
        "2:11: aliases.x: is already the name of a model or a policy",
    ),
    "a policy of nothing": (
        "upstreams: [{name: a, vendor: ollama, models: [xyz]}]\npolicies: {p: {models: [xyy]}}",
        "2:25: policies.p.models[0]: there is no model `xyy`",
    ),
    "a model twice": (
        "upstreams: [{name: a, vendor: ollama, models: [x, {id: x}]}]",
        "1:51: upstreams[0].models[1]: is here a second time",
    ),
    "half-lives": (
        "routing: {short_half_life: 400}",
        "1:1: routing: `short_half_life` should be shorter than `long_half_life`",
    ),
    "no base_url": (
        "upstreams: [{name: a, vendor: custom, models: [x]}]",
        "1:13: upstreams[0].base_url: is required for the vendor `custom`",
    ),
    "a header that cannot be sent": (
        'upstreams: [{name: a, vendor: ollama, models: [x], headers: {h: "a\\nb"}}]',
        "1:62: upstreams[0].headers.h: should be letters that an HTTP header can carry",
    ),
    "an infinite weight": (
        "routing: {weights: {price: .inf}}",
        "1:21: routing.weights.price: should be a valid number, unable to parse string as a number",
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_problem_names_its_place_and_what_is_wrong(problems, text, message):
    assert problems(text) == [message]


def test_broken_yaml_is_a_problem_with_a_place(problems):
    (found,) = problems("server:\n  port: [1\n")
    assert found.startswith("3:1: while parsing a flow sequence")


def test_an_unquoted_variable_in_braces_gets_a_hint(problems):
    (found,) = problems("server: {host: ${HOST}}")
    assert found.endswith("put ${...} in quotes inside { } and [ ]")


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path):
    for path, reason in (
        (tmp_path / "none.yaml", "cannot be read: No such file or directory"),
        (tmp_path, "cannot be read: Is a directory"),
    ):
        with pytest.raises(SettingsError) as raised:
            load(path, {})
        assert raised.value.problems == (f"{path}: {reason}",)


def test_bytes_that_are_not_text_are_a_problem_with_a_place(tmp_path):
    path = tmp_path / "infway.yaml"
    path.write_bytes(b"server:\n  host: \xff\n")
    with pytest.raises(SettingsError, match=r"infway\.yaml:2:9: not UTF-8"):
        load(path, {})


def test_a_bomb_of_aliases_is_refused(problems):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    assert "more than 50000 values" in problems("\n".join(lines))[0]


def test_a_deep_nest_is_refused(problems):
    assert "nested more than 24 levels deep" in problems("a: " + "[" * 100_000)[0]


def test_an_anchor_may_be_used_again(configure):
    found = configure(
        "upstreams:\n- {name: a, vendor: ollama, models: [x], timeouts: &t {idle: 7}}\n"
        "- {name: b, vendor: ollama, models: [x], timeouts: *t}\n"
    )
    assert [upstream.timeouts.idle for upstream in found.upstreams] == [7, 7]


# ------------------------------------------------------------------------------------ overrides


def test_what_is_said_outside_overrides_the_file(configure):
    found = configure("server: {port: 1}", {}, Override(("server", "port"), "2", "--port"))
    assert found.server.port == 2


def test_a_wrong_override_is_named_by_its_origin(tmp_path):
    with pytest.raises(SettingsError) as raised:
        load(None, {}, [Override(("server", "port"), "x", "INFWAY_PORT")])
    assert raised.value.problems == (
        "INFWAY_PORT: server.port: should be a valid integer, unable to parse string as an integer",
    )


def test_an_override_may_add_a_key(configure):
    row = {"name": "b", "key": SECRET}
    text = "keys: [{name: a, key: 0123456789abcdefg}]"
    found = configure(text, {}, Override(("keys", "+"), row, "INFWAY_API_KEY"))
    assert [key.name for key in found.keys] == ["a", "b"]
    alone = load(None, {}, [Override(("keys", "+"), row, "INFWAY_API_KEY")])
    assert [key.name for key in alone.keys] == ["b"]


def test_the_hint_is_the_closest_name_or_nothing():
    assert closest("sandbox-thrift", set(SANDBOX)) == "; did you mean `sandbox-thrifty`?"
    assert closest("xyz", set(SANDBOX)) == ""


# ----------------------------------------------------------------------------------- properties

TEXT = EXAMPLE.read_text()
PIECES = st.sampled_from(
    "|\n|: |- |*a|&a |${X}|${|!!int |'|\"|[|{|}|\t|null|1e999|-1|.inf|\x00|é|? |<<: |---\n|>\n".split(
        "|"
    )
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
    tree = yaml.safe_load(TEXT)
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
