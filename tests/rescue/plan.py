"""What happens to one request, drawn from its number: the answer, the cut, and who goes on with it."""

from dataclasses import dataclass
from random import Random

MODELS = ("plain", "prefill", "claude", "crossed")
ENDS = ("reset", "reset", "fin", "fin", "clean", "error", "stall")
SECOND = (
    "same",
    "same",
    "same",
    "same",
    "other",
    "other",
    "cut",
    "cut",
    "refuses",
    "repeats",
    "down",
)
OTHER = "Quite another story begins here, and it ends here too."
_WORDS = (
    *("the", "miller", "had", "three", "sons;", "a", "mill,", "an", "ass", "and", "cat", "were"),
    *("all", "his", "wealth", "they", "to", "grind,", "fetch", "catch", "mice", '"every', 'day"'),
    *("\\o/", "naïve", "中文字", "\U0001f600", "e\u0301", "\u2028", "100%", "don't"),
)
_SPACES = (" ", " ", " ", " ", " ", "\n", "\n\n", "  ", "\n    ", "\t")


@dataclass(frozen=True)
class Plan:
    """`pieces`: the answer as tokens. `cut`: the share of the first stream's bytes that are sent.

    `ends`: how the first stream ends then. `second`, `third`: what the next offers do. `segment`:
    bytes of each write, 0 for whole frames.
    """

    model: str
    pieces: tuple[str, ...]
    cut: float
    ends: str
    second: str
    third: str
    segment: int

    @property
    def answer(self) -> str:
        return "".join(self.pieces)


def plan_of(seed: int) -> Plan:
    """Return what happens to a request."""
    chance = Random(seed)
    model = chance.choice(MODELS)
    second = chance.choice(SECOND)
    if second == "repeats" and model != "prefill":
        second = "same"
    return Plan(
        model=model,
        pieces=_tokens(_text(chance), chance),
        cut=chance.random(),
        ends=chance.choice(ENDS),
        second=second,
        third=chance.choice(("same", "same", "other")),
        segment=chance.choice((0, 0, 1, chance.randint(2, 60), chance.randint(60, 2000))),
    )


def _text(chance: Random) -> str:
    if chance.random() < 0.1:  # a text that says its beginning again
        line = " ".join(chance.choices(_WORDS, k=chance.randint(1, 8))) + chance.choice(_SPACES)
        return line * chance.randint(2, 12) + "end"
    words = chance.choices(_WORDS, k=chance.randint(1, 60))
    return "".join(word + chance.choice(_SPACES) for word in words) + "end."


def _tokens(text: str, chance: Random) -> tuple[str, ...]:
    tokens: list[str] = []
    at = 0
    while at < len(text):
        size = chance.randint(1, 9)
        tokens.append(text[at : at + size])
        at += size
    return tuple(tokens)


def goes_on(begun: str, texts: list[str], *, other: bool) -> str:
    """Return the whole text of a model that goes on from a beginning.

    `texts`: what has been said of this request so far; the last that begins so is gone on with.
    """
    whole = next((text for text in reversed(texts) if text.startswith(begun)), begun)
    if not other:
        return whole
    rest = whole[len(begun) :]
    space = rest[: len(rest) - len(rest.lstrip())]
    return begun + space + OTHER
