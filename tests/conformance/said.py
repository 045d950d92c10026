"""What a reply says, whoever read it, and how two readings differ."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

FINISHES = frozenset({"tool_calls", "stop", "length", "content_filter", "error"})
# USD per million tokens that the gateway is told; small differences between parts must show.
PRICES = {
    "input_price": "1",
    "output_price": "3",
    "cache_read_price": "0.25",
    "cache_write_price": "1.5",
}
JOINT = "\0"  # where one part of the reasoning ends and another begins


@dataclass
class Call:
    """A tool call. `id` None: the vendor gave none. `arguments`: the text, as it came."""

    name: str = ""
    id: str | None = None
    arguments: str = ""


@dataclass
class Choice:
    """One answer. `finish` is one of FINISHES, `native` the vendor's word.

    `cited`: for each citation what it is known by, an address or a quotation; `kept`: signatures
    and encrypted reasoning that the caller gives back; `tokens`: those with log probabilities;
    `images`: how many; `audio`: its data. JOINT in `reasoning`: blank lines may stand there.
    """

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    calls: list[Call] = field(default_factory=list)
    finish: str | None = None
    native: str | None = None
    cited: set[frozenset[str]] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    tokens: list[str] = field(default_factory=list)
    images: int = 0
    audio: str = ""

    def call(self, position: int) -> Call:
        """Return the call at a position, which may be its first mention."""
        while len(self.calls) <= position:
            self.calls.append(Call())
        return self.calls[position]


COUNTS = ("prompt", "completion", "total", "cached", "written", "reasoning")


@dataclass
class Spent:
    """Tokens. `cached` and `written` are parts of `prompt`, `reasoning` of `completion`.

    `billed`: prompt and completion tokens that are paid, where they are not those counted.
    """

    prompt: int
    completion: int
    total: int
    cached: int = 0
    written: int = 0
    reasoning: int = 0
    billed: tuple[int, int] | None = None

    @property
    def cost(self) -> float:
        """USD at PRICES: what was cached or written is not paid as plain input as well."""
        price = {name: float(usd) for name, usd in PRICES.items()}
        if self.billed is not None:
            into, out = self.billed
            return (into * price["input_price"] + out * price["output_price"]) / 1e6
        cached = min(self.cached, self.prompt)  # xAI on Azure says more
        written = min(self.written, self.prompt - cached)
        return (
            (self.prompt - cached - written) * price["input_price"]
            + cached * price["cache_read_price"]
            + written * price["cache_write_price"]
            + self.completion * price["output_price"]
        ) / 1e6


@dataclass
class Failing:
    """An error. What is None is not known, or may be anything. `retry_after` in seconds.

    `is_instead`: it came in the place of a reply, and not in the middle of one.
    """

    status: int | None = None
    code: str | None = None
    message: str | None = None
    retry_after: float | None = None
    is_instead: bool = False


@dataclass
class Said:
    """A reply. `usage` None: the vendor did not count. `cost`: USD as the gateway asks for it."""

    choices: dict[int, Choice] = field(default_factory=dict)
    usage: Spent | None = None
    failing: Failing | None = None
    cost: float | None = None

    def choice(self, index: int = 0) -> Choice:
        """Return a choice, which may be its first mention."""
        return self.choices.setdefault(index, Choice())


def differences(true: Said, heard: Said) -> list[str]:
    """Return what is not as the recording says, one line each."""
    found: list[str] = []
    if true.failing is not None or heard.failing is not None:
        found += _failures(true.failing, heard.failing)
    is_whole = true.failing is None
    if not is_whole and heard.failing is not None and heard.failing.is_instead:
        return found  # the reply was over before anything of it was passed on
    for index in sorted(true.choices.keys() | heard.choices.keys()):
        one, other = true.choices.get(index, Choice()), heard.choices.get(index, Choice())
        found += [f"choice {index} {line}" for line in _choices(one, other, is_whole=is_whole)]
    if is_whole and true.usage is not None:
        found += _usages(true.usage, heard.usage)
        if heard.cost is None or abs(heard.cost - true.usage.cost) > 1e-9:
            found.append(unlike("cost", true.usage.cost, heard.cost))
    return found


def unlike(name: str, expected: object, got: object) -> str:
    """Return one difference."""
    one, other = _short(expected, got)
    return f"{name}: expected {one}, got {other}"


def _short(expected: object, got: object, width: int = 90) -> tuple[str, str]:
    """Return both as they read around the first place where they differ."""
    one, other = repr(expected), repr(got)
    place = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    start = max(0, place - width // 3) if max(len(one), len(other)) > width else 0
    return tuple(
        ("..." if start else "")
        + text[start : start + width]
        + ("..." if text[start + width :] else "")
        for text in (one, other)
    )  # type: ignore[return-value]  # two in, two out


def _failures(true: Failing | None, heard: Failing | None) -> list[str]:
    if true is None:
        return [unlike("error", None, heard)]
    if heard is None:
        return ["error: expected one, got a reply that ends well"]
    found: list[str] = []
    if true.status is not None and true.status != heard.status:
        found.append(unlike("error status", true.status, heard.status))
    if true.code is not None and true.code != heard.code:
        found.append(unlike("error code", true.code, heard.code))
    if true.message is not None and _plain(true.message)[:60] not in _plain(heard.message or ""):
        found.append(unlike("error message", true.message, heard.message))
    if true.retry_after is not None and true.retry_after != heard.retry_after:
        found.append(unlike("retry-after", true.retry_after, heard.retry_after))
    return found


def _plain(text: str) -> str:
    return " ".join(text.split())


def _choices(true: Choice, heard: Choice, *, is_whole: bool) -> list[str]:
    names = ["text", "refusal"]
    if is_whole:
        names += ["finish", "native", "images", "audio"] + (["tokens"] if true.tokens else [])
    found = [
        unlike(name, getattr(true, name), getattr(heard, name))
        for name in names
        if getattr(true, name) != getattr(heard, name)
    ]
    parts = map(re.escape, true.reasoning.split(JOINT))
    if not re.fullmatch(r"\s*".join(parts), heard.reasoning):
        found.append(unlike("reasoning", true.reasoning, heard.reasoning))
    return found + _losses(true, heard) + _calls(true.calls, heard.calls) if is_whole else found


def _losses(true: Choice, heard: Choice) -> list[str]:
    known = frozenset().union(*heard.cited)
    cited = [one for one in true.cited if not one & known]
    kept = true.kept - heard.kept
    found = (
        [f"citations: lost {len(cited)} of {len(true.cited)}: {_first(cited[0])}"] if cited else []
    )
    return found + (
        [f"signatures: lost {len(kept)} of {len(true.kept)}: {_first(kept)}"] if kept else []
    )


def _first(lost: Iterable[str]) -> str:
    return repr(min(lost)[:60])


def _calls(true: list[Call], heard: list[Call]) -> list[str]:
    if len(true) != len(heard):
        return [unlike("tool calls", [one.name for one in true], [one.name for one in heard])]
    found: list[str] = []
    for place, (one, other) in enumerate(zip(true, heard, strict=True)):
        if one.name != other.name:
            found.append(unlike(f"call {place} name", one.name, other.name))
        if one.id is not None and one.id != other.id:
            found.append(unlike(f"call {place} id", one.id, other.id))
        if not other.id:
            found.append(f"call {place} has no id")
        if parsed(one.arguments) != parsed(other.arguments):
            found.append(unlike(f"call {place} arguments", one.arguments, other.arguments))
    if len({one.id for one in heard}) < len(heard) and not _share_ids(true):
        found.append("calls share an id")
    return found


def _share_ids(calls: list[Call]) -> bool:
    ids = [one.id for one in calls if one.id is not None]
    return len(set(ids)) < len(ids)


def parsed(text: str) -> Any:
    """Return arguments as a value: none are an empty object, what is no JSON stands for itself."""
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


def _usages(true: Spent, heard: Spent | None) -> list[str]:
    if heard is None:
        return ["usage: none"]
    return [
        unlike(f"usage {name}", getattr(true, name), getattr(heard, name))
        for name in COUNTS
        if getattr(true, name) != getattr(heard, name)
    ]
