"""Requests of the Messages dialect passed on to those who speak it, in their caller's own words.

They go to Anthropic, to Claude on Azure and on Vertex AI, and to vendors that speak it beside chats.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from infway.kernel.chat import ChatRequest, HttpCall, Native, Offer
from infway.providers.anthropic.adapter import Anthropic
from infway.providers.anthropic.messages import call_id
from infway.providers.anthropic.request import PLACES, Place
from infway.providers.anthropic.thinking import is_hindered
from infway.providers.anthropic.wrapped import PREFIX
from infway.providers.conversation.parts import cannot_say
from infway.providers.shapes import Object, as_object, as_objects, as_text, value_of, write

DIALECT = "anthropic"
VERSION, BETA = "anthropic-version", "anthropic-beta"
_VERSION = "2023-06-01"
_JSON: Mapping[str, str] = {"content-type": "application/json"}
_SUSPECT = re.compile(rb'"signature"\s*:\s*""|' + re.escape(PREFIX).encode())
_ODD_ID = re.compile(rb'"(?:id|tool_use_id)"\s*:\s*"(?![a-zA-Z0-9_-]+")')
_IDS: Mapping[str, str] = {"tool_use": "id", "tool_result": "tool_use_id"}


class Messages(Anthropic):
    """The carrier of the dialect; what comes back is read as its adapter reads it."""

    def carry(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call: the body as sent, with the model's native name.

        Raises UpstreamFailed where the upstream does not speak the dialect.
        """
        upstream, native = offer.upstream, ask.native
        url = upstream.url_of(DIALECT)
        if native is None or url is None:
            return cannot_say("model", "the Messages API is not spoken there.")
        place = next(one for one in PLACES if one.mark in url)
        body, dropped = _passed_on(native, offer)
        body |= {"model": offer.native} if place.is_own else {}
        body |= {"stream": True} if ask.stream else {}
        is_claude = "claude" in offer.native.lower()
        if is_claude and _ODD_ID.search(_raw(body.get("messages"))):
            said = as_objects(value_of(body["messages"]))
            body["messages"] = [_with_ids(one) for one in said] or body["messages"]
        dropped += _disbelieved(body, is_claude=is_claude)
        url = url.replace("{model}", quote(offer.native, safe="@"))
        url = url.replace("{action}", place.stream if ask.stream else place.whole)
        headers = _headers(native, upstream.headers, place)
        return HttpCall(upstream.name, url, headers, write(body), tuple(sorted(dropped)))


def _passed_on(native: Native, offer: Offer) -> tuple[dict[str, object], list[str]]:
    """Return the fields that go there, and those that the upstream's row leaves out.

    A row speaks of the upstream's usual dialect, and so do its defaults.
    """
    upstream = offer.upstream
    said, routed = upstream.told(native.fields)
    body = dict(said)
    for name in ("model", "stream"):
        body.pop(name, None)
    if upstream.dialect != DIALECT:
        return body, routed
    upstream.rename_in(body, native.fields)
    dropped = [name for name in upstream.drop if body.pop(name, None) is not None]
    return {**upstream.defaults, **body}, routed + dropped


def _headers(native: Native, said: Mapping[str, str], place: Place) -> Mapping[str, str]:
    """Return the caller's headers of the dialect, and the configured ones, whose betas add up."""
    headers = {**_JSON, VERSION: _VERSION, **native.headers, **said}
    if not place.is_own:
        del headers[VERSION]  # it stands in the body there
    betas = (native.headers.get(BETA), said.get(BETA))
    wanted = dict.fromkeys(one.strip() for beta in betas if beta for one in beta.split(","))
    return {**headers, BETA: ",".join(wanted)} if wanted else headers


def _disbelieved(body: dict[str, object], *, is_claude: bool) -> list[str]:
    """Take thoughts out that the model would not believe; return what was taken.

    Claude refuses a request with a thought that it did not sign; nobody knows infway's wrapping.
    """
    raw = body.get("messages")
    if isinstance(raw, msgspec.Raw) and _SUSPECT.search(bytes(raw)) is None:
        return []
    said: list[Object] = []
    taken: list[str] = []
    for place, message in enumerate(as_objects(value_of(raw))):
        blocks = as_objects(message.get("content"))
        foreign = [at for at, one in enumerate(blocks) if _is_foreign(one, is_claude=is_claude)]
        kept = [block for at, block in enumerate(blocks) if at not in foreign]
        taken += [f"messages[{place}].content[{at}].{blocks[at]['type']}" for at in foreign]
        if kept or not blocks:
            said.append({**message, "content": kept} if foreign else message)
    if not taken:
        return []
    body["messages"] = said
    mode = as_object(value_of(body.get("thinking"))).get("type")
    if said and mode == "enabled" and is_hindered(_typed(said), forced=False):
        del body["thinking"]
        return [*taken, "thinking"]
    return taken


def _with_ids(message: Object) -> Object:
    """Return a message whose calls have ids that Claude takes: other vendors use other letters."""
    blocks = as_objects(message.get("content"))
    for block in blocks:
        name = _IDS.get(as_text(block.get("type")))
        if name is not None:
            block[name] = call_id(as_text(block.get(name)))
    return {**message, "content": blocks} if blocks else message


def _typed(said: list[Object]) -> list[dict[str, object]]:
    """Return messages whose blocks all have a type, as the rule of tool loops reads them."""
    return [
        {
            "role": as_text(message.get("role")),
            "content": [
                {**block, "type": as_text(block.get("type"))}
                for block in as_objects(message.get("content"))
            ],
        }
        for message in said
    ]


def _is_foreign(block: Object, *, is_claude: bool) -> bool:
    match block.get("type"):
        case "thinking":
            signature = as_text(block.get("signature"))
            return signature.startswith(PREFIX) or (is_claude and not signature)
        case "redacted_thinking":
            return as_text(block.get("data")).startswith(PREFIX)
        case _:
            return False


def _raw(value: object) -> bytes:
    return bytes(value) if isinstance(value, msgspec.Raw) else b""
