"""Moderations, images, speech and transcription in OpenAI's dialect: passed on as they come.

https://platform.openai.com/docs/api-reference/moderations, .../images and .../audio
"""

from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from infway.kernel.chat import ChatRequest, Feature, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Units, Usage
from infway.kernel.faults import Failure, Fault
from infway.kernel.work import WORK, WORKS, Trade
from infway.providers.openai.faults import fault_of, inband_fault
from infway.providers.openai.limits import limits_of
from infway.providers.passing.measures import guess, said
from infway.providers.passing.passer import JSON, Whole
from infway.providers.passing.sounds import length_told, milliseconds
from infway.providers.shapes import value_of, write

_HEADERS: Mapping[str, str] = {"content-type": JSON}
_PICTURES = WORKS[Trade.IMAGE]
_EMPTY = (b"", b"null", b"[]", b'""')
_NULL = msgspec.Raw(b"null")
_read_root = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_read_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class OpenAIPassing:
    """The passer of the dialect. `forms` False: of a vendor that takes JSON alone."""

    def __init__(self, *, forms: bool = True) -> None:
        self._forms = forms

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the caller's own body with the model's native name and the row's quirks."""
        upstream = offer.upstream
        native = quote(offer.native, safe="@")
        url = upstream.work_urls[ask.features & WORK].replace("{model}", native)
        form = ask.form
        if form is not None:
            if not self._forms:
                message = "This upstream takes JSON alone, with files as base64 in it."
                raise UpstreamFailed(Failure(Fault.UNTRANSLATABLE, message=message))
            left_out = upstream.drop | upstream.routing
            body = form.written("model", offer.native.encode(), left_out)
            dropped = tuple(sorted({part.name for part in form.parts} & left_out))
            told = {**upstream.headers, "content-type": form.kind}
            return HttpCall(upstream.name, url, told, body, dropped)
        said, routed = upstream.told(ask.fields)
        fields: dict[str, object] = {**said, "model": offer.native}
        missed = routed + [name for name in upstream.drop if fields.pop(name, None) is not None]
        for name, other in upstream.rename.items():
            if name in fields:
                fields.setdefault(other, fields.pop(name))
        headers = upstream.headers or _HEADERS
        return HttpCall(upstream.name, url, headers, write(fields), tuple(sorted(missed)))

    def whole(
        self, body: bytes, headers: Mapping[str, str], ask: ChatRequest, offer: Offer
    ) -> Whole:
        """Return a reply: a text as it is, JSON with the catalogue's name of its model."""
        kind = headers.get("content-type", JSON)
        if Feature.SPEECH in ask.features:
            self._root(body)  # raises the error that it may be
            raise UpstreamFailed(Failure(Fault.WRONG_CONTENT_TYPE, 200))
        if ask.features & WORKS[Trade.TRANSCRIPTION] and "json" not in kind:
            return Whole(body, kind, _subtitled(body, guess(ask, offer)))
        root = self._root(body)
        usage = _measured(root, ask, offer)
        if "model" not in root:
            return Whole(body, JSON, usage, root)
        fields = {**root, "model": offer.model}
        return Whole(write(fields), JSON, usage, fields)

    def limits(self, headers: Mapping[str, str]) -> tuple[float, float] | None:
        """Return what the rate-limit headers leave."""
        return limits_of(headers)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply by the vendor's code, then the status, then the text."""
        return fault_of(status, headers, body)

    @staticmethod
    def _root(body: bytes) -> dict[str, msgspec.Raw]:
        """Return the root fields of JSON; raises UpstreamFailed where it is an error or none."""
        try:
            root = _read_root(body)
        except _BROKEN as error:
            raise UpstreamFailed(Failure(Fault.INVALID_JSON, 200)) from error
        error_said = bytes(root.get("error", _NULL))
        if error_said not in _EMPTY:
            raise UpstreamFailed(inband_fault(error_said))
        return root


def _measured(root: Mapping[str, msgspec.Raw], ask: ChatRequest, offer: Offer) -> Usage:
    """Return what a reply counts; raises UpstreamFailed where what was asked for is not in it."""
    usage = said(value_of(root.get("usage")), ask)
    if ask.features & _PICTURES:
        images = len(_items(root, "data"))
        if usage is None:
            known = offer.prices.image is not None
            return Usage(0, 0, 0, estimated=not known, units=Units(images=images))
        return usage._replace(units=(usage.units or Units())._replace(images=images))
    if Feature.MODERATION in ask.features:
        _items(root, "results")
    elif "text" not in root:
        raise UpstreamFailed(Failure(Fault.INVALID_JSON, 200))
    lasted = milliseconds(value_of(root.get("duration")))
    if usage is None and lasted is not None:
        return Usage(0, 0, 0, units=Units(milliseconds=lasted))
    return guess(ask, offer) if usage is None else usage


def _items(root: Mapping[str, msgspec.Raw], name: str) -> list[msgspec.Raw]:
    try:
        items = _read_items(root.get(name, _NULL))
    except _BROKEN as error:
        raise UpstreamFailed(Failure(Fault.INVALID_JSON, 200)) from error
    if not items:
        raise UpstreamFailed(Failure(Fault.EMPTY_CHOICES, 200))
    return items


def _subtitled(body: bytes, usage: Usage) -> Usage:
    """Return the usage with the time that subtitles tell, where it was only guessed."""
    told = length_told(body) if usage.estimated else None
    if told is None:
        return usage
    return usage._replace(units=Units(milliseconds=told))
