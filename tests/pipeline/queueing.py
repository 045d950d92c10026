"""The line of queued chats in virtual time: all real, but for replies that are played."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import count
from random import Random

from tests.pipeline.virtual import VirtualLoop, run
from tests.wall.asking import ask, offer, offers, upstream

from infway.ims.catalog import Catalog
from infway.ims.health import Health
from infway.ims.rank import Router
from infway.ims.tuning import Tuning
from infway.kernel.chat import ChatRequest, HttpCall, Offer, Principal, Scripted
from infway.kernel.clock import Clock
from infway.kernel.errors import GatewayError
from infway.kernel.place import Place
from infway.ledger.rows import Row
from infway.pipeline.chats import Attempts
from infway.pipeline.decisions import Decisions
from infway.pipeline.gateway import Gateway
from infway.pipeline.itinerary import Persistence
from infway.pipeline.queued import QueueGateway
from infway.pipeline.settler import Settler
from infway.pipeline.speakers import Speakers
from infway.providers.openai.adapter import OpenAI
from infway.settings.models import QueueSettings
from infway.upstream.client import Client
from infway.upstream.sign import Signer

MODELS = {"m1": "ab", "m2": "bc", "m3": "c"}  # which upstreams offer them
_WHOLE = {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
_FRAME = {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}
_JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Plan:
    """One request: seconds until it comes, what it wants, and what becomes of it.

    `priority` None: a plain chat. `refused`: the Retry-After of each 429 before its answer, which
    then takes `takes` seconds. `leaves`: after so many seconds its client goes.
    """

    at: float = 0.0
    model: str = "m3"
    priority: int | None = 128
    takes: float = 1.0
    refused: tuple[float, ...] = ()
    leaves: float | None = None
    stream: bool = False
    tenant: str = "anyone"


@dataclass(frozen=True)
class Swap:
    """Other settings after so many seconds: ceilings, and an upstream that is gone."""

    at: float
    ceilings: Mapping[str, int]
    gone: str = ""


class Kept:
    """A ledger in memory."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def open(self) -> None: ...

    def append(self, rows: Sequence[Row], owner: str = "") -> None:
        self.rows += rows

    def rows_of(self, request: str) -> Sequence[Row]:
        return [row for row in self.rows if row.request == request]

    def close(self) -> None: ...


class Played(OpenAI):
    """OpenAI's dialect, with an upstream that is played."""

    def __init__(self, play: Callable[[ChatRequest, Offer], Scripted]) -> None:
        super().__init__()
        self._play = play

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        url = offer.upstream.chat_url
        return HttpCall(offer.upstream.name, url, {}, b"", script=self._play(ask, offer))


