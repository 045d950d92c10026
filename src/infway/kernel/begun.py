"""An answer that broke off after it had begun: what was read of it, and how a model goes on with it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from infway.kernel.faults import Fault

_NOTHING: Mapping[str, object] = MappingProxyType({})


class Said(NamedTuple):
    """What of an answer its caller has read when it broke off: the words of its only choice.

    `tokens`: of all of it, as counted or estimated. `choices`: those that have begun, by index.
    `broken`: how it broke off. `refused`: offers, by index, that would not go on with it; more of
    them may be added.
    """

    text: str = ""
    reasoning: str = ""
    tokens: int = 0
    choices: frozenset[int] = frozenset()
    refused: set[int] | None = None
    broken: Fault = Fault.STREAM_CUT


class Prefill(NamedTuple):
    """How a model is asked to go on with an answer: its beginning is the last message, as it stands.

    `marks`: what else stands in that message. `fields`: root fields that go with it. `moved`: the
    beginning of the address, and what stands in its place. `trims`: white space at the end of the
    text is refused. `repeats`: no documentation says that the reply leaves the beginning out.
    """

    marks: Mapping[str, object] = _NOTHING
    fields: Mapping[str, object] = _NOTHING
    moved: tuple[str, str] | None = None
    trims: bool = False
    repeats: bool = False
