"""Made-up requests, translated and told back: `python -m tests.translation.generated --cases 10000`."""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from tests.translation.facts import Json
from tests.translation.nonsense import nonsensical
from tests.translation.offers import offers, translating
from tests.translation.published import broken_rules
from tests.translation.refusals import is_sensible
from tests.translation.requests import requests
from tests.translation.telling import lost
from tests.translation.vendor_types import judge

from infway.api.reading import read_chat
from infway.kernel.chat import ChatRequest, Offer
from infway.kernel.errors import CallerError, UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.registry import ADAPTERS

_VARIES = re.compile(r"\[\d+\]|'[^']*'|\"[^\"]*\"|\d+")


@dataclass
class Found:
    """What a dialect got wrong: each kind of failure with its shortest case, and how often it was.

    `refused`: paths that adapters have no words for, with how many.
    """

    dialect: str
    cases: int = 0
    said: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    times: Counter[str] = field(default_factory=Counter)
    shortest: dict[str, str] = field(default_factory=dict)

    def note(self, line: str, model: str, case: str) -> None:
        """Note a failure of a case."""
        kind = _VARIES.sub("_", line)[:120]
        self.times[kind] += 1
        told = f"{line} ({model})\n    {case[:2000]}"
        if kind not in self.shortest or len(told) < len(self.shortest[kind]):
            self.shortest[kind] = told


def failures(dialect: str, request: Json, ask: ChatRequest, offer: Offer) -> list[str]:
    """Return what is wrong with a request as its vendor is told it.

    Raises UpstreamFailed(untranslatable) where the adapter has no words for it.
    """
    broken = breaks(dialect, ask, offer)
    if broken:
        return broken
    call = ADAPTERS[dialect].request(ask, offer)
    rules = broken_rules(dialect, json.loads(call.body), offer.native)
    found = {
        "not taken": judge(dialect, call),
        "refused": rules,
        "lost": lost(dialect, request, call),
    }
    return [f"{kind}: {line}" for kind, lines in found.items() for line in lines]


def breaks(dialect: str, ask: ChatRequest, offer: Offer) -> list[str]:
    """Return what an adapter raises that it must not raise."""
    try:
        json.loads(ADAPTERS[dialect].request(ask, offer).body)
    except UpstreamFailed:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is to be reported
        return [f"raised {type(error).__name__}: {error}"]
    return []


def run(cases: int, dialects: Iterable[str], first: int = 0) -> list[Found]:
    """Return what so many requests find in each dialect."""
    every = [Found(dialect) for dialect in dialects]
    _each_of(requests(), cases, first, lambda request: _try(every, request))
    return every


def run_nonsense(cases: int, every: Iterable[Found], first: int = 0) -> None:
    """Add what so many requests with nonsense in them break."""

    def attempt(request: Json) -> None:
        with suppress(CallerError):  # much of it goes no further than the edge
            ask = asked(request)
            for found in every:
                for offer in offers(found.dialect):
                    with suppress(UpstreamFailed):
                        for line in breaks(found.dialect, ask, offer):
                            found.note(line, offer.native, json.dumps(request))

    _each_of(nonsensical(), cases, first, attempt)


def _each_of(
    source: st.SearchStrategy[Json],
    cases: int,
    first: int,
    attempt: Callable[[Json], None],
) -> None:
    @seed(first)
    @settings(max_examples=cases, phases=[Phase.generate], deadline=None, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(source)
    def each(request: Json) -> None:
        attempt(request)

    each()


def asked(request: Json) -> ChatRequest:
    """Return a request as the edge reads it; raises CallerError."""
    return read_chat(json.dumps(request).encode(), "r-1", None)[0]


def _try(every: Iterable[Found], request: Json) -> None:
    ask = asked(request)
    for found in every:
        models = offers(found.dialect)
        offer = models[found.cases % len(models)]
        found.cases += 1
        try:
            lines = failures(found.dialect, request, ask, offer)
        except UpstreamFailed as failed:
            failure = failed.failure
            if failure.fault is Fault.UNTRANSLATABLE and is_sensible(request, failure.param):
                found.refused[_VARIES.sub("", failure.message or "")] += 1
                continue
            lines = [f"refused without a reason: {failure.param} {failure.message}"]
        found.said += 1
        for line in lines:
            found.note(line, offer.native, json.dumps(request))


def report(every: Iterable[Found]) -> Iterator[str]:
    """Yield the lines of a report for people."""
    for found in every:
        yield f"{found.dialect}: {found.said} of {found.cases} said, {found.times.total()} failures"
        for reason, count in found.refused.most_common():
            yield f"  refused {count} x {reason}"
        for kind, count in found.times.most_common():
            yield f"  FAILS {count} x {found.shortest[kind]}"


def main() -> int:
    """Return 0 where nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.translation.generated")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dialect", action="append", help="all, where none is named")
    said = parser.parse_args()
    every = run(said.cases, said.dialect or translating(), said.seed)
    run_nonsense(said.cases // 5, every, said.seed)
    print("\n".join(report(every)))
    return any(found.times for found in every)


if __name__ == "__main__":
    sys.exit(main())
