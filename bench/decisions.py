"""The router alone: CPU microseconds of one decision among so many offers of one model.

Every offer has evidence, requests differ in size and history, exploration is on, and after each
decision its outcome is learnt, untimed: a router that only ever decides could answer from memory.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from random import Random
from statistics import median
from time import thread_time_ns

from bench.figures import Outcome
from bench.payloads import MODEL
from bench.rig import Rig
from infway.ims.catalog import Catalog
from infway.ims.decision import Decision
from infway.ims.health import Health
from infway.ims.outcome import Outcome as Attempted
from infway.ims.rank import Router
from infway.ims.tuning import Tuning
from infway.kernel.chat import ChatRequest, Feature, Offer, Principal, Selection, Upstream
from infway.kernel.prices import Prices

CALLS = 200
BATCHES = 40
GAP_S = 0.005
"""Time between two decisions as the router sees it: 200 requests a second."""


@dataclass(frozen=True, slots=True)
class Routing:
    """A decision, and what follows from it."""

    decide: Callable[[], Decision]
    learn: Callable[[Decision], None]


def decisions(_: Rig) -> Outcome:
    """Eight offers and two hundred; the median of batches' means."""
    return Outcome({f"ims_us_{count}": _decision_us(build(count)) for count in (8, 200)})


def build(count: int) -> Routing:
    """A router over `count` offers that have all served some requests."""
    random, tuning = Random(1), Tuning()  # repeatable, not secret
    offers = tuple(_offer(index) for index in range(count))
    health = Health(offers, tuning, random)
    router = Router(Catalog(offers), health, tuning, random)
    asks, who = cycle([_ask(number, random) for number in range(64)]), Principal("bench")
    moments = iter(range(1, 1 << 60))
    now = 0.0

    def decide() -> Decision:
        nonlocal now
        now = next(moments) * GAP_S
        return router.decide(next(asks), who, now)

    def serve(offer: Offer) -> None:
        start = random.lognormvariate(-0.5, 0.3)
        done = Attempted(start=start, end=start + 3.0, output_tokens=150, input_tokens=500)
        health.dispatched(offer, now)
        health.observe(offer, now, done)

    def learn(decision: Decision) -> None:
        serve(decision.order[0])
        router.served(decision.order[0], decision.ask, now)

    for offer in offers * 5:
        serve(offer)
    return Routing(decide=decide, learn=learn)


def _decision_us(routing: Routing) -> float:
    batches: list[float] = []
    for _ in range(BATCHES):
        spent = 0
        for _ in range(CALLS):
            began = thread_time_ns()
            decision = routing.decide()
            spent += thread_time_ns() - began
            routing.learn(decision)
        batches.append(spent / CALLS / 1000)
    return median(batches)


def _offer(index: int) -> Offer:
    upstream = Upstream(f"mock{index}", "openai", "openai", "http://127.0.0.1:9/v1")
    prices = Prices(input=150_000 + 1_000 * index, output=600_000 + 2_000 * index)
    return Offer(index, MODEL, upstream, MODEL, prices, ~Feature(0), 60.0, context=128_000)


def _ask(number: int, random: Random) -> ChatRequest:
    tokens = random.randrange(20, 4000)
    return ChatRequest(
        id=f"bench-{number}",
        fields={},
        stream=False,
        selection=Selection(model=MODEL),
        features=Feature(0),
        input_tokens=tokens,
        input_chars=4 * tokens,
        output_tokens=None,
        affinity=random.getrandbits(60),
    )
