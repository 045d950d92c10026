"""Where a case is played: a real gateway before walls, and what is looked at afterwards."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.api.caller import Heard, chat_body
from tests.api.upstream import Upstream
from tests.conftest import Gateway, Start
from tests.wall import Wall, wall
from tests.wall.matrix.places import PLACES, Names, trust

from infway.app import Parts
from infway.ims.account import Account
from infway.ims.slot import Slot
from infway.ledger.rows import Row

NAMES = ("one", "two", "three", "four")
PRICES = {"input_price": "1", "output_price": "2"}  # USD per million tokens
QUICK = {"connect": 0.2, "first_token": 0.4, "whole": 0.4, "idle": 0.2, "total": 20.0}
CALM = {"connect": 5.0, "first_token": 10.0, "whole": 10.0, "idle": 10.0, "total": 20.0}
ATTEMPTS = {"backoff_base": 0.01}
_LATE = frozenset({"hang", "trickle", "silent", "pings", "role", "stall"})  # what never goes on


@dataclass
class Stage:
    """One gateway, its walls by the names of their upstreams, and what became of requests.

    `tree`: its settings.
    """

    start: Start
    stack: AsyncExitStack
    folder: Path
    caplog: pytest.LogCaptureFixture
    tree: dict[str, object] = field(default_factory=dict)
    contexts: tuple[int, ...] = ()  # windows of the offers, where they matter
    walls: dict[str, Wall] = field(default_factory=dict)
    names: Names = field(default_factory=Names)
    parts_of: Callable[[Parts], Parts] = lambda built: built
    gateway: Gateway = field(init=False)

    async def open(
        self,
        *scripts: str,
        limits: Mapping[str, float] | None = None,
        models: tuple[str, ...] = (),
        model: Mapping[str, object] | None = None,
        **settings: object,
    ) -> Gateway:
        """Start walls `one`, `two`... that play these scripts, and a gateway before them.

        `models`: the model of each, `m1` for those left out. `model`: more settings of each.
        `limits`: timeouts of the first upstream beside the quick ones; the others have time.
        """
        rows: list[dict[str, object]] = []
        for place, script in enumerate(scripts):
            name = NAMES[place]
            up = self.walls[name] = await self.stack.enter_async_context(wall())
            where, _, native = script.rpartition("!")
            at = up.base_url
            if where:
                at = await self.stack.enter_async_context(PLACES[where](up, self.names))
            window = {"context": self.contexts[place]} if self.contexts else {}
            offered = {"id": models[place] if place < len(models) else "m1", "native": native}
            rows.append(
                {
                    "name": name,
                    "vendor": "custom",
                    "base_url": at,
                    "models": [{**offered, **PRICES, **window, **(model or {})}],
                    "timeouts": CALM if place else {**_usual(native), **(limits or {})},
                }
            )
        said = settings.pop("attempts", {})
        assert isinstance(said, dict)
        self.tree = {"upstreams": rows, "attempts": {**ATTEMPTS, **said}, **settings}
        nobody = Upstream(port=self.walls["one"].port)
        self.gateway = await self.start(upstream=nobody, parts_of=self._parts, **self.tree)
        return self.gateway

    def _parts(self, built: Parts) -> Parts:
        return self.parts_of(replace(built, resolve=self.names.resolve, trust=trust))

    async def ask(self, *, stream: bool = False, **fields: object) -> Heard:
        """Ask for a chat with `m1`, of the upstreams in their order."""
        said = {"provider": {"order": list(self.walls)}, **fields}
        if stream:
            said["stream"] = True
        return await self.gateway.post("/v1/chat/completions", chat_body(**said))

    def played(self, name: str) -> int:
        """Return how many requests reached a wall."""
        return len(self.walls[name].attempts)

    async def rows(self) -> tuple[Row, list[Row]]:
        """Return the ledger's row of the only request, and those of its attempts."""
        request, *attempts = await self.gateway.rows()
        assert request.attempt == 0
        return request, attempts

    def slot(self, name: str) -> Slot:
        """Return what is known of an upstream's first offer."""
        router = self.gateway.app.gateway.router
        offer = next(o for o in router.catalog.offers if o.upstream.name == name)
        return router.health.slots[offer.index]

    def account(self, name: str) -> Account:
        """Return what is known of an upstream's credential."""
        return self.gateway.app.gateway.router.health.accounts[name]

    @property
    def now(self) -> float:
        """The present on the gateway's clock."""
        return self.gateway.app.gateway.clock.monotonic()


def _usual(script: str) -> dict[str, float]:
    """Return the limits of a wall: time is short only where it runs out."""
    fault, _, words = script.partition("~")[0].partition("@")
    if fault not in _LATE:
        return CALM
    return {**QUICK, "first_token": CALM["first_token"]} if words else QUICK
