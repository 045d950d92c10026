"""Recorded requests in OpenAI's words, said in every other dialect, as its vendor would judge them."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.translation.offers import features, offers, translating
from tests.translation.published import broken_rules
from tests.translation.vendor_types import judge

from infway.api.reading import read_chat
from infway.ims.candidates import HARD
from infway.kernel.chat import ChatRequest, Offer
from infway.kernel.errors import CallerError, UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.registry import ADAPTERS

_PLACE = re.compile(r"\[\d+\]")


class Sent(NamedTuple):
    """A recorded request: where it is from, what its client wrote, how its vendor answered."""

    name: str
    body: bytes
    status: int


@dataclass
class Row:
    """How a dialect fared. `run`: requests it can carry; `passed`: those its vendor would take.

    `refused`: why the others were not tried there, with how many; `failures`: a line each.
    """

    dialect: str
    run: int = 0
    passed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def run(corpus: Path, step: int = 1) -> list[Row]:
    """Return a row for every dialect; `step` 10: try only every tenth request."""
    sent = list(recorded(corpus))[::step]
    return [_row(dialect, sent) for dialect in translating()]


def recorded(corpus: Path) -> Iterator[Sent]:
    """Yield the requests in OpenAI's words of a folder of recordings."""
    for line in (corpus / "_index.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["dialect"] == "openai_chat":
            record = json.loads((corpus / row["file"]).read_text())
            body = record["request"].get("body")
            if isinstance(body, dict):
                yield Sent(row["file"], json.dumps(body).encode(), row["status"])


def _row(dialect: str, sent: Iterable[Sent]) -> Row:
    row = Row(dialect)
    for one in sent:
        if one.status >= 400:
            row.refused["its own vendor refused it when it was recorded"] += 1
            continue
        try:
            ask, _ = read_chat(one.body, "r-1", None)
        except CallerError as error:
            row.refused[f"the gateway: {_PLACE.sub('', error.message)[:60]}"] += 1
            continue
        if _leaves_open(one.body):
            row.refused["it leaves a call unanswered, which only some vendors take"] += 1
            continue
        missing = ask.features & HARD & ~features(dialect)
        if missing:
            row.refused[f"no offer: {missing.name}"] += 1
            continue
        _try(row, one.name, ask)
    return row


def _leaves_open(body: bytes) -> bool:
    """Tell whether a call is followed by something else than its result."""
    messages = json.loads(body)["messages"]
    made = [call for one in messages[:-1] for call in one.get("tool_calls") or ()]
    return len(made) > sum(one["role"] == "tool" for one in messages)


def _try(row: Row, name: str, ask: ChatRequest) -> None:
    """Count a request once: it is run where any model of the dialect is said to take it."""
    found: list[str] = []
    reasons: list[str] = []
    every = offers(row.dialect)
    for offer in every:
        try:
            found += [f"{offer.native}: {line}" for line in _judged(row.dialect, ask, offer)]
        except UpstreamFailed as failed:
            failure = failed.failure
            if failure.fault is not Fault.UNTRANSLATABLE:
                found.append(f"{offer.native}: {failure.fault} {failure.message}")
            reasons.append(f"the adapter: {_PLACE.sub('', failure.message or '')}")
    if len(reasons) == len(every):
        row.refused[reasons[0]] += 1
        return
    row.run += 1
    row.passed += not found
    row.failures += [f"{name} {line}" for line in found[:3]]


def _judged(dialect: str, ask: ChatRequest, offer: Offer) -> list[str]:
    try:
        call = ADAPTERS[dialect].request(ask, offer)
    except UpstreamFailed:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is to be reported
        return [f"raised {type(error).__name__}: {error}"]
    return judge(dialect, call) + broken_rules(dialect, json.loads(call.body), offer.native)


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of a table for people."""
    yield f"{'dialect':16}{'passed':>8}{'run':>6}{'refused':>9}"
    for row in rows:
        yield f"{row.dialect:16}{row.passed:8}{row.run:6}{row.refused.total():9}"
    for row in rows:
        for reason, count in row.refused.most_common():
            yield f"{row.dialect}: not said, {count} x {reason}"
        for line in row.failures:
            yield f"{row.dialect}: FAILS {line}"
