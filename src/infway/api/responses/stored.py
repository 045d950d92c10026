"""Kept responses: read, listed by their input, forgotten, cancelled. Each key has its own."""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from infway.accounts.keys import Keyring
from infway.api.auth import know
from infway.api.errors import own_fault
from infway.api.responses.conversation import Item
from infway.api.responses.frames import Frames, fail
from infway.api.responses.kept import indexed, input_of
from infway.kernel.errors import CallerError, GatewayError
from infway.ledger.responses import RUNNING, Kept
from infway.pipeline.background import Background
from infway.pipeline.keeping import Keeper

_read = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_write = msgspec.json.Encoder().encode
_PRIVATE = {"cache-control": "private, no-store"}
_Limit = Annotated[int, Query(ge=1, le=100)]


class _Kept:
    """The responses of whoever asks; raises CallerError where they have no such one."""

    def __init__(self, keyring: Callable[[], Keyring], background: Background) -> None:
        self._keyring = keyring
        self._background = background
        self.keeper: Keeper = background.keeper

    def key(self, request: Request) -> str:
        """Return the name of the key that a request shows."""
        who, _ = know(self._keyring(), request.headers.raw)
        return who.name

    async def find(self, request: Request, id_: str) -> Kept:
        """Return a response as it is now; one that nobody makes any more has failed."""
        found = await self.keeper.find(id_, self.key(request))
        if found is None:
            raise _unknown(id_)
        if found.status not in RUNNING:
            return found
        fields = _read(found.response)
        if self.keeper.is_abandoned(found):
            body = fail(Frames(), own_fault(), fields)
            return found._replace(status="failed", response=body)
        return found._replace(response=_write({**fields, "status": found.status}))

    async def forget(self, request: Request, id_: str) -> None:
        """Forget a response; one that is still being made is ended."""
        if not await self.keeper.remove(id_, self.key(request)):
            raise _unknown(id_)

    async def cancel(self, request: Request, id_: str) -> Kept:
        """End a response that is being made in the background; one that is over stays as it is."""
        found = await self.find(request, id_)
        fields = _read(found.response)
        if bytes(fields.get("background", msgspec.Raw(b"false"))) != b"true":
            message = "Only a response that is made in the background can be cancelled."
            raise CallerError(400, "invalid_field", message, "response_id")
        if found.status not in RUNNING:
            return found
        body = _write({**fields, "status": "cancelled"})
        await self._background.cancel(indexed(found._replace(status="cancelled", response=body)))
        return await self.find(request, id_)


def responses_router(keyring: Callable[[], Keyring], background: Background) -> APIRouter:
    """Return the endpoints."""
    told = [Depends(_mark_private)]
    router = APIRouter(tags=["responses"], prefix="/v1/responses", dependencies=told)
    kept = _Kept(keyring, background)

    @router.get("/{response_id}", summary="Read a kept response")
    async def read(response_id: str, request: Request, stream: bool = False) -> Response:  # noqa: FBT001, FBT002 - a query's own name
        """Return the response as it is now; it cannot be streamed again."""
        if stream:
            message = "stream: a kept response is read whole, it is not streamed again."
            raise CallerError(400, "invalid_field", message, "stream")
        return _json((await kept.find(request, response_id)).response)

    @router.delete("/{response_id}", summary="Forget a kept response")
    async def forget(response_id: str, request: Request) -> Mapping[str, object]:
        """Forget the response; what follows it cannot go on from it any more."""
        await kept.forget(request, response_id)
        return {"id": response_id, "object": "response", "deleted": True}

    @router.post("/{response_id}/cancel", summary="Cancel a response made in the background")
    async def cancel(response_id: str, request: Request) -> Response:
        """End the response; one that is over stays as it is."""
        return _json((await kept.cancel(request, response_id)).response)

    @router.get("/{response_id}/input_items", summary="List what a response was made of")
    async def items(
        response_id: str,
        request: Request,
        limit: _Limit = 20,
        order: Literal["asc", "desc"] = "desc",
        after: str | None = None,
    ) -> Mapping[str, object]:
        """Return the items of its own input, the latest first; not those of the turns before."""
        found = input_of(await kept.find(request, response_id))
        return _page(found if order == "asc" else found[::-1], limit, after)

    return router


def _page(items: list[Item], limit: int, after: str | None) -> Mapping[str, object]:
    """Return a page of items, those that follow the one with the id `after`."""
    if after is not None:
        places = [place for place, item in enumerate(items) if item.get("id") == after]
        if not places:
            message = "after: there is no such item."
            raise CallerError(400, "invalid_field", message, "after")
        items = items[places[0] + 1 :]
    page = [_listed(item) for item in items[:limit]]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else "",
        "last_id": page[-1]["id"] if page else "",
        "has_more": len(items) > limit,
    }


def _listed(item: Item) -> Item:
    """Return an item of an input as lists show it: with a status, and a message with parts."""
    if item["type"] != "message":
        return {"status": "completed", **item}
    content = item.get("content")
    kind = "output_text" if item.get("role") == "assistant" else "input_text"
    if isinstance(content, str):
        empty: Item = {"annotations": [], "logprobs": []} if kind == "output_text" else {}
        content = [{"type": kind, "text": content, **empty}]
    return {"status": "completed", **item, "content": content}


def _mark_private(response: Response) -> None:
    response.headers.update(_PRIVATE)


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json", headers=_PRIVATE)


def _unknown(id_: str) -> GatewayError:
    message = f"Response with id '{id_[:100]}' not found."
    return CallerError(404, "response_not_found", message, "response_id")
