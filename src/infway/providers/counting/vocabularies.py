"""Vocabularies of tokens that lie inside an installed package, and how many tokens texts have there.

The first use of one takes 0.2 to 1 s and 50 to 80 MB; after that some 100 MB are counted a second.
Other threads run meanwhile.
"""

from collections.abc import Callable, Sequence

import toktok  # type: ignore[import-untyped]  # it has types, but no py.typed that says so

O200K = "o200k_base"
CL100K = "cl100k_base"

_count: Callable[[Sequence[str], str, int], list[int]] = toktok.batch_count
_used: set[str] = set()


def tokens_of(texts: Sequence[str], vocabulary: str) -> int:
    """Return the tokens of texts that are cut apart from one another.

    What looks like a special token, `<|endoftext|>` for one, is text. Half of a surrogate pair
    counts as the character that stands for what cannot be read.
    """
    try:
        count = sum(_count(texts, vocabulary, 1))
    except UnicodeEncodeError:
        count = sum(_count([_whole(text) for text in texts], vocabulary, 1))
    _used.add(vocabulary)
    return count


def is_loaded(vocabulary: str) -> bool:
    """Tell whether a vocabulary was used before: the first use is slow."""
    return vocabulary in _used


def _whole(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
