"""Schemas that Claude can be held to, and what is left of those that it cannot."""

import pytest

from infway.providers.anthropic.schema import fit

STRING = {"type": "string"}


def closed(**properties: dict) -> dict:
    return {"type": "object", "properties": properties, "additionalProperties": False}


@pytest.mark.parametrize(
    "schema",
    [
        closed(a=STRING, b={"type": ["integer", "null"]}),
        {**closed(a={"$ref": "#/$defs/A"}), "$defs": {"A": closed(b=STRING)}},
        {"anyOf": [STRING, {"type": "null"}]},
        {"type": "array", "items": closed(a=STRING), "minItems": 1},
        {"type": "string", "enum": ["a", "b"], "description": "d", "default": "a"},
        {"type": "string", "format": "date-time"},
        {"type": "string", "pattern": "^[a-z]+$"},
        {"const": 3},
    ],
)
def test_what_can_be_kept_is_kept_as_it_is(schema: dict):
    assert fit(schema) == (schema, False)


def test_objects_are_closed():
    inner = {"type": "object", "properties": {"b": STRING}}
    fitted, is_looser = fit({"type": "object", "properties": {"a": inner}})
    assert fitted == closed(a=closed(b=STRING))
    assert not is_looser


@pytest.mark.parametrize(
    ("schema", "note"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 9}, '{"minimum":1,"maximum":9}'),
        ({"type": "string", "format": "color"}, '{"format":"color"}'),
        ({"type": "string", "pattern": "a(?=b)"}, '{"pattern":"a(?=b)"}'),
        ({"type": "array", "items": STRING, "minItems": 2}, '{"minItems":2}'),
        ({"type": "array", "maxItems": 2}, '{"maxItems":2}'),
    ],
)
def test_what_cannot_be_kept_is_told_and_reported(schema: dict, note: str):
    fitted, is_looser = fit(schema)
    assert is_looser
    assert fitted["description"] == note
    assert fitted["type"] == schema["type"]


def test_a_note_follows_what_is_described_already():
    fitted, _ = fit({"type": "number", "description": "Age", "minimum": 0})
    assert fitted["description"] == 'Age\n\n{"minimum":0}'


@pytest.mark.parametrize(
    "more", [{"additionalProperties": STRING}, {"additionalProperties": True}, {}]
)
def test_a_map_of_anything_cannot_be_kept(more: dict):
    fitted, is_looser = fit({"type": "object", **more})
    assert fitted["additionalProperties"] is False
    assert is_looser


def test_one_of_is_any_of():
    assert fit({"oneOf": [STRING, {"type": "null"}]})[0] == {"anyOf": [STRING, {"type": "null"}]}


def test_a_reference_stands_alone():
    assert fit({"$ref": "#/$defs/A", "description": "d"}) == ({"$ref": "#/$defs/A"}, False)
    assert fit({"$ref": "#/$defs/A", "minimum": 1}) == ({"$ref": "#/$defs/A"}, True)


def test_what_means_nothing_goes_without_a_word():
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "examples": ["x"]}
    assert fit({**STRING, **schema}) == (STRING, False)


@pytest.mark.parametrize("odd", [{"properties": 3}, {"items": True}, {"anyOf": None}, {"type": 5}])
def test_a_schema_that_is_none_raises_nothing(odd: dict):
    assert isinstance(fit(odd)[0], dict)
