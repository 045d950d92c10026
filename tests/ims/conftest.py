"""A small market: offers, requests and histories, built in one line each."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from infway.ims.catalog import Catalog
from infway.ims.health import Health
from infway.ims.outcome import Outcome
from infway.ims.policies import PolicyName
from infway.ims.rank import Router
from infway.ims.tuning import Tuning
from infway.kernel.chat import (
    ChatRequest,
    Feature,
    Offer,
    Prices,
    Principal,
    Selection,
    Upstream,
)

ANYONE = Principal("anyone")
ALL = Feature(-1)


class Market:
    """Builders; nothing in it has state."""

    calm = Tuning(explore=0.0)
    anyone = ANYONE

    def chance(self, seed: int) -> Random:
        return Random(seed)

    def upstream(self, name: str, **said: object) -> Upstream:
        facts: dict[str, object] = {"vendor": name.rstrip("0123456789"), **said}
        return Upstream(name=name, dialect="openai", chat_url="http://x", **facts)

    def offer(self, upstream: str | Upstream, price: float = 1.0, **said: object) -> Offer:
        """`price`: USD per million tokens, in and out."""
        source = self.upstream(upstream) if isinstance(upstream, str) else upstream
        pico = round(price * 1_000_000)
        facts = {
            "model": "m", "prices": Prices(pico, pico), "features": ALL, "quality": 50.0,
            **said,
        }  # fmt: skip
        return Offer(index=-1, upstream=source, native="n", **facts)

    def catalog(self, *offers: Offer, **said: object) -> Catalog:
        return Catalog([replace(o, index=i) for i, o in enumerate(offers)], **said)

    def router(
        self,
        *offers: Offer,
        tuning: Tuning = calm,
        seed: int = 1,
        policies: Sequence[PolicyName] = (),
        **said: object,
    ) -> Router:
        catalog = self.catalog(*offers, policies=policies, **said)
        health = Health(catalog.offers, tuning, self.chance(seed))
        return Router(catalog, health, tuning, self.chance(seed + 1))

    def ask(self, model: str | None = "m", **said: object) -> ChatRequest:
        size = {"input_tokens": 1000, "output_tokens": None, "features": Feature(0)}
        size |= {name: said.pop(name) for name in tuple(size) if name in said}
        affinity = said.pop("affinity", None)
        selection = Selection(model=model, **said)
        return ChatRequest(
            id="r", fields={}, stream=True, selection=selection, input_chars=4000,
            affinity=affinity, **size,
        )  # fmt: skip

    def served(self, start: float = 0.5, tokens: int = 200, speed: float = 50.0) -> Outcome:
        return Outcome(
            start=start, end=start + tokens / speed, output_tokens=tokens, input_tokens=1000
        )

    def live(self, router: Router, place: int, now: float, *outcomes: Outcome) -> None:
        """Let an offer live through attempts that all end now."""
        offer = router.catalog.offers[place]
        for outcome in outcomes:
            router.health.dispatched(offer, now)
            router.health.observe(offer, now, outcome)

    def names(self, router: Router, now: float = 0.0, **said: object) -> list[str]:
        """The upstreams in the order a request meets them."""
        who = said.pop("who", ANYONE)
        return [o.upstream.name for o in router.decide(self.ask(**said), who, now).order]


@pytest.fixture(scope="session")
def market() -> Market:
    return Market()
