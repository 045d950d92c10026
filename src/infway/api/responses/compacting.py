"""Conversations made short: what upstreams that can do so make of them, as they wrote it.

Their result is encrypted, so that only they can go on from it. infway makes none itself.
"""

from typing import Any, Literal

import msgspec

from infway.api.bulk import read_beside
from infway.api.exchange import Exchange
from infway.api.responses.endpoint import ResponsesEndpoint
from infway.api.responses.talk import ResponsesTalk
from infway.kernel.errors import CallerError
from infway.providers.responses.compact import COMPACTION

_UNSAID = "unsupported_parameter"


class CompactionReply(msgspec.Struct):
    """What is left of a conversation; `output` is the input of what follows, as it is."""

    id: str
    object: Literal["response.compaction"]
    created_at: int
    output: list[dict[str, Any]]
    usage: dict[str, Any]


class CompactTalk(ResponsesTalk):
    """One request to make a conversation short."""

    def own(self, model: str) -> dict[str, object]:  # noqa: ARG002 - nothing in it is infway's
        """Return no fields: the reply stays as it came."""
        return {}


class CompactEndpoint(ResponsesEndpoint):
    """Answers requests to make conversations short."""

    async def answer(
        self,
        exchange: Exchange,
        path_model: str | None,  # noqa: ARG002 - no path of this dialect names a model
    ) -> None:
        """Answer one exchange; raises GatewayError where the edge has to."""
        who, body, draft, told = await self._received(exchange)
        id_ = exchange.request_id
        read = await read_beside(body, lambda: self._talk(id_, draft, told, None))
        talk = _compacting(read)
        if exchange.visit is not None:
            await exchange.visit.enter(talk.ask)
        try:
            await self._whole(exchange, talk, who)
        except CallerError as error:
            if error.code != _UNSAID:
                raise
            message = "No upstream of the model makes conversations short."
            raise CallerError(400, "unsupported_parameter", message, "model") from error


def _compacting(read: ResponsesTalk) -> CompactTalk:
    """Return the request as one to make its conversation short, whatever else it asks for."""
    ask = read.ask
    native = ask.native
    if native is not None:
        needs = (COMPACTION, *native.needs)
        native = native._replace(dialect=COMPACTION, needs=needs)
    return CompactTalk(ask._replace(stream=False, native=native), read.wishes)
