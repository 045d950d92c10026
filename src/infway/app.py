"""The composition root: settings become one ASGI app, and a reload swaps its parts at once.

Everything is built here, in one place, from parts that can be replaced; the lifespan opens them
and closes them in reverse.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from random import Random

from fastapi import APIRouter, FastAPI

from infway.accounts.keys import Key, Keyring
from infway.api.admin import admin_router
from infway.api.described import described_app
from infway.api.front import Front
from infway.api.line import Rules
from infway.api.models import models_router
from infway.api.ops import ops_router
from infway.endpoints import Endpoints
from infway.ims.catalog import Catalog
from infway.ims.health import Health
from infway.ims.rank import Router
from infway.ims.tuning import Tuning
from infway.inventory import Inventory
from infway.kernel.chat import Offer, Principal, Weights
from infway.kernel.clock import Clock, system_clock
from infway.kernel.ids import Ids, base36
from infway.ledger.rows import Ledger
from infway.pipeline.attempt import Attempts
from infway.pipeline.decisions import Decisions
from infway.pipeline.embedding import EmbeddingAttempts, EmbeddingGateway
from infway.pipeline.gateway import Gateway
from infway.pipeline.itinerary import Persistence
from infway.pipeline.settle import Settler
from infway.pipeline.sharing import Sharing
from infway.pipeline.speakers import Speakers
from infway.providers.adapter import Adapter
from infway.providers.embeddings.embedder import Embedder
from infway.providers.mirror import Carrier
from infway.providers.registry import ADAPTERS, CARRIERS, EMBEDDERS
from infway.providers.vendors import VENDORS
from infway.settings import Settings
from infway.settings.models import KeySettings, WeightSettings
from infway.telemetry.metrics import Metrics
from infway.upstream.client import Client
from infway.upstream.signers import Signers

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What an app is built with and a test may replace. `seed`: the source of all chance."""

    ledger: Ledger
    seed: int
    clock: Clock
    adapters: Mapping[str, Adapter]
    carriers: Mapping[str, Carrier]
    embedders: Mapping[str, Embedder]


def parts(ledger: Ledger, seed: int) -> Parts:
    """Return the parts of a real gateway."""
    return Parts(ledger, seed, system_clock(), ADAPTERS, CARRIERS, EMBEDDERS)