class World:
    """Gateways before the upstreams a, b and c, whose replies are played as planned.

    `served`: the request ids in the order in which their first attempts went out, `said`: what
    became of each. What must hold at every moment is checked at every moment.
    """

    def __init__(self, ceilings: Mapping[str, int], timeout: float = 5.0, size: int = 1000) -> None:
        self.loop = VirtualLoop()
        self.loop.idle = self._check_idle
        self.ledger = Kept()
        self.patience = QueueSettings(timeout=timeout, size=size)
        self.stays: Counter[str] = Counter()
        self.asks: dict[str, ChatRequest] = {}
        self.said: dict[str, str] = {}
        self.ended: dict[str, float] = {}
        self.served: list[str] = []
        self._plans: dict[str, Plan] = {}
        self._tries: Counter[str] = Counter()
        self._since: dict[str, float] = {}
        self._leaving: set[str] = set()
        self._arrived: dict[str, int] = {}
        self._numbers = count()
        clock = Clock(self.loop.time, self.loop.time)
        self._settler = Settler(self.ledger, clock)
        router = self._router(ceilings, "")
        self.chats = Gateway(router, self._attempts(), self._settler, Decisions(), clock)
        self.queued = QueueGateway(self.chats, self._settler, self.patience, self._stayed)

    def live(self, plans: Iterable[Plan], swaps: Iterable[Swap] = ()) -> None:
        """Let everything happen; afterwards nobody may be left."""
        run(self.loop, self._live(list(plans), list(swaps)))
        assert self.queued.queue.waiting() == 0
        assert self.queued.router.health.bell.ring is None
        asyncio.run(self._settler.close())
        sums = Counter(row.request for row in self.ledger.rows if not row.attempt)
        known = [name for name, end in self.said.items() if end != "model_not_found" or sums[name]]
        assert sums == Counter(known)

    def play(self, asked: ChatRequest, chosen: Offer) -> Scripted:
        """What an upstream says, which is the moment to see whether it may be asked."""
        self._check_dispatch(asked, chosen)
        plan, tried = self._plans[asked.id], self._tries[asked.id]
        self._tries[asked.id] += 1
        if not tried:
            self.served.append(asked.id)
        if tried < len(plan.refused):
            headers = {**_JSON, "retry-after": str(plan.refused[tried])}
            return Scripted(429, headers, ((0.125, b"{}"),))
        if asked.stream:
            data = b"data: " + json.dumps(_FRAME).encode() + b"\n\ndata: [DONE]\n\n"
            half = plan.takes / 2
            pieces = ((half, data[:20]), (half, data[20:]))
            return Scripted(200, {"content-type": "text/event-stream"}, pieces)
        return Scripted(200, _JSON, ((plan.takes, json.dumps(_WHOLE).encode()),))

    def _attempts(self) -> Attempts:
        client = Client(Signer({}), self.loop.time)
        rules = Persistence(backoff_base=0.01)
        return Attempts(
            client, Speakers({"openai": Played(self.play)}, {}), self.loop.time, rules, Random(3)
        )

    def _router(self, ceilings: Mapping[str, int], gone: str) -> Router:
        made = [
            offer(source=upstream(name), model=model)
            for model, names in MODELS.items()
            for name in names
            if name != gone
        ]
        catalog = Catalog(offers(*made))
        tuning = Tuning(explore=0.0)
        health = Health(catalog.offers, tuning, Random(1), allowed=ceilings)
        return Router(catalog, health, tuning, Random(2))

    async def _live(self, plans: Sequence[Plan], swaps: Sequence[Swap]) -> None:
        async with asyncio.TaskGroup() as group:
            for swap in swaps:
                group.create_task(self._swap(swap))
            for number, plan in enumerate(plans):
                self._plans[f"r{number}"] = plan
                group.create_task(self._ask(f"r{number}", plan))

    async def _swap(self, swap: Swap) -> None:
        await asyncio.sleep(swap.at)
        router = self._router(swap.ceilings, swap.gone)
        router.health.carry(self.chats.router.health)
        self.chats.router, self.chats.attempts = router, self._attempts()
        self.queued.swap(self.chats, self.patience)

    async def _ask(self, name: str, plan: Plan) -> None:
        await asyncio.sleep(plan.at)
        place = None if plan.priority is None else Place(plan.priority)
        asked = ask(plan.stream, plan.model, id=name, place=place)
        self._arrived[name] = next(self._numbers)
        self._since[name] = self.loop.time()
        self.asks[name] = asked
        task = asyncio.ensure_future(self._answer(asked))
        if plan.leaves is not None:
            self.loop.call_later(plan.leaves, self._leave, name, task)
        try:
            await task
            self.said[name] = "ok"
        except GatewayError as error:
            self.said[name] = error.code
        except asyncio.CancelledError:
            self.said[name] = "left"
        self.ended[name] = self.loop.time()

    def _leave(self, name: str, task: "asyncio.Future[None]") -> None:
        self._leaving.add(name)
        task.cancel()

    async def _answer(self, asked: ChatRequest) -> None:
        gateway = self.chats if asked.place is None else self.queued
        answer = await gateway.chat(asked, Principal(self._plans[asked.id].tenant))
        if not asked.stream:
            answer.settle()
            return
        async with aclosing(answer.batches()) as batches:
            async for _ in batches:
                pass
        await answer.finish()

    def _stayed(self, outcome: str, position: int, waited: float) -> None:
        assert (position == 0) == (outcome == "at_once") or self.stays
        assert 0.0 <= waited <= self.patience.timeout + 1e-6
        self.stays[outcome] += 1

    # What holds at every moment.

    def _waiting(self) -> list[ChatRequest]:
        """Who waits in the queue, but for those who are about to leave it."""
        now = self.loop.time()
        return [
            one
            for name, one in self.asks.items()
            if one.place is not None and one.place.position and one.place.waited is None
            if name not in self._leaving and now < self._since[name] + self.patience.timeout
        ]

    def _check_dispatch(self, asked: ChatRequest, chosen: Offer) -> None:
        """No queued request takes what is shut, or overtakes one that goes first."""
        if asked.place is None:
            return
        now = self.loop.time()
        account = self.queued.router.health.accounts.get(chosen.upstream.name)
        if account is None:
            return  # a request that set out before the upstream went ends there
        assert account.in_flight - 1 < account.most_in_flight, f"{asked.id} is one too many"
        assert account.resting_until <= now, f"{asked.id} disturbs the rest"
        if self._tries[asked.id]:
            return
        for one in self._waiting():
            if one is not asked and chosen.upstream.name in MODELS[one.selection.model or ""]:
                assert self._goes_before(asked, one), f"{asked.id} overtakes {one.id}"

    def _goes_before(self, one: ChatRequest, other: ChatRequest) -> bool:
        """Tell whether a request may go before another; equals of several tenants go in any order here."""
        assert one.place is not None
        assert other.place is not None
        if self._plans[one.id].tenant != self._plans[other.id].tenant:
            return one.place.priority <= other.place.priority
        mine = (one.place.priority, self._arrived[one.id])
        return mine < (other.place.priority, self._arrived[other.id])

    def _check_idle(self) -> None:
        """Nobody sleeps beside an open door."""
        now = self.loop.time()
        catalog, slots = self.queued.router.catalog, self.queued.router.health.slots
        for one in self._waiting():
            for each in catalog.offers:
                if each.model == one.selection.model:
                    assert slots[each.index].opens > now, f"{one.id} was forgotten"


def only(plan: Plan, **said: object) -> Plan:
    """The same plan but for some fields."""
    return replace(plan, **said)  # type: ignore[arg-type]  # fields by name
