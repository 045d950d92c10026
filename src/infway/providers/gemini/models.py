"""What the generations of Gemini differ in, by the native name of the model.

From https://ai.google.dev/gemini-api/docs/thinking, /thought-signatures, /function-calling and
/latest-model, and from what users of the API report of its refusals.
"""

import re
from typing import NamedTuple


class Levels(NamedTuple):
    """How much it thinks is said by a word. `words`: those the model knows, the least one first."""

    words: tuple[str, ...]


class Budget(NamedTuple):
    """How much it thinks is said in tokens, `least` to `most`. `off`: 0 turns thinking off."""

    least: int
    most: int
    off: bool


class Traits(NamedTuple):
    """What a model takes.

    `thinking` None: it does not think. `signed`: it refuses a function call that is given back
    without its thought signature. `sampled`: it heeds temperature, top_p and top_k, gives several
    answers and goes on with one that was begun. `penalised`: penalties are taken everywhere, on
    Vertex AI alone (None), or nowhere. `mixed`: functions go together with an answer in JSON, and
    media stand inside a function's result. `instructed`: it takes a system instruction.
    """

    thinking: Levels | Budget | None
    signed: bool = False
    sampled: bool = True
    penalised: bool | None = True
    mixed: bool = False
    instructed: bool = True


SCALE = ("minimal", "low", "medium", "high")
_ALL, _NO_MINIMAL = Levels(SCALE), Levels(SCALE[1:])
_DRAWING = Levels(("minimal", "high"))


def _third(thinking: Levels, *, sampled: bool = True) -> Traits:
    return Traits(thinking, signed=True, sampled=sampled, penalised=False, mixed=True)


# The first pattern found in the name counts
_TRAITS: tuple[tuple[re.Pattern[str], Traits], ...] = tuple(
    (re.compile(pattern), traits)
    for pattern, traits in (
        (r"gemma", Traits(None, instructed=False)),
        (r"gemini-(1|2\.0)|gemini-2\.5-flash(-preview)?-image", Traits(None)),
        (r"gemini-2\.5-pro", Traits(Budget(128, 32768, off=False), penalised=None)),
        (r"gemini-2\.5-flash-lite", Traits(Budget(512, 24576, off=True), penalised=None)),
        (r"gemini-2", Traits(Budget(1, 24576, off=True), penalised=None)),
        (r"gemini-3\.1-flash(-lite)?-image", _third(_DRAWING)),
        (r"gemini-3\.1-pro", _third(_NO_MINIMAL)),
        (r"gemini-3-pro", _third(Levels(("low", "high")))),
        (r"gemini-3\.5-flash-lite|gemini-3\.6", _third(_ALL, sampled=False)),
        (r"gemini-3(\.[1-5])?-", _third(_ALL)),
        (r"gemini-([3-9]|[a-z-]+-latest)", _third(_NO_MINIMAL, sampled=False)),
    )
)
# A tuned model, or a name of the operator's: nothing is known, so nothing is kept from it
_UNKNOWN = Traits(_ALL, mixed=True)


def traits_of(native: str) -> Traits:
    """Return what a model takes."""
    return next((traits for pattern, traits in _TRAITS if pattern.search(native)), _UNKNOWN)
