"""From a file, variables and the command line to Settings, or to every problem at once."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from infway.kernel.errors import SettingsError
from infway.settings import checks
from infway.settings.account_checks import closest
from infway.settings.extras import lacking
from infway.settings.file import Document, Override, parse
from infway.settings.models import Settings
from infway.settings.surroundings import from_environment
from infway.settings.tree import Tree, Where, is_list, is_mapping, rows
from infway.settings.upstreams import PATTERNS

LARGEST_FILE = 2**20  # bytes
EXAMPLE = "change-me"  # how the keys of config/infway.yaml begin


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that is right, and what is unwise about it."""

    settings: Settings
    warnings: tuple[str, ...]


def load(
    path: Path | None, environment: Mapping[str, str], overrides: Iterable[Override] = ()
) -> Settings:
    """Return the configuration; raises SettingsError with every problem at once."""
    return read(path, environment, overrides).settings


def defaults(environment: Mapping[str, str]) -> Settings:
    """Return the configuration for where there is no file."""
    return load(None, environment)


def read(
    path: Path | None, environment: Mapping[str, str], overrides: Iterable[Override] = ()
) -> Loaded:
    """Return the configuration with its warnings; raises SettingsError with every problem."""
    document = Document() if path is None else _document(path, environment)
    if document.problems and not document.value:
        raise SettingsError(tuple(document.problems))
    for override in overrides:
        _apply(override, document)
    _fill(document, environment)
    settings = _validate(document)
    for where, message in checks.problems(document.value):
        document.report(where, message)
    left_out = lacking(document.value)
    if len(left_out) == len(rows(document.value, "upstreams")):  # it would serve something else
        for index, message in left_out.items():
            document.report(("upstreams", index), message)
    if settings is None or document.problems:
        raise SettingsError(tuple(sorted(document.problems, key=_position)))
    return Loaded(
        _without(settings, left_out), (*_warnings(document), *_left_out(document, left_out))
    )


def json_schema() -> dict[str, object]:
    """Return the JSON schema of a configuration file, for editors."""
    schema = Settings.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "infway.yaml"
    return {name: _with_variables(value) for name, value in schema.items()}


def _document(path: Path, environment: Mapping[str, str]) -> Document:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError((f"{path}: cannot be read: {error.strerror}",)) from error
    if len(data) > LARGEST_FILE:
        raise SettingsError((f"{path}: larger than {LARGEST_FILE} bytes",))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise SettingsError((f"{path}:{line}:{column}: not UTF-8",)) from error
    return parse(text, str(path), environment, path.parent)


def _apply(override: Override, document: Document) -> None:
    *steps, last = override.path
    where: Where = override.path
    inner: object = document.value
    for depth, step in enumerate(steps, 1):
        if is_mapping(inner):
            if inner.get(step) is None:
                inner[step] = [] if last == "+" and depth == len(steps) else {}
            inner = inner[step]
    if is_list(inner):
        where = (*steps, len(inner))
        inner.append(override.value)
    elif is_mapping(inner):
        inner[last] = override.value
    document.places[where] = override.origin


def _fill(document: Document, environment: Mapping[str, str]) -> None:
    """Take what upstreams leave open from the variables their vendors' own tools read."""
    found = document.value.get("upstreams")
    for index, row in rows(document.value, "upstreams"):
        vendor = checks.vendor_of(row)
        if vendor is not None and is_list(found):
            found[index] = {**from_environment(vendor, row, environment), **_given(row)}


def _given(row: Tree) -> Tree:
    return {name: value for name, value in row.items() if value is not None}


def _validate(document: Document) -> Settings | None:
    said = {name: value for name, value in document.value.items() if value is not None}
    try:
        return Settings.model_validate(said)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            document.report(_place(detail["loc"], document.value), _message(detail))
    return None


def _place(steps: Where, value: object) -> Where:
    """Return the steps as far as the file has them: what may be of several kinds has more."""
    for depth, step in enumerate(steps):
        if is_mapping(value):
            value = value.get(str(step))
        elif is_list(value) and isinstance(step, int):
            value = value[step]
        else:
            return steps[:depth]
    return steps


_MESSAGES: Mapping[str, str] = {
    "missing": "is required",
    "string_type": "should be text; put it in quotes",
    "model_type": "should be a mapping of keys to values",
    "dict_type": "should be a mapping of keys to values",
    "tuple_type": "should be a list",
    "too_short": "should be at least {min_length} characters long",
    "string_too_short": "should be at least {min_length} characters long",
}


def _message(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        *parents, name = detail["loc"]
        return f"unknown key{closest(str(name), set(_fields(tuple(parents))))}"
    if kind == "string_pattern_mismatch":
        return PATTERNS[context["pattern"]]
    if kind in _MESSAGES:
        return _MESSAGES[kind].format(**context)
    return detail["msg"].removeprefix("Value error, ").replace("Input should", "should")


def _fields(where: Where) -> Iterable[str]:
    model: type[BaseModel] = Settings
    for step in where:
        if isinstance(step, str) and step in model.model_fields:
            model = _model_in(model.model_fields[step].annotation) or model
    return model.model_fields


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(inner) for inner in get_args(annotation))
    return next((model for model in found if model), None)


def _position(problem: str) -> tuple[int, int]:
    place = re.search(r":(\d+):(\d+): ", problem)
    return (int(place[1]), int(place[2])) if place else (0, 0)


def _warnings(document: Document) -> Iterable[str]:
    for section in ("keys", "upstreams"):
        for index, row in rows(document.value, section):
            where: Where = (section, index, "key")
            if str(row.get("key", "")).startswith(EXAMPLE):
                yield f"{section}[{index}].key: is the example's, which everybody knows"
            if where in document.literal:
                yield (
                    f"{document.places[where]}: {section}[{index}].key: a secret in a file is read"
                    " by many; write ${NAME} for a variable, or {file: path}"
                )


def _without(settings: Settings, left_out: Collection[int]) -> Settings:
    if not left_out:
        return settings
    rest = (one for index, one in enumerate(settings.upstreams) if index not in left_out)
    return settings.model_copy(update={"upstreams": tuple(rest)})


def _left_out(document: Document, left_out: Mapping[int, str]) -> Iterable[str]:
    for index, message in left_out.items():
        yield document.placed(("upstreams", index), f"left out: {message}")


def _with_variables(schema: object) -> object:
    """Let every value but a mapping or a list also be written as a variable."""
    if is_list(schema):
        return [_with_variables(item) for item in schema]
    if not is_mapping(schema):
        return schema
    inner = {name: _with_variables(value) for name, value in schema.items()}
    is_text = inner.get("type") == "string" and inner.keys() & {"enum", "pattern"}
    if inner.get("type") not in ("integer", "number", "boolean") and not is_text:
        return inner
    about = ("title", "description", "default")
    kept = {name: inner.pop(name) for name in about if name in inner}
    return {**kept, "anyOf": [inner, {"type": "string", "pattern": r"\$\{"}]}
