"""Every metric of infway. Labels are closed sets: configured models and upstreams, faults, codes.

Numbers come from settled rows, a batch at a time, so that the request path pays nothing for them.
"""

import asyncio
from collections import Counter as Tally
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Protocol, TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric

from infway.beside import beside
from infway.telemetry.families import Counter, Family, Gauge, Histogram, merged
from infway.telemetry.tallies import OTHER, Tallies

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_PLACES = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
QUEUE_STATES = ("at_ceiling", "resting")
_SERVED = ("at_once", "served")
_PICO = 1e12
_TOLD = 0.5  # seconds between two times that a worker tells the others how it is
CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"

# name -> what it counts, and its labels; docs/metrics.md shows this table.
DESCRIPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "infway_requests": ("Requests that were ranked, by how they ended.", ("model", "outcome")),
    "infway_attempts": (
        "Attempts at upstreams, by how they ended.",
        ("upstream", "model", "outcome"),
    ),
    "infway_tokens": ("Tokens, as settled.", ("upstream", "model", "kind")),
    "infway_cost_usd": ("Cost in USD, as settled.", ("upstream", "model")),
    "infway_first_token_seconds": ("From an attempt's start to its first token.", ("upstream",)),
    "infway_attempt_seconds": ("From an attempt's start to its end.", ("upstream",)),
    "infway_errors": ("Error bodies sent, by code.", ("code",)),
    "infway_waiting_requests": ("Requests that wait for their reply to begin.", ()),
    "infway_upstream_off": (
        "1 while an upstream's key or bill is refused, and it is tried every 5 minutes only.",
        ("upstream",),
    ),
    "infway_breakers_open": ("Offers whose breaker is not closed.", ()),
    "infway_queue_waiting": ("Requests that wait in the queue, by what for.", ("state",)),
    "infway_queue_stays": ("Stays in the queue, by how they ended.", ("outcome",)),
    "infway_queue_wait_seconds": ("Seconds in the queue, of each stay that was served.", ()),
    "infway_loop_stalls": ("How often the event loop stood still for over 0.2 s.", ()),
    "infway_loop_lag_seconds": ("How late the event loop is.", ()),
    "infway_memory_share": ("Memory in use, of what there may be.", ()),
    "infway_files_share": ("File descriptors in use, of what there may be.", ()),
    "infway_reloads": (
        "Reloads of the configuration, by how they ended: `ok`, or `failed` where the running one stayed.",
        ("outcome",),
    ),
    "infway_degraded": (
        "1 while a store is away and this process does without: limits are held to its share.",
        ("store",),
    ),
    "infway_ledger_waiting": ("Rows that are not in the ledger yet.", ()),
    "infway_ledger_away": ("1 while the ledger refuses rows, which wait in the spool.", ()),
    "infway_budget_alerts": (
        "Budgets that came to one of their alerts, by whose and how long they last.",
        ("holder", "per"),
    ),
    "infway_queue_position": ("Place in the queue at the beginning of each stay.", ()),
}


