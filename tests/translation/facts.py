"""A request as facts that any dialect can tell: what is said, in order, and what is wished.

Calls are numbered in the order in which they are made; a result names the call it answers by that
number, so that ids may differ from vendor to vendor.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

Json = dict[str, Any]


class Text(NamedTuple):
    """Words. `who`: system, user, assistant or tool."""

    who: str
    text: str


class Media(NamedTuple):
    """An image, a sound or a file. `source`: base64 data or an address; `form` as `png`, or empty."""

    who: str
    kind: str
    source: str
    form: str = ""
    name: str = ""
    detail: str = ""


class Called(NamedTuple):
    """A call. `arguments`: as JSON with sorted keys, or as text where it is none."""

    number: int
    name: str
    arguments: str
    signature: str = ""


class Result(NamedTuple):
    """What follows, as long as a tool speaks, answers this call."""

    number: int


class Thought(NamedTuple):
    """Reasoning given back. `proof`: a signature, or what is encrypted. `form`: whose it is."""

    text: str
    proof: str = ""
    form: str = ""


class Cached(NamedTuple):
    """The prompt up to here shall be kept for so long."""

    ttl: str


Fact = Text | Media | Called | Result | Thought | Cached


class Tool(NamedTuple):
    """A function; `schema` as JSON with sorted keys. `strict` None: all are, wherever it is wished."""

    name: str
    description: str
    schema: str
    strict: bool | None = False
    cached: str = ""


class Choice(NamedTuple):
    """Which function has to be called: auto, none, required or function."""

    mode: str
    name: str = ""
    allowed: tuple[str, ...] = ()


class Form(NamedTuple):
    """The form of the answer: json_object or json_schema, with the schema as sorted JSON."""

    kind: str
    schema: str = ""
    description: str = ""


class Effort(NamedTuple):
    """Reasoning. `on` None: the vendor is not told; `budget` in tokens."""

    on: bool | None = None
    level: str = ""
    budget: int | None = None


@dataclass
class Told:
    """All facts of a request. What is not in `wishes` was not asked for."""

    said: list[Fact] = field(default_factory=list)
    wishes: dict[str, Any] = field(default_factory=dict)

    def wish(self, name: str, value: object) -> None:
        """Note a wish, unless it is what holds anyway."""
        if value is not None and value not in _USUAL.get(name, ()):
            self.wishes[name] = value


_USUAL: Mapping[str, tuple[Any, ...]] = {
    "choice": (Choice("auto"),), "parallel": (True,), "n": (1,), "logprobs": (False,),
    "stop": ((),), "tools": ((),), "others": ((),), "metadata": ({},), "service_tier": ("auto",),
    "effort": (Effort(),), "presence_penalty": (0,), "frequency_penalty": (0,), "store": (False,),
}  # fmt: skip


_TEXTUAL = {"txt", "csv", "md", "html", "json"}


class Calls:
    """The calls told so far, by the ids that a dialect gives them."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._count = 0

    def made(self, id_: str) -> int:
        """Return the number of a new call."""
        self._numbers[id_] = self._count
        self._count += 1
        return self._count - 1

    def answered(self, id_: str) -> int:
        """Return the number of the call of this id, -1 where there is none."""
        return self._numbers.get(id_, -1)


def canonical(value: object) -> str:
    """Return JSON with sorted keys, in which 1 and 1.0 are the same."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def schema(value: object) -> str:
    """Return a schema of arguments; objects without properties are all the same."""
    said = dict(value) if isinstance(value, dict) and value else {"type": "object"}
    if not said.get("properties"):
        said.pop("properties", None)
    return canonical(said)


def encoded(text: str) -> str:
    """Return text as a file's data."""
    return base64.b64encode(text.encode()).decode()


def tidy(said: Iterable[Fact]) -> list[Fact]:
    """Return the facts without empty words, results in the order of their calls, words in runs."""
    facts = [fact for fact in said if not (isinstance(fact, Text) and not fact.text)]
    ordered: list[Fact] = []
    for is_result, group in groupby(_in_results(facts), lambda one: one[0] >= 0):
        found = list(group)
        if is_result:
            found.sort(key=lambda one: (one[0], _rank(one[1])))
        ordered += [fact for _, fact in found]
    return _without_repeats(ordered)


def _in_results(facts: Iterable[Fact]) -> Iterator[tuple[int, Fact]]:
    """Yield each fact with the call it answers, -2 where it answers none."""
    number = -2
    for fact in facts:
        if isinstance(fact, Result):
            number = fact.number
        elif not isinstance(fact, Cached) and getattr(fact, "who", "") != "tool":
            number = -2
        yield number, fact


def _rank(fact: Fact) -> int:
    return (Result, Text, Media, Cached).index(type(fact))


def _without_repeats(facts: list[Fact]) -> list[Fact]:
    """A result told in two places is one, and of markers in a row the last one counts."""
    return [
        fact
        for fact, after in zip(facts, [*facts, None][1:], strict=True)
        if not (isinstance(fact, Cached) and isinstance(after, Cached))
        and not (isinstance(fact, Result) and fact == after)
    ]


def differences(expected: Iterable[Fact], found: Iterable[Fact]) -> Iterator[str]:
    """Yield the first place where two tidied tellings part; words may be set apart by white space."""
    one, other = _runs(expected), _runs(found)
    for place in range(max(len(one), len(other))):
        left = one[place] if place < len(one) else None
        right = other[place] if place < len(other) else None
        if not _same(left, right):
            yield f"said: expected {_short(left)}, found {_short(right)}"
            return


Run = tuple[str, tuple[str, ...]]


def _runs(facts: Iterable[Fact]) -> list[Run | Fact]:
    runs: list[Run | Fact] = []
    for who, group in groupby(facts, lambda one: one.who if isinstance(one, Text) else None):
        members = list(group)
        if who is None:
            runs += members
        else:
            runs.append((who, tuple(one.text for one in members if isinstance(one, Text))))
    return runs


def _same(left: Any, right: Any) -> bool:
    if type(left) is tuple and type(right) is tuple:
        pattern = r"\s*".join(re.escape(piece) for piece in left[1])
        return left[0] == right[0] and re.fullmatch(pattern, "".join(right[1])) is not None
    if isinstance(left, Media) and isinstance(right, Media):
        return _same_media(left, right)
    return bool(left == right)


def _same_media(left: Media, right: Media) -> bool:
    """Where a vendor wants a name, one is made; where it has no room for a type, it sees itself."""
    name = right.name if left.name else ""
    form = left.form if not right.form or {left.form, right.form} <= _TEXTUAL else right.form
    left, right = (one._replace(detail=one.detail.replace("auto", "")) for one in (left, right))
    return left == right._replace(name=name, form=form if left.form else "")


def _short(fact: object) -> str:
    text = repr(fact)
    return text if len(text) < 160 else f"{text[:157]}..."
