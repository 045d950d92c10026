"""Every input that ever was of interest to the fuzzer, played again."""

import random
from pathlib import Path

import pytest
from tests.fuzz.__main__ import CORPUS
from tests.fuzz.driver import hunt, mutated
from tests.fuzz.targets import TARGETS

from infway.providers.sse import frames

INPUTS = [(name, path) for name in TARGETS for path in sorted((CORPUS / name).glob("*"))]


@pytest.mark.parametrize(
    ("name", "path"), INPUTS, ids=[f"{name}-{path.name}" for name, path in INPUTS]
)
def test_no_input_of_the_corpus_breaks_a_promise(name: str, path: Path) -> None:
    TARGETS[name].check(path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_has_a_corpus_and_mutations_of_it_break_nothing(name: str) -> None:
    seeds = [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]
    assert len(seeds) >= 5
    chance = random.Random(20260101)
    for _ in range(100):
        TARGETS[name].check(mutated(chance.choice(seeds), seeds, TARGETS[name].words, chance))


def test_the_fuzzer_finds_what_is_broken_behind_a_branch_it_has_to_reach_first() -> None:
    def check(data: bytes) -> None:
        for frame in frames(data):
            assert frame.event != b"x", "broken"

    result = hunt(check, [b"data: a\n\n"], [b"event: ", b"x\n"], 600, 1, most=50_000)
    (found,) = result.found.values()
    assert found.kind[0] == "AssertionError"
