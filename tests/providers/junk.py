"""JSON of no sense from a seed: a hundred times as fast to make as what Hypothesis draws."""

from collections.abc import Sequence
from random import Random

from hypothesis import strategies as st

_LEAVES = (None, True, False, 0, 1, -1, 7, 2**31, 2**64, 0.5, -1e9, 1e308, "", "x", "ü\u2028", "{")
_SEEDS = st.integers(0, 2**32)


def junk(chance: Random, words: Sequence[str], depth: int = 2) -> object:
    """Return any value; `words` are the names and the texts that mean something to the reader."""
    kind = chance.randrange(6 if depth else 4)
    if kind == 4:
        return [junk(chance, words, depth - 1) for _ in range(chance.randrange(4))]
    if kind == 5:
        return junk_object(chance, words, depth - 1)
    return chance.choice(words) if kind == 0 else chance.choice(_LEAVES)


def junk_object(
    chance: Random, words: Sequence[str], depth: int = 2, most: int = 6
) -> dict[str, object]:
    """Return an object of some of the names."""
    names = chance.sample(words, chance.randrange(min(most, len(words)) + 1))
    return {name: junk(chance, words, depth) for name in names}


def junks(words: Sequence[str], depth: int = 3) -> st.SearchStrategy[object]:
    """Return any values, for tests that draw other things besides."""
    return _SEEDS.map(lambda seed: junk(Random(seed), words, depth))


def junk_objects(
    words: Sequence[str], depth: int = 3, most: int = 6
) -> st.SearchStrategy[dict[str, object]]:
    """Return any objects, for tests that draw other things besides."""
    return _SEEDS.map(lambda seed: junk_object(Random(seed), words, depth, most))