class Settled(Protocol):
    """What is read of a ledger row."""

    @property
    def attempt(self) -> int: ...
    @property
    def model(self) -> str: ...
    @property
    def upstream(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def prompt_tokens(self) -> int: ...
    @property
    def completion_tokens(self) -> int: ...
    @property
    def cached_tokens(self) -> int: ...
    @property
    def reasoning_tokens(self) -> int: ...
    @property
    def cost(self) -> int: ...
    @property
    def start_ms(self) -> int | None: ...
    @property
    def end_ms(self) -> int: ...


_F = TypeVar("_F", bound=Family)


class Metrics:
    """The metrics of one process, or of all that count in one folder.

    Counters are the sums of all processes, those that died among them; gauges are asked of this one,
    and what others last said of theirs counts with it.
    """

    def __init__(self, tallies: Tallies | None = None) -> None:
        self._tallies = tallies or Tallies()
        self._families: dict[str, Family] = {}
        self.registry = CollectorRegistry()
        self._requests = self._counter("infway_requests")
        self._attempts = self._counter("infway_attempts")
        self._tokens = self._counter("infway_tokens")
        self._cost = self._counter("infway_cost_usd")
        self._errors = self._counter("infway_errors")
        self._first = self._histogram("infway_first_token_seconds")
        self._whole = self._histogram("infway_attempt_seconds")
        self._stays = self._counter("infway_queue_stays")
        self._wait = self._histogram("infway_queue_wait_seconds")
        self._position = self._histogram("infway_queue_position", _PLACES)
        self._alerts = self._counter("infway_budget_alerts")
        self.stalls = self._counter("infway_loop_stalls")
        self._reloads = self._counter("infway_reloads")
        self._lag = self._gauge("infway_loop_lag_seconds")
        self._memory = self._gauge("infway_memory_share")
        self._files = self._gauge("infway_files_share")
        self._queue = self._gauge("infway_queue_waiting", adds=True)
        self._unwritten = self._gauge("infway_ledger_waiting", adds=True)
        self._away = self._gauge("infway_ledger_away")
        self._off = self._gauge("infway_upstream_off")
        self._off_now: Callable[[], Mapping[str, bool]] = dict
        self._degraded = self._gauge("infway_degraded")
        self._tripped = self._gauge("infway_breakers_open")
        self.waiting_requests = self._gauge("infway_waiting_requests", adds=True)
        self.registry.register(self)

    def _made(self, kind: type[_F], name: str) -> _F:
        family = kind(self._tallies, name, *DESCRIPTIONS[name])
        self._families[name] = family
        return family

    def _counter(self, name: str) -> Counter:
        return self._made(Counter, name)

    def _gauge(self, name: str, *, adds: bool = False) -> Gauge:
        gauge = self._made(Gauge, name)
        gauge.adds = adds
        return gauge

    def _histogram(self, name: str, bounds: tuple[float, ...] = _SECONDS) -> Histogram:
        histogram = self._made(Histogram, name)
        histogram.bounds = bounds
        return histogram

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Let other workers know how this one is while the block runs."""
        if not self._tallies.is_shared:
            yield
            return
        async with beside(self._tell):
            yield

    async def _tell(self) -> None:
        while True:
            self._publish()
            await asyncio.sleep(_TOLD)

    def _publish(self) -> None:
        self._off.forget()
        for upstream, is_off in self._off_now().items():
            self._off.watch(partial(float, is_off), (upstream,))
        for family in self._families.values():
            if isinstance(family, Gauge):
                family.publish()

    def settled(self, rows: Sequence[Settled]) -> None:
        """Count a batch of settled rows."""
        attempts = [row for row in rows if row.attempt > 0]
        requests = [(row.model or OTHER, row.outcome) for row in rows if not row.attempt]
        for key, times in Tally(requests).items():
            self._requests.inc(times, key)
        for tried, times in Tally((r.upstream, r.model, r.outcome) for r in attempts).items():
            self._attempts.inc(times, tried)
        for counted, tokens in _sum_tokens(attempts).items():
            self._tokens.inc(tokens, counted)
        costs: Tally[tuple[str, str]] = Tally()
        for row in attempts:
            costs[row.upstream, row.model] += row.cost
        for key, cost in costs.items():
            self._cost.inc(cost / _PICO, key)
        self._time(attempts)

    def _time(self, attempts: Sequence[Settled]) -> None:
        for row in attempts:
            if row.start_ms is not None:
                self._first.observe(row.start_ms / 1000, (row.upstream,))
            self._whole.observe(row.end_ms / 1000, (row.upstream,))

    def queued(self, outcome: str, position: int, waited: float) -> None:
        """Count a stay in the queue; `position` 0 did not wait, `waited` in seconds."""
        self._stays.inc(1, (outcome,))
        self._position.observe(position)
        if outcome in _SERVED:
            self._wait.observe(waited)

    def watch_queue(self, waiting: Callable[[], Mapping[str, int]]) -> None:
        """Show who waits, by state; asked whenever the page is."""

        def of(state: str) -> float:
            return waiting()[state]

        for state in QUEUE_STATES:
            self._queue.watch(partial(of, state), (state,))

    def watch_ledger(self, waiting: Callable[[], int], away: Callable[[], bool]) -> None:
        """Show how many rows wait for the ledger, and whether it refuses them; asked with the page."""
        self._unwritten.watch(waiting)
        self._away.watch(away)

    def watch_process(
        self, lag: Callable[[], float], memory: Callable[[], float], files: Callable[[], float]
    ) -> None:
        """Show how the process is; asked whenever the page is. `lag` in seconds, shares to 1."""
        self._lag.watch(lag)
        self._memory.watch(memory)
        self._files.watch(files)

    def reloaded(self, outcome: str) -> None:
        """Count a reload: `ok`, or `failed` where the running configuration stayed."""
        self._reloads.inc(1, (outcome,))

    def watch_upstreams(
        self, off: Callable[[], Mapping[str, bool]], tripped: Callable[[], int]
    ) -> None:
        """Show which upstreams are off and how many breakers are open; asked with the page.

        `off` names every upstream of the configuration.
        """
        self._off_now = off
        self._tripped.watch(tripped)

    def watch_store(self, name: str, is_away: Callable[[], bool]) -> None:
        """Show whether a store is away, which this process does without meanwhile."""
        self._degraded.watch(is_away, (name,))

    def alerted(self, holder: str, per: str) -> None:
        """Count an alert of a budget: of a key, a project or an organisation; a day, month or total."""
        self._alerts.inc(1, (holder, per))

    def refused(self, code: str) -> None:
        """Count an error body; codes come from the fault table and the edge, never from callers."""
        self._errors.inc(1, (code,))

    def collect(self) -> Iterable[Metric]:
        """Return what the page shows, of all processes."""
        self._publish()
        numbers = merged(self._families, self._tallies)
        return [family.collect(numbers[name]) for name, family in self._families.items()]

    def page(self) -> bytes:
        """Return the page that Prometheus reads."""
        return generate_latest(self.registry)


def _sum_tokens(attempts: Iterable[Settled]) -> Tally[tuple[str, str, str]]:
    tokens: Tally[tuple[str, str, str]] = Tally()
    for row in attempts:
        tokens[row.upstream, row.model, "prompt"] += row.prompt_tokens
        tokens[row.upstream, row.model, "completion"] += row.completion_tokens
        tokens[row.upstream, row.model, "cached"] += row.cached_tokens
        tokens[row.upstream, row.model, "reasoning"] += row.reasoning_tokens
    return tokens
