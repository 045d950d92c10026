"""A chat request as a call of the Messages API, wherever Claude is served."""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.providers.anthropic.cache import Block, keep_last
from infway.providers.anthropic.messages import Writer
from infway.providers.anthropic.models import Generation, generation_of
from infway.providers.anthropic.schema import fit
from infway.providers.anthropic.thinking import is_hindered, sampling_of, thinking_of
from infway.providers.anthropic.tools import is_forced, tools_of
from infway.providers.conversation.parts import Conversation, Format, cannot_say
from infway.providers.conversation.reading import read
from infway.providers.shapes import Object, as_object, as_objects, as_text, write


class Place(NamedTuple):
    """Where Claude is served. `mark`: what stands in addresses there.

    `whole` and `stream` are the words for `{action}`. `is_own`: Anthropic's own API, or one with
    all of its features: the model stands in the body, and addresses of media are fetched.
    `says_stream`: the body tells whether a stream is wanted.
    """

    mark: str
    whole: str = ""
    stream: str = ""
    is_own: bool = False
    says_stream: bool = True


PLACES = (
    Place("/models/{model}", "rawPredict", "streamRawPredict"),
    Place("/model/{model}", "invoke", "invoke-with-response-stream", says_stream=False),
    Place("", is_own=True),
)
_HEADERS: Mapping[str, str] = {"content-type": "application/json"}
_OWN_HEADERS: Mapping[str, str] = {**_HEADERS, "anthropic-version": "2023-06-01"}
_FILES_BETA = "files-api-2025-04-14"
_TIERS: Mapping[str, str] = {
    "auto": "auto", "default": "standard_only", "priority": "auto", "standard_only": "standard_only",
}  # fmt: skip
# The vendor refuses user ids that are somebody's address or number
_PERSONAL = re.compile(r"[^@\s]+@[^@\s.]+\.[^@\s]+|\+?[\d\s().-]{7,}")


def call_of(ask: ChatRequest, offer: Offer) -> HttpCall:
    """Return the call; raises UpstreamFailed(untranslatable) for what Claude has no words for."""
    try:
        return _call(ask, offer)
    except RecursionError:
        return cannot_say("messages", "nested too deeply.")


def _call(ask: ChatRequest, offer: Offer) -> HttpCall:
    upstream = offer.upstream
    place = next(one for one in PLACES if one.mark in upstream.chat_url)
    talk = read(ask, upstream)
    model = generation_of(offer.native)
    body: dict[str, object] = dict(upstream.defaults)
    if place.is_own:
        body["model"] = offer.native
    if place.says_stream and ask.stream:
        body["stream"] = True
    usual = body.get("max_tokens") or offer.max_output or model.max_output
    body["max_tokens"] = usual if talk.max_tokens is None else talk.max_tokens
    body |= _conversation(talk, model, place, body["max_tokens"])
    body |= _wishes(talk, place)
    url = upstream.chat_url.replace("{model}", quote(offer.native, safe="@"))
    url = url.replace("{action}", place.stream if ask.stream else place.whole)
    headers = _headers(upstream.headers, place, body)
    return HttpCall(upstream.name, url, headers, write(body), talk.dropped())


def _conversation(talk: Conversation, model: Generation, place: Place, limit: object) -> Block:
    """Return what is said, with what, and how."""
    writer = Writer(talk, model, fetches=place.is_own)
    system, messages = writer.system(), writer.messages()
    tools, choice = tools_of(talk, model)
    said: Block = {"messages": messages, "system": system, "tools": tools}
    if choice is not None:
        said["tool_choice"] = choice
    said = {name: value for name, value in said.items() if value}
    thinking = thinking_of(talk, model, limit if isinstance(limit, int) else model.max_output)
    kind = as_object(thinking.get("thinking")).get("type")
    if kind == "enabled" and is_hindered(messages, forced=is_forced(choice)):
        talk.drop("reasoning_effort")
        thinking, kind = {}, None
    said |= sampling_of(talk, model, thinks=kind in ("enabled", "adaptive")) | thinking
    output = as_object(thinking.get("output_config")) | _format(talk, model)
    if output:
        said["output_config"] = output
    keep_last(talk, _cacheable(tools, system, messages))
    return said


def _cacheable(
    tools: list[Block], system: list[Block], messages: list[Block]
) -> list[tuple[str, Block]]:
    blocks = [*system, *(block for one in messages for block in as_objects(one["content"]))]
    said = [("messages.content.cache_control", block) for block in blocks]
    return [("tools.cache_control", tool) for tool in tools] + said


def _format(talk: Conversation, model: Generation) -> Block:
    """Return the form of the answer: a schema, or nothing."""
    asked = talk.format
    if asked is None:
        return {}
    if asked.kind != "json_schema" or asked.schema is None:
        talk.drop("response_format")
        return {}
    if not model.schemas:
        cannot_say("response_format", "this model does not keep to a JSON schema.")
    schema, is_looser = fit(asked.schema)
    if is_looser:
        talk.drop("response_format.json_schema.schema")
    return {"format": {"type": "json_schema", "schema": {**_notes(asked, schema), **schema}}}


def _notes(asked: Format, schema: Object) -> Object:
    """Return the name and the description of a form, which stand in the schema here."""
    if "$ref" in schema:
        return {}
    notes = {"title": asked.name, "description": asked.description}
    return {name: note for name, note in notes.items() if note is not None}


def _wishes(talk: Conversation, place: Place) -> Block:
    """Return stop sequences, the user and the service tier."""
    said: Block = {}
    stop = [one for one in talk.stop if one.strip()]
    if stop:
        said["stop_sequences"] = stop
    if len(stop) < len(talk.stop):
        talk.drop("stop")  # white space alone stops nothing here
    user = _user(talk)
    if user:
        said["metadata"] = {"user_id": user}
    tier = _TIERS.get(as_text(talk.fields.get("service_tier")))
    if tier is not None and place.is_own:
        talk.take("service_tier")
        said["service_tier"] = tier
    return said


def _user(talk: Conversation) -> str:
    """Return whose request it is: the only thing that Anthropic's metadata hold."""
    metadata = as_object(talk.fields.get("metadata"))
    user, name = as_text(talk.take("user")), "user"
    if not user:
        user, name = as_text(metadata.get("user_id")), "metadata"
        if metadata.keys() == {"user_id"}:
            talk.take("metadata")
    if not _PERSONAL.fullmatch(user):
        return user
    talk.drop(name)
    return ""


def _headers(said: Mapping[str, str], place: Place, body: Block) -> Mapping[str, str]:
    headers = dict(_OWN_HEADERS if place.is_own else _HEADERS) | dict(said)
    if _names_files(body):
        betas = (headers.get("anthropic-beta"), _FILES_BETA)
        headers["anthropic-beta"] = ",".join(beta for beta in betas if beta)
    return headers


def _names_files(body: Block) -> bool:
    """Tell whether a document is given by the id of an uploaded file."""
    blocks = [one for said in as_objects(body["messages"]) for one in as_objects(said["content"])]
    blocks += [one for block in blocks for one in as_objects(block.get("content"))]
    return any(as_object(block.get("source")).get("type") == "file" for block in blocks)
