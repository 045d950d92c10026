"""Vocabularies of tokens that lie inside an installed package, and how many tokens texts have there.

The first use of one takes 0.2 to 1 s, in which no other thread runs, and 50 to 70 MB; after that
some 100 MB are counted a second, beside the other threads.
"""

from collections.abc import Callable, Sequence

import toktok  # type: ignore[import-untyped]  # it has types, but no py.typed that says so

O200K = "o200k_base"
CL100K = "cl100k_base"

_count: Callable[[Sequence[str], str, int], list[int]] = toktok.batch_count


def tokens_of(texts: Sequence[str], vocabulary: str) -> int:
    """Return the tokens of texts that are cut apart from one another.

    What looks like a special token, `<|endoftext|>` for one, is text. Half of a surrogate pair
    counts as the character that stands for what cannot be read.
    """
    try:
        return sum(_count(texts, vocabulary, 1))
    except UnicodeEncodeError:
        return sum(_count([readable(text) for text in texts], vocabulary, 1))


def readable(text: str) -> str:
    """Return a text with what is half of a character replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
