"""Python takes true for 1: no number of the configuration is written so."""

from collections.abc import Iterator

import pytest

from infway.settings import json_schema

SCHEMA = json_schema()
SAID = "should be a number, not true or false"
Steps = tuple[str | int, ...]


def numbers(schema: dict, steps: Steps = ()) -> Iterator[Steps]:
    """Find every place of a configuration that takes a number."""
    if "$ref" in schema:
        yield from numbers(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], steps)
    if schema.get("type") in ("integer", "number"):
        yield steps
    for one in schema.get("anyOf", ()):
        yield from numbers(one, steps)
    for name, one in schema.get("properties", {}).items():
        yield from numbers(one, (*steps, name))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from numbers(schema["additionalProperties"], (*steps, "any"))
    if isinstance(schema.get("items"), dict):
        yield from numbers(schema["items"], (*steps, 0))


def written(steps: Steps, value: str) -> str:
    """Return a file with a value at one place, and nothing else."""
    for step in reversed(steps):
        value = f"[{value}]" if step == 0 else f"{{{step}: {value}}}"
    return value


PLACES = sorted(set(numbers(SCHEMA)), key=str)


def test_the_schema_has_the_numbers_that_are_known():
    for place in (
        ("ledger", "keep"), ("ledger", "contents", "size"), ("server", "port"), ("state", "replicas"),
        ("plans", "any", "requests_per_minute"), ("keys", 0, "budgets", 0, "alerts", 0),
        ("upstreams", 0, "models", 0, "context"), ("upstreams", 0, "timeouts", "slowest"),
        ("policies", "any", "max_input_cost"), ("attempts", "hedge"), ("admin", "port"),
    ):  # fmt: skip
        assert place in PLACES
    assert len(PLACES) > 80


@pytest.mark.parametrize("value", ["true", "false"])
@pytest.mark.parametrize("steps", PLACES, ids=lambda steps: ".".join(map(str, steps)))
def test_true_and_false_are_no_numbers(problems, steps, value):
    path = "".join(f"[{step}]" if step == 0 else f".{step}" for step in steps).removeprefix(".")
    found = [line for line in problems(written(steps, value)) if f" {path}: " in line]
    assert len(found) == 1
    assert found[0].endswith(SAID)


@pytest.mark.parametrize("text", ["1_000", "٣", "1٣"])
def test_numbers_are_written_in_plain_digits(problems, text):
    (found,) = problems(f"ledger: {{keep: '{text}'}}")
    assert found.endswith("should be a number, in the digits 0 to 9")


def test_numbers_may_come_from_variables(configure):
    read = configure("ledger: {keep: '${X}', queue: '${Y}'}", {"X": "1.5", "Y": "20"})
    assert (read.ledger.keep, read.ledger.queue) == (1.5, 20)
