"""Whether a request may go on by the limits of whoever asks: asked once, and settled at its end.

A `Visit` is one request of a key with limits, from its key to its end. Keys without limits have
none, and nothing here is called for them.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from math import ceil

from infway.kernel.account import Holder
from infway.kernel.chat import ChatRequest, Feature, Principal
from infway.kernel.errors import GatewayError, UnavailableError
from infway.kernel.work import WORK
from infway.pipeline.refused import OUTPUT, refusal
from infway.pipeline.settle import Settlement
from infway.pipeline.worst import choices_of
from infway.state.meter import Meter, Need, Standing, Verdict

_NO_ANSWER = Feature.EMBEDDINGS | WORK
_NOTHING = Need()
Header = tuple[bytes, bytes]


class Visits:
    """The requests under way of keys with limits."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self._open: dict[str, Visit] = {}

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Count while the block runs."""
        async with self.meter.open():
            yield

    def of(self, who: Principal, request_id: str) -> "Visit | None":
        """Return the visit of a request that has shown its key, None where no limits hold for it."""
        account = who.account
        holders = tuple(one for one in account.holders if one.limits.any) if account else ()
        return Visit(self.meter, holders, self._open, request_id) if holders else None

    async def standing(self, who: Principal) -> list[Header]:
        """Return where the limits of a key stand, as a reply tells it that used none of them."""
        visit = None if who.account is None else self.of(who, "")
        return [] if visit is None else await visit.look()

    def settled(self, settlement: Settlement) -> None:
        """Count what a request really used."""
        visit = self._open.get(settlement.ask.id)
        if visit is not None:
            used = [attempt.usage for attempt in settlement.attempts]
            visit.settle(sum(one.prompt + one.completion for one in used))


class Visit:
    """One request. It ends when `leave` was called once, and once more for each `hold`."""

    __slots__ = ("_holders", "_holds", "_meter", "_open", "_request", "_settled", "_verdict")

    def __init__(
        self, meter: Meter, holders: Sequence[Holder], among: dict[str, "Visit"], request: str
    ) -> None:
        self._meter = meter
        self._holders = holders
        self._open = among
        self._request = request
        self._holds = 1
        self._settled = False
        self._verdict: Verdict | None = None

    async def enter(self, ask: ChatRequest | None, models: int = 1) -> None:
        """Count the try and what it needs; raises UnavailableError 429 where a limit is reached.

        `ask` None: it uses no tokens of any model. `models`: how many answer it at most.
        """
        need = _NOTHING if ask is None else need_of(ask, models)
        self._verdict = verdict = await self._meter.take(self._holders, need)
        if verdict.refused is not None:
            raise refusal(verdict.refused, self._holders, need)
        self._open[self._request] = self

    async def instead_of(self, error: GatewayError) -> GatewayError:
        """Return what is said of a request that failed uncounted: first that it is one too many."""
        if self._verdict is None:
            try:
                await self.enter(None)
            except UnavailableError as full:
                return full
        return error

    def settle(self, tokens: int) -> None:
        """Count what was really used; the first call counts."""
        ticket = self._verdict.ticket if self._verdict is not None else None
        if ticket is not None and not self._settled:
            self._settled = True
            self._meter.settle(ticket, tokens)

    def hold(self) -> None:
        """Go on where the request is over for its client: `leave` has to be called once more."""
        self._holds += 1

    def leave(self, _: object = None) -> None:
        """Give back what the request held; what no upstream was asked for was not used."""
        self._holds -= 1
        if self._holds or self._open.pop(self._request, None) is None:
            return
        self.settle(0)
        ticket = self._verdict.ticket if self._verdict is not None else None
        if ticket is not None:
            self._meter.release(ticket)

    async def look(self) -> list[Header]:
        """Return where the limits stand, and count nothing."""
        self._verdict = await self._meter.standing(self._holders)
        return self.headers()

    def headers(self) -> list[Header]:
        """Return where the limits stand, as the reply tells it."""
        verdict = self._verdict
        if verdict is None:
            return []
        return [*told(b"requests", verdict.requests), *told(b"tokens", verdict.tokens)]


def told(what: bytes, standing: Standing | None) -> list[Header]:
    """Return the three headers of one kind of limit; none where there is no limit."""
    if standing is None:
        return []
    return [
        (b"x-ratelimit-limit-" + what, b"%d" % standing.limit),
        (b"x-ratelimit-remaining-" + what, b"%d" % standing.remaining),
        (b"x-ratelimit-reset-" + what, b"%d" % ceil(standing.reset)),
    ]


def need_of(ask: ChatRequest, models: int) -> Need:
    """Return what a request may use: its prompt as estimated, and all of its longest answers.

    `models`: how many answer it at most.
    """
    output = 0
    if not ask.features & _NO_ANSWER:
        output = OUTPUT if ask.output_tokens is None else ask.output_tokens
    answers = choices_of(ask) if Feature.SEVERAL in ask.features else 1
    return Need(ask.input_tokens + output * answers * models, ask.input_chars)
