"""The queue's endpoint: chat completions that wait, by priority, while every offer is busy."""

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec

from infway.api.chat import ChatEndpoint, ChatTalk
from infway.api.errors import Header
from infway.api.exchange import Exchange
from infway.api.reading import refuse
from infway.api.schema import ChatBody
from infway.api.talk import Talk
from infway.kernel.errors import CallerError
from infway.kernel.place import Place
from infway.pipeline.gateway import Answer

PRIORITY = 128  # where the caller says nothing: LiteLLM's medium, between 0 and 255
_HEADER = b"x-litellm-priority"
_MOST = 2**53 - 1  # beyond it JSON's readers do not agree on integers
_WHOLE = re.compile(rb"-?[0-9]{1,15}")
_Priority = Annotated[int, msgspec.Meta(ge=-_MOST, le=_MOST)]


class QueueBody(ChatBody):
    """A chat request that may wait. `priority`: lower goes first; null is 128."""

    priority: _Priority | None = None


class _Said(msgspec.Struct):
    """What the queue alone reads of a body."""

    priority: _Priority | None = None


_read_said = msgspec.json.Decoder(_Said).decode


class QueueEndpoint(ChatEndpoint):
    """Answers chat requests when it is their turn."""

    def read(
        self, exchange: Exchange, header: bytes, body: bytes, path_model: str | None
    ) -> ChatTalk:
        """Return the request with its place in the queue; raises CallerError."""
        talk = super().read(exchange, header, body, path_model)
        if talk.ask.selection.imsn > 1:
            message = "model.imsn: must be 1 in the queue, where one offer answers at a time."
            raise CallerError(400, "invalid_field", message, "model.imsn")
        talk.ask = talk.ask._replace(place=Place(_priority(exchange, body)))
        return talk

    def _headers(self, exchange: Exchange, talk: Talk, answers: Sequence[Answer]) -> list[Header]:
        """Add the place in the queue, and the wait where it is over."""
        headers = super()._headers(exchange, talk, answers)
        place = talk.ask.place
        if place is not None:
            headers.append((_HEADER, b"%d" % place.priority))
            headers.append((b"x-gateway-queue-position", b"%d" % place.position))
            if place.waited is not None:
                headers.append((b"x-gateway-queue-wait", b"%d" % round(place.waited * 1000)))
        return headers


def _priority(exchange: Exchange, body: bytes) -> int:
    """Return what the body says, or else the header."""
    try:
        said = _read_said(body).priority
    except msgspec.ValidationError as error:
        refuse(error, body)
    if said is not None:
        return said
    for name, value in exchange.headers:
        if name == _HEADER:
            if not _WHOLE.fullmatch(value.strip()):
                message = "priority: the header x-litellm-priority must be an integer."
                raise CallerError(400, "invalid_field", message, "priority")
            return int(value)
    return PRIORITY
