"""The models a key may use, as Google lists them.

https://ai.google.dev/api/models
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from infway.accounts.keys import Keyring
from infway.api.auth import keys_in, know
from infway.api.errors import error_headers
from infway.api.gemini.errors import GoogleError, refusal_of
from infway.api.guesses import Told
from infway.api.operations import error_reply
from infway.ims.catalog import Catalog, Model
from infway.kernel.chat import Feature, Offer, Principal
from infway.kernel.errors import CallerError, GatewayError

Described = Mapping[str, object]
_PATHS = ("/v1beta/models", "/v1/models")
_SHARED = "/v1/"  # these paths are OpenAI's as well
_CHATS = ("generateContent", "streamGenerateContent", "countTokens")
_VECTORS = ("embedContent", "batchEmbedContents")
_MOST = 1000  # models of one page, as at Google
_TOKEN = re.compile(r"[0-9]{0,9}", re.ASCII)

_Size = Annotated[int, Query(alias="pageSize", ge=0)]
_Token = Annotated[str, Query(alias="pageToken")]


class _Route(APIRoute):
    """A path of Google's; where it is OpenAI's as well, the place of the key tells whose it is."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match what `APIRoute` does, and of shared paths what a client of Google's asks."""
        if self.path.startswith(_SHARED):
            in_header = any(name == b"x-goog-api-key" for name, _ in scope.get("headers", ()))
            if not in_header and not keys_in(scope.get("query_string", b"")):
                return Match.NONE, {}
        return super().matches(scope)


def gemini_models_router(
    keyring: Callable[[], Keyring],
    catalogs: Callable[[], Sequence[Catalog]],
    told: Told,
) -> APIRouter:
    """Return the endpoints; the first two arguments give what holds now.

    `told` counts every error.
    """
    router = APIRouter(
        tags=["gemini"], route_class=_Route, responses={"default": error_reply(GoogleError)}
    )

    def answered(request: Request, describe: Callable[[Principal], Described]) -> Response:
        try:
            who, _ = know(keyring(), request.headers.raw, request.scope["query_string"])
            return Response(orjson.dumps(describe(who)), media_type="application/json")
        except GatewayError as refused:
            error = told(refused, request.scope.get("client"))
            headers = {name.decode(): value.decode() for name, value in error_headers(error)}
            return Response(refusal_of(error), error.status, headers)

    async def list_models(request: Request, size: _Size = _MOST, token: _Token = "") -> Response:
        """List the models this key may use, page by page."""
        return answered(request, lambda who: _page(_listed(catalogs(), who), size, token))

    async def one_model(model: str, request: Request) -> Response:
        """Describe one model; a model this key may not use is as unknown as one that is none."""
        return answered(request, lambda who: _one(catalogs(), model, who))

    async def nothing(request: Request) -> Response:
        return answered(request, _refuse)

    for place, path in enumerate(_PATHS):
        shown, one = not place, f"{path}/{{model:path}}"
        router.get(path, summary="List models", include_in_schema=shown)(list_models)
        router.get(one, summary="Describe a model", include_in_schema=shown)(one_model)
        router.post(one, include_in_schema=False)(nothing)
    return router


def _refuse(_: Principal) -> Described:
    raise CallerError(404, "endpoint_not_found", "There is no such endpoint.")


def _page(models: Sequence[Described], size: int, token: str) -> Described:
    """Return a page; its token is the place of its first model."""
    if not _TOKEN.fullmatch(token):
        raise CallerError(400, "invalid_field", "pageToken: is none of this list.", "pageToken")
    start = int(token or 0)
    end = start + min(size or _MOST, _MOST)
    more = {"nextPageToken": str(end)} if end < len(models) else {}
    return {"models": models[start:end], **more}


def _one(catalogs: Sequence[Catalog], name: str, who: Principal) -> Described:
    found = next(filter(None, (catalog.model(name) for catalog in catalogs)), None)
    described = _described(found, who) if found is not None else None
    if described is None and name in catalogs[0].policies:
        described = _named(name, _CHATS)
    if described is None:
        raise CallerError(404, "model_not_found", "There is no such model.", "model")
    return described


def _listed(catalogs: Sequence[Catalog], who: Principal) -> list[Described]:
    models = (model for catalog in catalogs for model in catalog.models())
    found = [one for model in models if (one := _described(model, who)) is not None]
    return [*found, *(_named(name, _CHATS) for name in catalogs[0].policies)]


def _named(name: str, methods: Sequence[str]) -> dict[str, object]:
    return {
        "name": f"models/{name}",
        "version": "",
        "displayName": name,
        "supportedGenerationMethods": methods,
    }


def _described(model: Model, who: Principal) -> Described | None:
    """Return a model with the limits of its roomiest offer; None where the key may use none."""
    offers = list(_usable(model, who))
    methods = _methods(offers)
    if not methods:
        return None
    limits = {
        "inputTokenLimit": max((one.context or 0 for one in offers), default=0),
        "outputTokenLimit": max((one.max_output or 0 for one in offers), default=0),
    }
    described = _named(model.id, methods) | {name: n for name, n in limits.items() if n}
    thinks = any(Feature.REASONING in one.features for one in offers)
    return described | ({"thinking": True} if thinks else {})


def _usable(model: Model, who: Principal) -> Iterator[Offer]:
    if who.models is None or model.id in who.models:
        for offer in model.offers:
            if who.upstreams is None or offer.upstream.name in who.upstreams:
                yield offer


def _methods(offers: Sequence[Offer]) -> Sequence[str]:
    """Return what can be done with offers, which are all of one kind; nothing for other work."""
    if any(offer.upstream.embeddings_url for offer in offers):
        return _VECTORS
    return _CHATS if any(not offer.upstream.work_urls for offer in offers) else ()
