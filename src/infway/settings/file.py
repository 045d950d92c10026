"""A YAML file as plain values, each with its place, and `${VARIABLES}` filled in.

Read event by event: nothing in a file can be executed, nested without end, or grow when aliases
are expanded. Only what YAML 1.2 calls the core schema is understood, so `no` is a word.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

import yaml

from infway.settings.tree import Where, dotted

MAX_DEPTH = 24
MAX_VALUES = 50_000
SECRETS = frozenset(  # fields that may be {file: path}
    {"key", "pepper", "redis", "secret", "service_account", "secret_access_key", "session_token"}
    | {"url"}
)


@dataclass(frozen=True, slots=True)
class Override:
    """A value from outside the file. `origin` names where from; the step `+` appends to a list."""

    path: tuple[str, ...]
    value: object
    origin: str


@dataclass(slots=True)
class Document:
    """What was read: the values, the place of each, and what is wrong so far.

    `literal`: places of values that were written out, without a variable or a file.
    """

    value: dict[str, object] = field(default_factory=dict[str, object])
    places: dict[Where, str] = field(default_factory=dict[Where, str])
    literal: set[Where] = field(default_factory=set[Where])
    problems: list[str] = field(default_factory=list[str])
    _reported: set[Where] = field(default_factory=set[Where])

    def report(self, where: Where, message: str) -> None:
        """Add a problem at the closest known place; the first one of a value hides later ones."""
        if where in self._reported:
            return
        self._reported.add(where)
        self.problems.append(self.placed(where, message))

    def placed(self, where: Where, message: str) -> str:
        """Return a message with the closest known place before it."""
        above = (where[:end] for end in range(len(where), -1, -1))
        origin = next((self.places[one] for one in above if one in self.places), "configuration")
        return f"{origin}: {dotted(where)}: {message}" if where else f"{origin}: {message}"


def parse(text: str, name: str, environment: Mapping[str, str], folder: Path) -> Document:
    """Read the text of a configuration file; every problem is in the Document, none is raised."""
    document = Document()
    document.places[()] = f"{name}:1:1"
    try:
        _Reader(
            yaml.parse(text, Loader=yaml.CSafeLoader), name, document, environment, folder
        ).read()
    except _UnreadableError as problem:
        document.problems.append(str(problem))
    except yaml.MarkedYAMLError as problem:
        document.problems.append(_syntax(problem, name, text))
    except yaml.YAMLError as problem:
        document.problems.append(f"{name}: {problem}".replace("\n", " "))
    return document


class _UnreadableError(Exception):
    """Reading cannot go on."""


class _Reader:
    """Turns parse events into values."""

    def __init__(
        self,
        events: Iterator[yaml.Event],
        name: str,
        document: Document,
        environment: Mapping[str, str],
        folder: Path,
    ) -> None:
        self._events = events
        self._name = name
        self._document = document
        self._environment = environment
        self._folder = folder
        self._anchors: dict[str, tuple[object, int]] = {}
        self._count = 0

    def read(self) -> None:
        """Read the one document of the stream; an empty one is an empty mapping."""
        for event in self._events:
            if isinstance(event, (yaml.StreamStartEvent, yaml.StreamEndEvent)):
                continue
            if isinstance(event, yaml.DocumentStartEvent):
                if self._count:
                    raise _UnreadableError(f"{self._place(event)}: only one document is allowed")
                self._root(next(self._events))

    def _root(self, event: yaml.Event) -> None:
        value = self._value(event, ())
        if isinstance(value, dict):
            self._document.value = value
        elif value is not None:
            self._document.report((), "should be a mapping of keys to values")
        next(self._events)

    def _value(self, event: yaml.Event, where: Where) -> object:
        self._document.places.setdefault(where, self._place(event))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if not isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            raise _UnreadableError(f"{self._place(event)}: a value is missing")
        before = self._count
        self._grow(1, event)
        if len(where) > MAX_DEPTH:
            raise _UnreadableError(
                f"{self._place(event)}: nested more than {MAX_DEPTH} levels deep"
            )
        tag, anchor = str(event.tag or "!"), event.anchor
        if tag not in _TAGS:
            self._document.report(where, f"the tag {tag} is not allowed")
        value = self._content(event, where)
        if anchor:
            self._anchors[anchor] = (value, self._count - before)
        return value

    def _content(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, where: Where) -> object:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, where)
        return (
            self._mapping(where)
            if isinstance(event, yaml.MappingStartEvent)
            else self._sequence(where)
        )

    def _alias(self, event: yaml.AliasEvent) -> object:
        if event.anchor not in self._anchors:
            raise _UnreadableError(f"{self._place(event)}: *{event.anchor} stands for nothing")
        value, size = self._anchors[event.anchor]
        self._grow(size, event)
        return value

    def _grow(self, size: int, event: yaml.Event) -> None:
        self._count += size
        if self._count > MAX_VALUES:
            raise _UnreadableError(f"{self._place(event)}: more than {MAX_VALUES} values")

    def _sequence(self, where: Where) -> list[object]:
        values: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            values.append(self._value(event, (*where, len(values))))
        return values

    def _mapping(self, where: Where) -> object:
        values: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _UnreadableError(f"{self._place(event)}: a key should be a word")
            inner = (*where, event.value)
            first = self._document.places.get(inner, "").removeprefix(f"{self._name}:")
            self._document.places[inner] = self._place(event)
            if event.value in values:
                self._document.report(inner, f"is here a second time; first at {first}")
            values[event.value] = self._value(next(self._events), inner)
        if where and where[-1] in SECRETS and values.keys() == {"file"}:
            self._document.literal.discard((*where, "file"))
            return self._secret(str(values["file"]), where)
        return values

    def _secret(self, name: str, where: Where) -> str | None:
        path = self._folder / name
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            self._document.report(where, f"{path} cannot be read: {error.strerror}")
        except ValueError:
            self._document.report(where, f"{path} is not text")
        return None

    def _scalar(self, event: yaml.ScalarEvent, where: Where) -> object:
        text: str = event.value
        if "${" in text:
            return self._filled(text, where)
        value = plain(text) if event.implicit[0] else text
        if value is not None:
            self._document.literal.add(where)
        return value

    def _filled(self, text: str, where: Where) -> str | None:
        def fill(match: re.Match[str]) -> str:
            name, default = match["name"], match["default"]
            if match[0].startswith("$$"):
                return "${"
            if name is None:
                self._document.report(where, "a variable is written ${NAME} or ${NAME:-default}")
            elif not self._environment.get(name) and default is None:
                self._document.report(where, f"the variable {name} is not set")
            return self._environment.get(name or "") or default or ""

        return _VARIABLE.sub(fill, text) or None

    def _place(self, event: yaml.Event) -> str:
        mark = event.start_mark
        return f"{self._name}:{mark.line + 1}:{mark.column + 1}" if mark else self._name


_VARIABLE = re.compile(
    r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|\$\{"
)
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")
) | {"!"}


def _finite(text: str) -> object:
    value = float(text)
    return value if isfinite(value) else text


_PLAIN: tuple[tuple[re.Pattern[str], Callable[[str], object]], ...] = (
    (re.compile(r"|~|null|Null|NULL"), lambda _: None),
    (re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text.lower() == "true"),
    (re.compile(r"[-+]?[0-9]{1,18}"), int),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?"), _finite),
)


def plain(text: str) -> object:
    """Return what an unquoted scalar means in YAML 1.2: null, a boolean, a number, or text."""
    for pattern, convert in _PLAIN:
        if pattern.fullmatch(text):
            return convert(text)
    return text


def _syntax(problem: yaml.MarkedYAMLError, name: str, text: str) -> str:
    mark = problem.problem_mark or problem.context_mark
    message = ", ".join(part for part in (problem.context, problem.problem) if part)
    if mark is None:
        return f"{name}: {message}"
    line = "".join(text.split("\n")[mark.line : mark.line + 1])
    hint = "; put ${...} in quotes inside { } and [ ]" if "${" in line else ""
    return f"{name}:{mark.line + 1}:{mark.column + 1}: {message}{hint}"