class App:
    """One gateway: an ASGI app whose configuration can be swapped while it answers.

    `beside`: what else is open as long as the app is, entered before the first request.
    """

    def __init__(self, settings: Settings, inventory: Inventory, built: Parts) -> None:
        self.metrics = Metrics()
        self.is_ready = False
        self.beside: list[Callable[[], AbstractAsyncContextManager[None]]] = []
        self._parts = built
        self._random = Random(built.seed)  # noqa: S311 - chance of routing, not a secret
        self._shares = settings.state.redis is not None
        if settings.state.redis is not None:
            self.beside.append(self._sharing(settings.state.redis.get_secret_value()).open)
        self.signers = Signers(built.clock)
        self.client = Client(self.signers.of(inventory.credentials), built.clock.monotonic)
        self.settler = Settler(
            built.ledger, built.clock, self.metrics.settled, settings.ledger.queue
        )
        self.decisions = Decisions(settings.decisions.keep)
        self.gateway = Gateway(
            self._router(settings, inventory),
            self._attempts(settings),
            self.settler,
            self.decisions,
            built.clock,
        )
        self.embedding = EmbeddingGateway(
            self._embedding_router(settings, inventory),
            self._embedding_attempts(settings),
            self.settler,
            self.decisions,
            built.clock,
        )
        self.metrics.waiting_requests.set_function(self._waiting)
        keyring, rules = _keyring(settings.keys), _rules(settings)
        self.endpoints = Endpoints(self.gateway, self.embedding, keyring, rules, built.clock)
        rest = described_app(
            self._routers(), self._lifespan, self.metrics.refused, docs=settings.server.docs
        )
        ids = Ids(self._random.getrandbits(64))
        traces = self.endpoints.traces
        self.front = Front(self.endpoints.routes(), traces, rest, ids, built.clock, self.metrics)

    def swap(self, settings: Settings, inventory: Inventory) -> None:
        """Use another configuration from the next request on; running ones end on the old.

        Raises SettingsError, and changes nothing, where a credential cannot be used.
        """
        signer = self.signers.of(inventory.credentials)
        chats = self._router(settings, inventory), self._attempts(settings)
        vectors = self._embedding_router(settings, inventory), self._embedding_attempts(settings)
        keyring, rules = _keyring(settings.keys), _rules(settings)
        chats[0].health.carry(self.gateway.router.health)
        vectors[0].health.carry(self.embedding.router.health)
        self.client.sign_with(signer)
        self.gateway.router, self.gateway.attempts = chats
        self.embedding.router, self.embedding.attempts = vectors
        self.endpoints.swap(keyring, rules)
        self.decisions.keep = settings.decisions.keep

    def _waiting(self) -> int:
        return self.gateway.attempts.active + self.embedding.attempts.active

    def _router(self, settings: Settings, inventory: Inventory) -> Router:
        catalog = _catalog(settings, inventory, inventory.offers)
        catalog.elsewhere = _signposts(
            inventory.embeddings, "The model `{}` makes embeddings: ask for it at /v1/embeddings."
        )
        tuning = _tuning(settings)
        health = Health(inventory.offers, tuning, self._random, share=self._shares)
        return Router(catalog, health, tuning, self._random)

    def _embedding_router(self, settings: Settings, inventory: Inventory) -> Router:
        """Return the router of embeddings; what it learns is not shared with other replicas."""
        catalog = _catalog(settings, inventory, inventory.embeddings)
        catalog.elsewhere = _signposts(
            inventory.offers, "The model `{}` is for chats: ask for it at /v1/chat/completions."
        )
        tuning = _tuning(settings)
        health = Health(inventory.embeddings, tuning, self._random)
        return Router(catalog, health, tuning, self._random)

    def _sharing(self, redis_url: str) -> Sharing:
        """Return what keeps the book of the moment in touch with those of other replicas."""
        from infway.state.redis import RedisBoard  # noqa: PLC0415 - 40 ms, only where configured

        now = self._parts.clock.monotonic
        board = RedisBoard(redis_url, base36(self._random.getrandbits(64)), now)
        return Sharing(board, lambda: self.gateway.router.health, now)

    def _attempts(self, settings: Settings) -> Attempts:
        built = self._parts
        now, rules = built.clock.monotonic, _persistence(settings)
        speakers = Speakers(built.adapters, built.carriers)
        return Attempts(self.client, speakers, now, rules, self._random)

    def _embedding_attempts(self, settings: Settings) -> EmbeddingAttempts:
        built = self._parts
        now, rules = built.clock.monotonic, _persistence(settings)
        return EmbeddingAttempts(self.client, built.embedders, now, rules, self._random)

    def _routers(self) -> list[APIRouter]:
        def keyring() -> Keyring:
            return self.endpoints.keyring

        def catalogs() -> Sequence[Catalog]:
            return self.gateway.router.catalog, self.embedding.router.catalog

        return [
            ops_router(self.metrics, lambda: self.is_ready),
            models_router(keyring, catalogs),
            admin_router(keyring, self.decisions),
        ]

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncGenerator[None, None]:
        async with AsyncExitStack() as stack:
            ledger = self._parts.ledger
            await asyncio.to_thread(ledger.open)
            stack.callback(ledger.close)
            stack.push_async_callback(self.settler.close)
            writer = asyncio.create_task(self.settler.run())
            stack.push_async_callback(_end, writer)
            stack.push_async_callback(self.client.close)
            await stack.enter_async_context(self.signers.open())
            for open_one in self.beside:
                await stack.enter_async_context(open_one())
            self.is_ready = True
            yield
            self.is_ready = False


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _catalog(settings: Settings, inventory: Inventory, offers: Sequence[Offer]) -> Catalog:
    return Catalog(
        offers,
        aliases=settings.aliases,
        policies=inventory.policies,
        vendors=VENDORS,
        quality_floor=settings.routing.quality_floor,
    )


def _signposts(offers: Iterable[Offer], sentence: str) -> Mapping[str, str]:
    """Return what is said to those who ask for the models of these offers at the wrong place."""
    return {offer.model: sentence.format(offer.model) for offer in offers}


def _persistence(settings: Settings) -> Persistence:
    said = settings.attempts
    return Persistence(
        attempts=said.max,
        backoff_base=said.backoff_base,
        backoff_cap=said.backoff_cap,
        patience=said.patience,
        retry_share=said.retry_share,
        retry_floor=said.retry_floor,
    )


def _weights(said: WeightSettings | None) -> Weights | None:
    return None if said is None else Weights(**said.model_dump())


def _keyring(keys: tuple[KeySettings, ...]) -> Keyring:
    return Keyring(
        Key(
            key.key.get_secret_value(),
            Principal(
                name=key.name,
                models=None if key.models is None else frozenset(key.models),
                upstreams=None if key.upstreams is None else frozenset(key.upstreams),
                weights=_weights(key.weights),
            ),
            key.admin,
        )
        for key in keys
    )


def _rules(settings: Settings) -> Rules:
    server = settings.server
    return Rules(
        body_limit=server.body_limit,
        heartbeat=server.heartbeat,
        region=server.region,
        require_model=server.require_model,
        always_usage_chunk=server.always_usage_chunk,
    )


def _tuning(settings: Settings) -> Tuning:
    routing = settings.routing
    return replace(
        Tuning(),
        weights=Weights(**routing.weights.model_dump()),
        explore=1.0 if routing.exploration else 0.0,
        slow_half_life=routing.long_half_life,
        fast_half_life=routing.short_half_life,
        cache_hit=Tuning().cache_hit if routing.stickiness else 0.0,
    )
