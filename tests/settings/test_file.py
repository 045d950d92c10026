"""Variables, secrets and overrides on their way into the settings."""

import pytest

from infway.kernel.errors import SettingsError
from infway.settings import Override, load, read
from infway.settings.checks import SANDBOX, closest

SECRET = "sk-test-0123456789abcdef"


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
