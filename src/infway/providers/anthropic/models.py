"""What each generation of Claude takes in a request: thinking, sampling, schemas, prefill.

Rules of https://platform.claude.com/docs: thinking, effort, structured outputs and the migration
guides of Claude 4.6 to 5.5. A newer model of a family is taken for the newest row of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

_MOST_OUTPUT = 128_000  # tokens, from Claude 4.6 on


class Sampling(Enum):
    """Which of temperature, top_p and top_k are taken."""

    FREE = "free"
    ONE = "one"  # temperature or top_p, not both
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Generation:
    """What models of one generation take.

    `budget`: thinking with a number of tokens; `adaptive`: as much thinking as the model sees fit.
    `off`: the thinking type that says none shall be done, empty where saying nothing is enough,
    None where the model always thinks. `efforts`: the levels of `output_config.effort`.
    `forced_tools`: a tool may be demanded. `schemas`: structured outputs and strict tools.
    `max_output`: tokens, the limit that is said where nobody gives one.
    """

    max_output: int
    budget: bool = False
    adaptive: bool = False
    off: str | None = ""
    efforts: tuple[str, ...] = ()
    sampling: Sampling = Sampling.FREE
    forced_tools: bool = True
    schemas: bool = True
    prefill: bool = True


_THIRD = Generation(4_096, schemas=False)
_BUDGETED = Generation(64_000, budget=True, schemas=False)
_4_5 = replace(_BUDGETED, schemas=True, sampling=Sampling.ONE)
_4_6 = replace(
    _4_5,
    max_output=_MOST_OUTPUT,
    adaptive=True,
    efforts=("low", "medium", "high", "max"),
    prefill=False,
)
_4_7 = replace(
    _4_6,
    budget=False,
    efforts=("low", "medium", "high", "xhigh", "max"),
    sampling=Sampling.NONE,
)
_5_0 = replace(_4_7, off="disabled")
_ALWAYS = replace(_4_7, off=None)

_Version = tuple[int, int]
# Family -> the first version of each row, the newest first
_ROWS: Mapping[str, tuple[tuple[_Version, Generation], ...]] = {
    "opus": (
        ((5, 5), replace(_ALWAYS, forced_tools=False)),
        ((5, 0), _5_0),
        ((4, 7), _4_7),
        ((4, 6), _4_6),
        ((4, 5), _4_5),
        ((4, 1), replace(_4_5, max_output=32_000)),
        ((4, 0), replace(_BUDGETED, max_output=32_000)),
        ((0, 0), _THIRD),
    ),
    "sonnet": (
        ((5, 5), replace(_4_7, off="between_tools", forced_tools=False)),
        ((5, 0), _5_0),
        ((4, 6), _4_6),
        ((4, 5), _4_5),
        ((3, 7), _BUDGETED),
        ((3, 5), replace(_THIRD, max_output=8_192)),
        ((0, 0), _THIRD),
    ),
    "haiku": (
        ((5, 0), _5_0),
        ((4, 5), _4_5),
        ((3, 5), replace(_THIRD, max_output=8_192)),
        ((0, 0), _THIRD),
    ),
    "fable": (((5, 1), replace(_ALWAYS, forced_tools=False)), ((0, 0), _ALWAYS)),
    "mythos": (((5, 1), replace(_ALWAYS, forced_tools=False)), ((0, 0), _ALWAYS)),
    "": (((3, 0), _4_7), ((0, 0), _THIRD)),  # a family that is not known, or none
}
# A deployment under its owner's name, or another vendor's model behind the same dialect
_STRANGER = Generation(8_192, budget=True)
_NEWEST: _Version = (99, 0)  # of a name without a version: `claude-opus-latest`

_NAME = re.compile(
    r"claude-(?P<family>[a-z]+)(?:-(?P<major>\d{1,2})(?:[.-](?P<minor>\d{1,2})(?!\d))?(?!\d))?"
)
_OLD_NAME = re.compile(  # `claude-3-5-haiku-20241022`, `claude-2.1`
    r"claude-(?P<major>\d{1,2})(?:[.-](?P<minor>\d{1,2})(?!\d))?(?:-(?P<family>[a-z]+))?"
)


def generation_of(native: str) -> Generation:
    """Return what a model takes, by its name at Anthropic, Vertex, Bedrock or Azure."""
    return known_generation(native) or _STRANGER


def known_generation(native: str) -> Generation | None:
    """Return what a model takes by its name, None where that does not tell which Claude it is."""
    name = native.lower()
    found = _NAME.search(name) or _OLD_NAME.search(name)
    if found is None:
        return None
    major = found["major"]
    version = _NEWEST if major is None else (int(major), int(found["minor"] or 0))
    rows = _ROWS.get(found["family"] or "", _ROWS[""])
    return next(row for least, row in rows if version >= least)
