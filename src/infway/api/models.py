"""The models a key may use: `/v1/models`, `/models` and one model by its id."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from fastapi import APIRouter, Request

from infway.accounts.keys import Keyring
from infway.api.auth import know
from infway.ims.catalog import Catalog, Model
from infway.kernel.chat import Feature, Offer, Principal
from infway.kernel.errors import CallerError
from infway.kernel.money import usd_text

Described = Mapping[str, object]


def models_router(
    keyring: Callable[[], Keyring], catalogs: Callable[[], Sequence[Catalog]]
) -> APIRouter:
    """Return the endpoints; both arguments give what holds now. The first catalogue is of chats."""
    router = APIRouter(tags=["models"])

    @router.get("/v1/models", summary="List models")
    @router.get("/models", summary="List models", include_in_schema=False)
    async def list_models(request: Request) -> Described:
        """List the models this key may use, with prices, capabilities and upstreams."""
        who, _ = know(keyring(), request.headers.raw)
        return {"object": "list", "data": list(_listed(catalogs(), who))}

    @router.get("/v1/models/{model:path}", summary="Describe a model")
    @router.get("/models/{model:path}", summary="Describe a model", include_in_schema=False)
    async def one_model(model: str, request: Request) -> Described:
        """Describe one model; a model this key may not use is as unknown as one that is none."""
        who, _ = know(keyring(), request.headers.raw)
        stock = catalogs()
        found = next(filter(None, (catalog.model(model) for catalog in stock)), None)
        described = _described(found, who) if found is not None else None
        if described is None and model in stock[0].policies:
            described = _policy(model)
        if described is None:
            raise CallerError(404, "model_not_found", "There is no such model.", "model")
        return described

    return router


def _listed(catalogs: Sequence[Catalog], who: Principal) -> Iterator[Described]:
    for model in (model for catalog in catalogs for model in catalog.models()):
        described = _described(model, who)
        if described is not None:
            yield described
    for name in catalogs[0].policies:
        yield _policy(name)


def _policy(name: str) -> Described:
    """A name that stands for a choice among models."""
    return {"id": name, "object": "model", "created": 0, "owned_by": "infway", "status": "active"}


def _described(model: Model, who: Principal) -> Described | None:
    if who.models is not None and model.id not in who.models:
        return None
    offers = [o for o in model.offers if who.upstreams is None or o.upstream.name in who.upstreams]
    if not offers:
        return None
    known = [offer.context for offer in offers if offer.context is not None]
    cheapest = min(offers, key=_cheapness)
    return {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": offers[0].upstream.vendor,
        "status": "active",
        "aliases": list(model.aliases),
        "context_length": max(known, default=None),
        "pricing": _pricing(cheapest),
        "capabilities": sorted({word for offer in offers for word in _capabilities(offer)}),
        "upstreams": [offered(offer) for offer in offers],
    }


def offered(offer: Offer) -> Described:
    """Return what one upstream offers of a model; `quality` is the prior of routing, 0 to 100."""
    return {
        "name": offer.upstream.name,
        "vendor": offer.upstream.vendor,
        "context_length": offer.context,
        "max_output_tokens": offer.max_output,
        "quality": offer.quality,
        "pricing": _pricing(offer),
        "capabilities": _capabilities(offer),
    }


def _cheapness(offer: Offer) -> tuple[bool, int]:
    prices = offer.prices
    return not prices.known, (prices.input or 0) + (prices.output or 0)


def _pricing(offer: Offer) -> Described:
    """Prices in USD per token as decimal text; null is unknown.

    What is paid by another measure has a price of it: a search, an image, a character, a second.
    """
    prices = offer.prices
    parts = {
        "prompt": prices.input,
        "completion": prices.output,
        "input_cache_read": prices.cache_read,
    }
    told = {name: None if pico is None else usd_text(pico) for name, pico in parts.items()}
    units = {
        "request": prices.query,
        "image": prices.image,
        "character": prices.character,
        "second": prices.second,
    }
    return told | {name: usd_text(pico) for name, pico in units.items() if pico is not None}


def _capabilities(offer: Offer) -> list[str]:
    return sorted(str(feature.name).lower() for feature in Feature if feature in offer.features)
