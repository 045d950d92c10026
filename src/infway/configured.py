"""What the configuration says, as the parts of an app take it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from secrets import randbelow
from urllib.parse import urlsplit

from infway.accounts.configured import Configured
from infway.accounts.digests import Digests
from infway.accounts.entitlement import Entitlements
from infway.accounts.gatehouse import Custom, Gatehouse
from infway.accounts.keys import Key, Keyring
from infway.accounts.spelling import Below
from infway.api.line import Rules
from infway.api.repeats import Repeats
from infway.database import Database
from infway.database.opening import database_at
from infway.datadir import DataDir
from infway.door.limits import Limits as DoorLimits
from infway.ims.candidates import COMPLETIONS
from infway.ims.catalog import Catalog
from infway.ims.tuning import Tuning
from infway.inventory import Inventory
from infway.inventory.names import offered
from infway.kernel.chat import Offer, Weights
from infway.kernel.clock import Clock, system_clock
from infway.kernel.money import pico_of
from infway.kernel.work import Trade
from infway.ledger.replays import Memory, Replays
from infway.pipeline.alarms import Alarms, Book, Hook
from infway.pipeline.billing import Tariff
from infway.pipeline.budget import RetryBudget
from infway.pipeline.escrow import Escrow
from infway.pipeline.gateway import Admission
from infway.pipeline.holdings import Funds, Holdings
from infway.pipeline.itinerary import Persistence
from infway.pipeline.settler import Settler
from infway.pipeline.upkeep import unheard
from infway.providers.vendors import VENDORS
from infway.settings import Settings
from infway.settings.server import ServerSettings
from infway.telemetry.metrics import Metrics
from infway.upstream.client import Client

_NO_PEPPER = Digests()


def catalog_of(settings: Settings, inventory: Inventory, offers: Sequence[Offer]) -> Catalog:
    """Return the catalogue of these offers, with the names that the configuration gives, and signposts."""
    catalog = Catalog(
        offers,
        aliases=settings.aliases,
        policies=inventory.policies,
        vendors=VENDORS,
        quality_floor=settings.routing.quality_floor,
    )
    catalog.elsewhere = signposts(inventory, offers)
    return catalog


_ELSEWHERE: Mapping[Trade, str] = {
    Trade.RERANK: "ranks documents: ask for it at /v1/rerank.",
    Trade.MODERATION: "judges contents: ask for it at /v1/moderations.",
    Trade.IMAGE: "makes images: ask for it at /v1/images/generations.",
    Trade.SPEECH: "speaks: ask for it at /v1/audio/speech.",
    Trade.TRANSCRIPTION: "writes down speech: ask for it at /v1/audio/transcriptions.",
}


def signposts(inventory: Inventory, here: Sequence[Offer]) -> Mapping[str, str]:
    """Return what is said to those who ask at one place for models of another."""
    places: list[tuple[Sequence[Offer], str]] = [
        (inventory.work[trade], sentence) for trade, sentence in _ELSEWHERE.items()
    ]
    places.append((inventory.embeddings, "makes embeddings: ask for it at /v1/embeddings."))
    places.append((inventory.offers, "is for chats: ask for it at /v1/chat/completions."))
    texts = [offer for offer in inventory.offers if offer.upstream.dialect == COMPLETIONS]
    places.append((texts, "continues texts: ask for it at /v1/completions."))
    return {
        offer.model: f"The model `{offer.model}` {sentence}"
        for offers, sentence in places
        if offers is not here
        for offer in offers
    }


def persistence_of(settings: Settings) -> Persistence:
    """Return how far infway goes for one answer."""
    said = settings.attempts
    return Persistence(
        attempts=said.max,
        backoff_base=said.backoff_base,
        backoff_cap=said.backoff_cap,
        patience=said.patience,
        lone_patience=said.lone_patience,
        larger_context=settings.routing.larger_context,
        reroute_filtered=settings.routing.reroute_filtered,
        hedge=said.hedge,
        budget=RetryBudget(said.retry_share, said.retry_floor, said.hedge_share),
        rescue=said.rescue,
    )


def entitlements_of(settings: Settings) -> Entitlements:
    """Return the plans, projects and organisations of the configuration."""
    return Entitlements(
        settings.plans,
        {one.name: one for one in settings.projects},
        {one.name: one for one in settings.organisations},
    )


def keyring_of(settings: Settings, digests: Digests = _NO_PEPPER) -> Keyring:
    """Return the keys that callers present."""
    named = entitlements_of(settings)
    found = ((key, named.principal(key.name, key)) for key in settings.keys)
    return Keyring(
        (
            Key(key.key.get_secret_value(), principal, key.admin)
            for key, principal in found
            if principal is not None
        ),
        digests,
    )


def custom_of(settings: Settings, inventory: Inventory | None = None) -> Custom:
    """Return what the configuration says of keys that are made at run time."""
    accounts, first = settings.accounts, settings.admin.key
    there = None
    if inventory is not None:
        there = offered(settings, inventory.all_offers, inventory.upstreams)
    keys = {one.name: one for one in settings.keys}
    configured = Configured(entitlements_of(settings), keys, there)
    return Custom(configured, accounts.refresh, None if first is None else first.get_secret_value())


def keyring_beside(
    gatehouse: Gatehouse | None, settings: Settings, inventory: Inventory
) -> Keyring:
    """Return the keys that callers present, those that were made at run time among them."""
    if gatehouse is None:
        return keyring_of(settings)
    keyring = keyring_of(settings, gatehouse.digests)
    gatehouse.serve(keyring, custom_of(settings, inventory))
    return keyring


def database_of(settings: Settings, data: DataDir, *, is_checked: bool = False) -> Database:
    """Return where keys, usage and budgets are kept, not yet open; raises DatabaseError."""
    url = settings.store.url
    if url is not None:
        return database_at(url.get_secret_value())
    return database_at(settings.ledger.path or data.ledger, is_checked=is_checked)


def digests_of(settings: Settings, data: DataDir, below: Below) -> Digests:
    """Return what makes the digests of keys; without a configured pepper there is one for good.

    Raises SettingsError. `below`: randomness fit for secrets.
    """
    said = settings.accounts.pepper
    pepper = data.make_pepper(below) if said is None else said.get_secret_value()
    return Digests(pepper.encode())


def gatehouse_of(database: Database, settings: Settings, data: DataDir) -> Gatehouse:
    """Return what knows keys that are made at run time; raises SettingsError."""
    digests = digests_of(settings, data, randbelow)
    return Gatehouse(database, digests, system_clock(), randbelow)


def hook_of(settings: Settings) -> Hook | None:
    """Return where alerts of budgets are posted; a webhook has a secret, as the checks saw to."""
    url, secret = settings.alerts.webhook, settings.alerts.secret
    return None if url is None or secret is None else Hook(url, secret.get_secret_value())


def alarms_of(
    book: Book | None, settings: Settings, client: Client, clock: Clock, metrics: Metrics
) -> Alarms | None:
    """Return what tells of budgets that run out, where that is noted."""
    if book is None:
        return None
    alarms = Alarms(book, client, clock, metrics.alerted)
    alarms.hook = hook_of(settings)
    return alarms


def escrow_of(
    funds: Funds | None, settler: Settler, lines: Iterable[Admission], alarms: Alarms | None
) -> Escrow | None:
    """Return what keeps these lines within budgets; it hears from the settler what was paid."""
    if funds is None:
        return None
    holdings = Holdings(funds, settler.journal.name, settler.clock, settler.thread)
    escrow = Escrow(holdings, unheard if alarms is None else alarms.watch)
    for line in lines:
        line.escrow = escrow
    settler.funds, settler.buried = escrow, funds.release
    return escrow


def repeats_of(replays: Replays | None, settler: Settler, settings: Settings) -> Repeats | None:
    """Return what knows requests that come twice; what died has answered none of them."""
    if replays is None:
        return None
    said, buried = settings.idempotency, settler.buried

    def bury(name: str) -> None:
        buried(name)
        replays.release(name)

    def leave() -> None:
        settler.owes = True

    settler.buried = bury
    memory = Memory(said.keep, said.size, said.total, said.per_key)
    return Repeats(replays, settler.journal.name, settler.clock, memory, leave)


def bill_by(settings: Settings, lines: Iterable[Admission]) -> None:
    """Let these lines charge their callers as the configuration says."""
    said = settings.billing
    for line in lines:
        line.tariff = Tariff(
            said.zero_completion_insurance, said.max_rate, pico_of(said.credit_usd)
        )


def rules_of(settings: Settings) -> Rules:
    """Return what holds for all endpoints."""
    server = settings.server
    return Rules(
        body_limit=server.body_limit,
        heartbeat=server.heartbeat,
        socket_idle=server.socket_idle,
        region=server.region,
        require_model=server.require_model,
        always_usage_chunk=server.always_usage_chunk,
    )


def secrets_of(settings: Settings) -> list[str]:
    """Return the secrets that are no credentials of upstreams: keys, the pepper, stores' addresses."""
    secrets = [key.key.get_secret_value() for key in settings.keys]
    for secret in (settings.admin.key, settings.accounts.pepper, settings.alerts.secret):
        secrets += [] if secret is None else [secret.get_secret_value()]
    for place in (settings.state.redis, settings.store.url):
        url = "" if place is None else place.get_secret_value()
        secrets += [url, urlsplit(url).password or ""] if url else []
    return secrets


def limits_of(server: ServerSettings) -> DoorLimits:
    """Return how long the door waits, and how much it takes."""
    return DoorLimits(
        head=server.head_timeout,
        body=server.body_timeout,
        idle=server.idle_timeout,
        write=server.write_timeout,
        connections=server.connections,
        # behind a proxy all callers come from its address
        per_address=0 if server.proxy_headers else server.connections_per_address,
        hosts=frozenset(host.lower() for host in server.hosts),
    )


def tuning_of(settings: Settings) -> Tuning:
    """Return what counts how much in the choice of an upstream."""
    routing = settings.routing
    return replace(
        Tuning(),
        weights=Weights(**routing.weights.model_dump()),
        explore=1.0 if routing.exploration else 0.0,
        slow_half_life=routing.long_half_life,
        fast_half_life=routing.short_half_life,
        cache_hit=Tuning().cache_hit if routing.stickiness else 0.0,
    )
