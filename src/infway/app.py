"""The composition root: settings become one ASGI app, and a reload swaps its parts at once.

Everything is built here, in one place, from parts that can be replaced; the lifespan opens them
and closes them in reverse.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from random import Random

from fastapi import APIRouter, FastAPI

from infway.accounts.keys import Keyring
from infway.api.admin import admin_router, callers_check
from infway.api.described import described_app
from infway.api.front import Front
from infway.api.gemini.models import gemini_models_router
from infway.api.generations import generations_router
from infway.api.key import key_router
from infway.api.models import models_router
from infway.api.ops import ops_router
from infway.api.responses.stored import responses_router
from infway.api.rest import Rest
from infway.beside import beside
from infway.configured import (
    alarms_of,
    bill_by,
    catalog_of,
    escrow_of,
    hook_of,
    keyring_beside,
    persistence_of,
    repeats_of,
    rules_of,
    secrets_of,
    tuning_of,
)
from infway.endpoints import Behind, Endpoints
from infway.ims.catalog import Catalog
from infway.ims.health import Health
from infway.ims.rank import Router
from infway.inventory import Inventory
from infway.kernel.chat import Offer
from infway.kernel.ids import Ids
from infway.kernel.work import Trade
from infway.metering import visits_of
from infway.parts import Parts, parts, sharing_at
from infway.pipeline.alarms import Alarms
from infway.pipeline.background import Background
from infway.pipeline.chats import Attempts
from infway.pipeline.decisions import Decisions
from infway.pipeline.embedding import EmbeddingAttempts, EmbeddingGateway
from infway.pipeline.escrow import Escrow
from infway.pipeline.gateway import Gateway
from infway.pipeline.keeping import Keeper
from infway.pipeline.passing import PassingAttempts, PassingGateway
from infway.pipeline.queued import QueueGateway
from infway.pipeline.settler import Settler
from infway.pipeline.speakers import Speakers
from infway.records import Records
from infway.settings import Settings
from infway.telemetry.metrics import Metrics
from infway.upstream.client import Client
from infway.upstream.signers import Signers

_log = logging.getLogger(__name__)
_LATE = 5.0  # seconds that the event loop may be late before others should be asked; row 76
_PATIENCE = 1.0  # seconds until every worker has written what it knows of a request that ended


__all__ = ["App", "Parts", "parts"]


class App:
    """One gateway: an ASGI app whose configuration can be swapped while it answers.

    `beside`: what else is open as long as the app is, entered before the first request. `lag`: how
    late the event loop is, in seconds.
    """

    def __init__(self, settings: Settings, inventory: Inventory, built: Parts) -> None:
        self.metrics = Metrics(built.tallies)
        now = self.now = built.clock.monotonic
        self.is_ready = False
        self.lag: Callable[[], float] = lambda: 0.0
        self.beside: list[Callable[[], AbstractAsyncContextManager[None]]] = [self.metrics.open]
        self._parts = built
        self._random = Random(built.seed)  # noqa: S311 - chance of routing, not a secret
        said = settings.state.redis, now, self._random
        self._sharing = sharing_at(*said, lambda: self.gateway.router, built.outage)
        if self._sharing is not None:
            self.beside.append(self._sharing.open)
        self.signers = Signers(built.clock)
        signer = self.signers.of(inventory.credentials, secrets_of(settings))
        self.client = Client(signer, built.clock.monotonic, built.resolve, built.trust)
        rows, queue = self.metrics.settled, settings.ledger.queue
        self.settler = Settler(built.ledger, built.clock, rows, queue, spooling=built.spooling)
        self.decisions = Decisions(settings.decisions.keep)
        self._rules = persistence_of(settings)  # its budget is one for all lines
        self._open_lines(settings, inventory)
        self._watch()
        self._open_edge(settings, inventory)

    def _open_lines(self, settings: Settings, inventory: Inventory) -> None:
        """Build what answers: chats, those that wait their turn, embeddings, and all other work."""
        shared = self.settler, self.decisions, self._parts.clock
        chats = self._chat_router(settings, inventory)
        self.gateway = Gateway(chats, self._attempts(), *shared)
        self.queued = QueueGateway(self.gateway, self.settler, settings.queue, self.metrics.queued)
        vectors = self._router(settings, inventory, inventory.embeddings)
        self.embedding = EmbeddingGateway(vectors, self._embedding_attempts(), *shared)
        self.work = {
            trade: PassingGateway(router, attempts, *shared)
            for trade, (router, attempts) in self._work(settings, inventory).items()
        }
        self.lines = (self.gateway, self.queued, self.embedding, *self.work.values())

    def _open_edge(self, settings: Settings, inventory: Inventory) -> None:
        """Build what stands before the lines: who may ask, how much, and where."""
        built = self._parts
        self.alarms, escrow = self._budgets(settings)
        keyring, rules = keyring_beside(built.gatehouse, settings, inventory), rules_of(settings)
        self.background = self._background(settings)
        self.visits = visits_of(settings, built, self.settler, self.metrics)
        kept = (self.background, built.gatehouse, self.visits, escrow, self.alarms)
        self.beside += [one.open for one in kept if one]
        ways = Behind(self.gateway, self.queued, self.embedding, self.work)
        said = keyring, rules, built.clock, self.background, self.visits
        self.endpoints = Endpoints(ways, *said)
        self.front = self._front(settings)
        repeats = repeats_of(built.replays, self.settler, settings)
        if repeats is not None:
            self.front.repeats = repeats
            self.beside.append(repeats.open)
        self.front.intake.most = settings.server.max_requests or sys.maxsize
        self.front.guesses.most = settings.server.wrong_keys_per_minute

    def swap(self, settings: Settings, inventory: Inventory) -> None:
        """Use another configuration from the next request on; running ones end on the old.

        Raises SettingsError, and changes nothing, where a credential cannot be used.
        """
        signer = self.signers.of(inventory.credentials, secrets_of(settings))
        self._rules = persistence_of(settings)
        chats = self._chat_router(settings, inventory), self._attempts()
        vectors = (
            self._router(settings, inventory, inventory.embeddings),
            self._embedding_attempts(),
        )
        work = self._work(settings, inventory)
        keyring = keyring_beside(self._parts.gatehouse, settings, inventory)
        rules = rules_of(settings)
        chats[0].health.carry(self.gateway.router.health)
        vectors[0].health.carry(self.embedding.router.health)
        self.client.sign_with(signer)
        self.gateway.router, self.gateway.attempts = chats
        self.queued.swap(self.gateway, settings.queue)
        self.embedding.router, self.embedding.attempts = vectors
        for trade, (router, attempts) in work.items():
            router.health.carry(self.work[trade].router.health)
            self.work[trade].router, self.work[trade].attempts = router, attempts
        bill_by(settings, self.lines)
        if self.alarms is not None:
            self.alarms.hook = hook_of(settings)
        self.endpoints.swap(keyring, rules)
        self.front.intake.most = settings.server.max_requests or sys.maxsize
        self.front.guesses.most = settings.server.wrong_keys_per_minute
        self.records.use(settings)
        self.decisions.keep = settings.decisions.keep
        self.background.keeper.rules = settings.responses

    def _budgets(self, settings: Settings) -> tuple[Alarms | None, Escrow | None]:
        """Return what tells of budgets, and what keeps to them; let callers be charged."""
        built, lines = self._parts, self.lines
        alarms = alarms_of(built.alerts, settings, self.client, built.clock, self.metrics)
        bill_by(settings, lines)
        return alarms, escrow_of(built.funds, self.settler, lines, alarms)

    def _watch(self) -> None:
        """Let the metrics see what is true at the moment they are asked for."""
        self.metrics.watch_queue(self.queued.waiting)
        self.metrics.watch_ledger(lambda: self.settler.count, lambda: self.settler.is_away)
        self.metrics.waiting_requests.watch(self._waiting)
        self.metrics.watch_upstreams(
            lambda: {name: one.is_off for name, one in self.gateway.router.health.accounts.items()},
            lambda: sum(slot.breaker.tripped for slot in self.gateway.router.health.slots),
        )

    def _background(self, settings: Settings) -> Background:
        built, is_shared = self._parts, settings.server.workers > 1
        keeper = Keeper(built.responses, built.clock, settings.responses, is_shared=is_shared)
        return Background(keeper, settings.server.drain)

    def _front(self, settings: Settings) -> Front:
        rest = Rest(lambda: self._described(settings), self._lifespan)
        ids, clock = Ids(self._random.getrandbits(64)), self._parts.clock
        routes, traces = self.endpoints.routes(), self.endpoints.traces
        front = Front(routes, traces, rest, ids, clock, self.metrics)
        self.records = Records(self._parts, front, lambda: self.endpoints.keyring)
        self.records.use(settings)
        self.beside.append(self.records.open)
        return front

    def _waiting(self) -> int:
        works = sum(gateway.attempts.active for gateway in self.work.values())
        return self.queued.attempts.active + self.embedding.attempts.active + works

    def _router(
        self,
        settings: Settings,
        inventory: Inventory,
        offers: Sequence[Offer],
        *,
        share: bool = False,
    ) -> Router:
        """Return the router of these offers; `share` what it learns with other replicas."""
        catalog = catalog_of(settings, inventory, offers)
        tuning, allowed = tuning_of(settings), inventory.max_in_flight
        health = Health(offers, tuning, self._random, share=share, allowed=allowed)
        return Router(catalog, health, tuning, self._random)

    def _chat_router(self, settings: Settings, inventory: Inventory) -> Router:
        sharing = self._sharing
        router = self._router(settings, inventory, inventory.offers, share=sharing is not None)
        router.probing = None if sharing is None else sharing.probing
        return router

    def _attempts(self) -> Attempts:
        built = self._parts
        now, rules = built.clock.monotonic, self._rules
        speakers = Speakers(built.adapters, built.carriers)
        return Attempts(self.client, speakers, now, rules, self._random)

    def _embedding_attempts(self) -> EmbeddingAttempts:
        built = self._parts
        now, rules = built.clock.monotonic, self._rules
        return EmbeddingAttempts(self.client, built.embedders, now, rules, self._random)

    def _work(
        self, settings: Settings, inventory: Inventory
    ) -> Mapping[Trade, tuple[Router, PassingAttempts]]:
        """Return what answers all other work, a line for each trade."""
        built = self._parts
        now, rules = built.clock.monotonic, self._rules
        return {
            trade: (
                self._router(settings, inventory, offers),
                PassingAttempts(self.client, built.passers, now, rules, self._random),
            )
            for trade, offers in inventory.work.items()
        }

    def _described(self, settings: Settings) -> FastAPI:
        """Return the web framework's app, with all that is rare."""
        docs = settings.server.docs
        return described_app(self._routers(settings), self.front.told, docs=docs)

    def _routers(self, settings: Settings) -> list[APIRouter]:
        def keyring() -> Keyring:
            return self.endpoints.keyring

        def catalogs() -> Sequence[Catalog]:
            lines = (self.gateway, self.embedding, *self.work.values())
            return [line.router.catalog for line in lines]

        are_several = settings.server.workers > 1 or settings.store.url is not None
        return [
            ops_router(self.metrics, lambda: self.is_ready and self.lag() <= _LATE, self.settler),
            gemini_models_router(keyring, catalogs, self.front.told),
            models_router(keyring, catalogs),
            generations_router(keyring, self.settler.rows_of, _PATIENCE if are_several else 0.0),
            key_router(keyring, self.visits, self._parts.database, self.settler),
            responses_router(keyring, self.background),
            admin_router(callers_check(keyring), self.decisions),
        ]

    def open_records(self) -> None:
        """Make what requests are recorded in ready; raises DatabaseError and LedgerError."""
        self._parts.ledger.open()
        self.settler.journal.open()

    @asynccontextmanager
    async def _lifespan(self, _: object) -> AsyncGenerator[None, None]:
        async with AsyncExitStack() as stack:
            await asyncio.to_thread(self.open_records)
            stack.callback(self._parts.ledger.close)
            stack.push_async_callback(self.settler.close)
            stack.push_async_callback(self.client.close)
            await stack.enter_async_context(self.signers.open())
            for open_one in self.beside:
                await stack.enter_async_context(open_one())
            # what died is buried where budgets are kept, which is open by now
            await stack.enter_async_context(beside(self.settler.run))
            self.is_ready = True
            yield
            self.is_ready = False
