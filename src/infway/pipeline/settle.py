"""Settling: every attempt and every request leaves its rows exactly once, and nothing awaits it.

A `Settlement` gathers what happened to one request. Each of its attempts is in the journal before
its upstream is called; closing it puts its rows there, and into a queue which a background task
writes to the ledger in batches, and which is drained when the gateway stops.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

from infway.kernel.account import Account
from infway.kernel.chat import ChatRequest, Offer, Principal
from infway.kernel.clock import Clock
from infway.kernel.errors import UnavailableError
from infway.kernel.money import credits_text
from infway.kernel.prices import Prices
from infway.ledger.journal import BEGUN, SEEN, Journal
from infway.ledger.rows import Row, tags_text
from infway.pipeline.billing import AS_IT_COSTS, Tariff
from infway.pipeline.cost import Cost, added
from infway.pipeline.stakes import Funding
from infway.pipeline.tried import Attempt

_NOWHERE = Account()
_row_of = partial(tuple[Any, ...].__new__, Row)  # as `_make` does, without a call of Python's
# The fields of a row from the tokens of the answer on, as long as nothing is known of it
_NOTHING_CAME = (0, 0, 0, 0, 1, 1, None, 0)


class Queue(Protocol):
    """What settlements need of whoever takes them.

    `open`: those with an attempt on record, oldest first.
    """

    clock: Clock
    journal: Journal
    open: dict["Settlement", None]

    def take(self, settlement: "Settlement") -> None:
        """Queue what happened to one request."""
        ...


class Settlement:
    """One request from admission to its end. `ask` comes without its body, as it is kept.

    `at`: when, in Unix seconds. `funding`: what was set aside for it, where a budget holds.
    `tariff`: how its caller is charged. `best`: the attempt that gave the first of several answers.
    `model`: what it is called where there was no attempt, whatever its caller called it.
    `segment`: the journal's segment where it is first spoken of, 0 as long as it is not.
    """

    __slots__ = (
        "_closed",
        "_queue",
        "ask",
        "at",
        "attempts",
        "began",
        "best",
        "funding",
        "model",
        "outcome",
        "segment",
        "status",
        "tariff",
        "who",
    )

    def __init__(self, ask: ChatRequest, who: Principal, began: float, queue: Queue) -> None:
        self.ask = ask
        self.who = who
        self.began = began
        self.attempts: list[Attempt] = []
        self.outcome = "open"
        self.status = 0
        self.segment = 0
        self.model = ""
        self.funding: Funding | None = None
        self.tariff: Tariff = AS_IT_COSTS
        self.best: Attempt | None = None
        self.at = queue.clock.wall()
        self._queue = queue
        self._closed = False

    def begin(self, attempt: Attempt, ask: ChatRequest) -> None:
        """Put on record that an attempt is made, right before its upstream is called.

        `ask`: what is asked of it, which may be a part of the request. Raises UnavailableError 503
        where that finds no room: what is not on record is not made.
        """
        self.attempts.append(attempt)
        attempt.prompt = ask.input_tokens
        attempt.funded = self.funding is not None
        queue, journal = self._queue, self._queue.journal
        if not self.segment:
            self.segment = journal.number
            queue.open[self] = None
        offer, who = attempt.offer, self.who
        account = who.account
        row = (
            self.ask.id,
            len(self.attempts),
            self.at + (attempt.began - self.began),
            who.name,
            offer.model,
            offer.upstream.name,
            "interrupted",
            0,
            int(ask.stream),
            ask.input_tokens,
            *_NOTHING_CAME,
            attempt.tactic,
            "" if account is None else account.organisation,
            "" if account is None else account.project,
            "[]" if account is None else tags_text(account.tags),
            0,
            offer.native,
            journal.name,
            attempt.began,
        )
        if not journal.write(BEGUN, (row,), attempt.prices):
            self.attempts.pop()
            raise unrecorded()

    def see(self, attempt: Attempt) -> None:
        """Put on record how an attempt ended, or what came of it so far, before the request ends."""
        if self._closed:
            return
        now = self._queue.clock.monotonic()
        attempt.noted, attempt.noted_at = attempt.made(), now
        seen = attempt
        if attempt.ended is None:
            seen = attempt.interrupted(now, self.ask._replace(input_tokens=attempt.prompt))
        row = self._row(self.attempts.index(attempt) + 1, seen)
        self._queue.journal.write(SEEN, (row,))

    def move(self) -> None:
        """Say all of it again in the journal's current segment, so that older ones may go."""
        del self._queue.open[self]
        self._queue.open[self] = None
        self.segment = self._queue.journal.number
        for attempt in self.attempts:
            self.see(attempt)

    def close(self, outcome: str, status: int) -> None:
        """Settle; the first call counts, later ones change nothing."""
        if not self._closed:
            self._closed = True
            self.outcome = outcome
            self.status = status
            self._queue.take(self)

    def bill(self) -> Cost:
        """Return what its caller is charged so far, part by part, for all attempts together."""
        attempts, charge = self.attempts, self.tariff.charge
        if self.tariff.rates is None and len(attempts) == 1 and not attempts[0].is_void:
            return attempts[0].cost
        return added(map(charge, attempts))

    @property
    def cost(self) -> int:
        """What its caller is charged, in 10^-12 USD."""
        return self.bill().total

    @property
    def credits(self) -> str:
        """What its caller is charged so far, in credits, as headers tell it."""
        return credits_text(sum(self.bill()[:4]), self.tariff.credit)

    def charge(self, attempt: Attempt) -> Cost:
        """Return what its caller is charged for one attempt that has ended."""
        return self.tariff.charge(attempt)

    def prices(self, offer: Offer) -> Prices:
        """Return the prices of an offer, as its caller is charged."""
        return self.tariff.prices(offer)

    def rows(self) -> list[Row]:
        """Return one row for each attempt, and one for the request that sums them."""
        rows = [self._row(number, attempt) for number, attempt in enumerate(self.attempts, 1)]
        plain = self.tariff.rates is None and len(rows) == 1 and not self.attempts[0].is_void
        if plain and rows[0].outcome == self.outcome:
            row, began, attempt = rows[0], self.began, self.attempts[0]
            first, ended = attempt.first, attempt.ended
            start = None if first is None else max(0, round((first - began) * 1000))
            end = 0 if ended is None else max(0, round((ended - began) * 1000))
            status, used, told = self.status, row[8:16], row[18:25]
            alone = (row[0], 0, self.at, *row[3:7], status, *used, start, end, *told, began)
            return [row, _row_of(alone)]
        return [*rows, self._sum(rows)]

    def _row(self, number: int, attempt: Attempt) -> Row:
        offer, failure = attempt.offer, attempt.failure
        usage, cost = attempt.usage, attempt.cost
        account = self.who.account or _NOWHERE
        began, first = attempt.began, attempt.first
        ended = began if attempt.ended is None else attempt.ended
        said = (
            self.ask.id,
            number,
            self.at + (began - self.began),
            self.who.name,
            offer.model,
            offer.upstream.name,
            "ok" if failure is None else failure.fault.value,
            200 if failure is None else failure.status,
            int(self.ask.stream),
            usage.prompt,
            usage.completion,
            usage.cached,
            usage.reasoning,
            sum(cost[:4]),
            int(usage.estimated),
            int(cost.priced),
            None if first is None else max(0, round((first - began) * 1000)),
            max(0, round((ended - began) * 1000)),
            attempt.tactic,
            account.organisation,
            account.project,
            tags_text(account.tags),
            usage.cache_write,
            offer.native,
            self._queue.journal.name,
            began,
        )
        return _row_of(said)

    def _sum(self, rows: Sequence[Row]) -> Row:
        answered = [row for row in rows if row.outcome == self.outcome] or rows
        last = answered[-1] if rows else None
        if self.best is not None:
            last = rows[self.attempts.index(self.best)]
        first = next((a.first for a in self.attempts if a.first is not None), None)
        ended = max((a.ended for a in self.attempts if a.ended is not None), default=None)
        account = self.who.account or _NOWHERE
        return Row(
            request=self.ask.id,
            attempt=0,
            at=self.at,
            key=self.who.name,
            model=last.model if last else self.model,
            upstream=last.upstream if last else "",
            outcome=self.outcome,
            status=self.status,
            stream=int(self.ask.stream),
            prompt_tokens=sum(row.prompt_tokens for row in rows),
            completion_tokens=sum(row.completion_tokens for row in rows),
            cached_tokens=sum(row.cached_tokens for row in rows),
            reasoning_tokens=sum(row.reasoning_tokens for row in rows),
            cost=self.cost,
            estimated=int(any(row.estimated for row in rows)),
            priced=int(all(row.priced for row in rows)),
            start_ms=_milliseconds(self.began, first),
            end_ms=_milliseconds(self.began, ended) or 0,
            rescue=last.rescue if last else "",
            organisation=account.organisation,
            project=account.project,
            tags=tags_text(account.tags),
            cache_write_tokens=sum(row.cache_write_tokens for row in rows),
            native=last.native if last else "",
            boot=self._queue.journal.name,
            monotonic=self.began,
        )


def _milliseconds(began: float, until: float | None) -> int | None:
    return None if until is None else max(0, round((until - began) * 1000))


def unrecorded() -> UnavailableError:
    """Return what is said where nothing can be put on record."""
    message = "Usage cannot be recorded now."
    return UnavailableError(503, "accounting_unavailable", message, retry_after=1)
