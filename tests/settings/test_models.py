"""What a configuration may say, and that every word of it is explained."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from infway.kernel.chat import Feature
from infway.settings import Settings, defaults, json_schema, load
from infway.settings.upstreams import PATTERNS, CapabilityWord

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config" / "infway.yaml"


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
        "bedrock",
        "vertex",
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
