"""Responses passed on to servers that speak it too, with their own tools and events.

infway keeps responses itself: the server is told to store nothing, gets earlier turns as input,
and gives its reasoning back encrypted, so that it can go on from there.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import msgspec

from infway.kernel.chat import ChatRequest, Feature, HttpCall, Offer
from infway.kernel.events import Event
from infway.kernel.faults import Failure
from infway.providers.adapter import Decoder
from infway.providers.responses.adapter import Responses
from infway.providers.responses.models import levels_of
from infway.providers.responses.sealed import is_sealed
from infway.providers.shapes import as_list, as_objects, is_object, value_of, write

_DIALECT = "responses"
HEADERS = {"content-type": "application/json"}
"""The headers of a call where the configuration names none."""
_ENCRYPTED = "reasoning.encrypted_content"
# Ids that infway gave to items which it translated: no other server knows them
_OURS = re.compile(r"[a-z]+_[0-9a-z]+-[0-9]+_i?[0-9]+")
_ODD = re.compile(rb'infway\.1\.|"id"\s*:\s*"[a-z]+_[0-9a-z]+-[0-9]+_i?[0-9]+"')


class ResponsesCarrier:
    """The carrier of the dialect; what comes back is read as the adapter reads it."""

    def __init__(self) -> None:
        self._adapter = Responses()
        self.limits = self._adapter.limits

    def carry(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call."""
        upstream, native = offer.upstream, ask.native
        fields, routed = upstream.told(native.fields if native is not None else {})
        said, dropped = dict(fields), dict.fromkeys(routed)
        own: Mapping[str, object] = {}
        if upstream.dialect == _DIALECT:  # otherwise the upstream's row is about its chats
            own = upstream.defaults
            for name in upstream.drop & said.keys():
                del said[name]
                dropped[name] = None
        said["input"] = known_input(said.get("input"), dropped)
        if _reasons(ask, offer):
            include = as_list(value_of(said.get("include")))
            said["include"] = include if _ENCRYPTED in include else [*include, _ENCRYPTED]
        body = {**own, **said, "model": offer.native, "store": False}
        if ask.stream:
            body["stream"] = True
        url = upstream.url_of(_DIALECT) or upstream.chat_url
        url = url.replace("{model}", quote(offer.native, safe=""))
        headers = upstream.headers or HEADERS
        return HttpCall(upstream.name, url, headers, write(body), tuple(dropped))

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole reply; raises UpstreamFailed where it is none."""
        return self._adapter.whole(body)

    def decoder(self) -> Decoder:
        """Return a new decoder for one streamed reply."""
        return self._adapter.decoder()

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name what a reply with an error status means."""
        return self._adapter.fault(status, headers, body)


def _reasons(ask: ChatRequest, offer: Offer) -> bool:
    """Tell whether encrypted reasoning may be asked for: models that do not reason refuse that."""
    levels = levels_of(offer.native)
    if levels is None:
        return Feature.REASONING in offer.features and Feature.REASONING in ask.features
    return bool(levels)


def known_input(raw: object, dropped: dict[str, None]) -> object:
    """Return the input without ids and reasoning that the server cannot know."""
    if isinstance(raw, msgspec.Raw) and _ODD.search(bytes(raw)) is None:
        return raw
    said = value_of(raw)
    return said if isinstance(said, str) else list(_known(said, dropped))


def _known(said: object, dropped: dict[str, None]) -> Iterator[Mapping[str, object]]:
    for item in as_objects(said):
        if is_sealed(item.get("encrypted_content")):
            dropped["input.encrypted_content"] = None
            continue
        id_ = item.get("id")
        if isinstance(id_, str) and _OURS.fullmatch(id_) and is_object(item):
            item = {name: value for name, value in item.items() if name != "id"}  # noqa: PLW2901 - the same item, bare
        yield item
