"""Recorded requests counted, beside what their vendors counted."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.conformance.kinds import KINDS, kind_of
from tests.conformance.recording import Recording, load, rows
from tests.counting.asked import READERS
from tests.counting.words import Json, Untold

from infway.kernel.chat import ChatRequest, Feature, Selection
from infway.providers.counting import Count, count_chat, knows
from infway.providers.counting.families import family_of

_MODEL = re.compile(rb'"model(?:Version)?":\s*"([^"]+)"')
_HIDING = {"venice": "the vendor puts a prompt of its own in front"}
_KINDS = ("text", "functions", "media")


class Measured(NamedTuple):
    """One request. `kind`: text alone, with functions or a form, or with media as well."""

    name: str
    model: str
    kind: str
    counted: Count
    true: int

    @property
    def family(self) -> str:
        """The family it is counted as."""
        return family_of(self.model).name

    @property
    def error(self) -> float:
        """How far the count is off, as a share of the true one."""
        return (self.counted.tokens - self.true) / self.true


def measure(corpus: Path) -> tuple[list[Measured], Counter[str]]:
    """Return every request once that can be compared, and why how many others cannot."""
    found: dict[tuple[str, str], Measured] = {}
    why: Counter[str] = Counter()
    for row in rows(corpus):
        if row.status != 200 or row.dialect not in READERS:
            continue
        recording = load(row)
        try:
            true, body = _true(recording), _body(recording)
        except (Untold, KeyError, AttributeError, TypeError) as error:
            what = str(error) if isinstance(error, Untold) else "it is no chat of this dialect"
            why[what] += 1
            continue
        model = _model(recording)
        ask = ChatRequest(row.id, body, False, Selection(), Feature(0), 0, 0, None, None)
        one = Measured(row.file.name, model, _kind(body), count_chat(ask, model), true)
        found.setdefault((model, json.dumps(body, sort_keys=True)), one)
    return list(found.values()), why


def texts(corpus: Path) -> Iterator[str]:
    """Yield the texts of all requests."""
    for row in rows(corpus):
        yield from _texts(load(row).asked)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _true(recording: Recording) -> int:
    """Return the tokens of the prompt as its vendor counted them, or as it bills them."""
    row = recording.row
    if row.dialect.endswith("count_tokens"):
        said = json.loads(recording.text)
        return said.get("input_tokens") or said["totalTokens"]
    said = KINDS[kind_of(row)].truth(recording)
    usage = said.usage  # type: ignore[attr-defined]
    tokens = 0 if usage is None else (usage.billed or (usage.prompt,))[0]
    if not tokens:
        raise Untold("the vendor did not count")
    return tokens


def _body(recording: Recording) -> Json:
    hidden = _HIDING.get(recording.row.provider)
    if hidden:
        raise Untold(hidden)
    return READERS[recording.row.dialect](dict(recording.asked))


def _model(recording: Recording) -> str:
    """Return the model that answered, or the one asked for where that says more."""
    found = _MODEL.search(recording.body)
    answered = found[1].decode() if found else ""
    return answered if knows(answered) else recording.row.model


def _kind(body: Json) -> str:
    parts = [
        part.get("type", "")
        for message in body["messages"]
        for part in message.get("content") or ()
        if isinstance(part, dict)
    ]
    if set(parts) - {"text", "refusal"}:
        return _KINDS[2]
    calls = any(
        message.get("tool_calls") or message["role"] == "tool" for message in body["messages"]
    )
    form = (body.get("response_format") or {}).get("type") == "json_schema"
    return _KINDS[bool(calls or form or body.get("tools") or body.get("functions"))]
