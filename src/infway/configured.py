"""What the configuration says, as the parts of an app take it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from infway.accounts.keys import Key, Keyring
from infway.api.line import Rules
from infway.door.limits import Limits
from infway.ims.candidates import COMPLETIONS
from infway.ims.catalog import Catalog
from infway.ims.tuning import Tuning
from infway.inventory import Inventory
from infway.kernel.chat import Offer, Principal, Weights
from infway.kernel.work import Trade
from infway.pipeline.budget import RetryBudget
from infway.pipeline.itinerary import Persistence
from infway.providers.vendors import VENDORS
from infway.settings import Settings
from infway.settings.models import KeySettings, WeightSettings
from infway.settings.server import ServerSettings


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


def _weights(said: WeightSettings | None) -> Weights | None:
    return None if said is None else Weights(**said.model_dump())


def keyring_of(keys: tuple[KeySettings, ...]) -> Keyring:
    """Return the keys that callers present."""
    return Keyring(
        Key(
            key.key.get_secret_value(),
            Principal(
                name=key.name,
                models=None if key.models is None else frozenset(key.models),
                upstreams=None if key.upstreams is None else frozenset(key.upstreams),
                weights=_weights(key.weights),
                rescue=key.rescue,
            ),
            key.admin,
        )
        for key in keys
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
    """Return the secrets that are no credentials of upstreams: callers' keys, the store's address."""
    secrets = [key.key.get_secret_value() for key in settings.keys]
    if settings.state.redis is not None:
        url = settings.state.redis.get_secret_value()
        secrets += [url, urlsplit(url).password or ""]
    return secrets


def limits_of(server: ServerSettings) -> Limits:
    """Return how long the door waits, and how much it takes."""
    return Limits(
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
