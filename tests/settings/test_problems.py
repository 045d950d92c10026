"""What is wrong with a configuration: everything at once, each with its place."""

import pytest

from infway.kernel.errors import SettingsError
from infway.settings import load


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


def test_a_secret_that_is_not_text_is_a_problem(problems, tmp_path):
    (tmp_path / "secret").write_bytes(b"\xff")
    (found,) = problems("state: {redis: {file: secret}}")
    assert found.endswith("secret is not text")


def test_a_file_that_is_too_large_is_a_problem(tmp_path):
    path = tmp_path / "infway.yaml"
    path.write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(SettingsError, match="larger than 1048576 bytes"):
        load(path, {})


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
