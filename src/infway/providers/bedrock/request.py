"""A chat request as the body of a Converse call.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

import re
from collections.abc import Mapping

from infway.kernel.chat import Offer
from infway.providers.anthropic.schema import fit
from infway.providers.bedrock.cache import Block, CachePoints
from infway.providers.bedrock.families import Family, family_of
from infway.providers.bedrock.messages import Writer
from infway.providers.bedrock.tools import tool_config
from infway.providers.bedrock.wishes import wishes_of
from infway.providers.conversation.parts import Conversation, cannot_say
from infway.providers.shapes import as_object, as_text, is_object, write

_TIERS = frozenset({"default", "flex", "priority"})
_NO_TIER = "auto"  # what nobody asked for: the same as saying nothing
_MOST_METADATA = 16
_METADATA = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,\-.]{0,256}")


def body_of(talk: Conversation, offer: Offer) -> Block:
    """Return the body; raises UpstreamFailed(untranslatable) for what it has no words for."""
    family = family_of(offer.native, offer.model)
    points = CachePoints(talk, family)
    writer = Writer(talk, family, points)
    tools, forced = tool_config(talk, family, points)
    system, messages = writer.system(), writer.messages()
    inference, additional = wishes_of(talk, offer, family, messages, forced=forced)
    if talk.parallel is not None:
        talk.drop("parallel_tool_calls")
    said: Block = {
        "messages": messages,
        "system": system,
        "toolConfig": tools,
        "inferenceConfig": inference,
        "additionalModelRequestFields": additional,
        "outputConfig": _format(talk, family),
        "requestMetadata": _metadata(talk),
        "serviceTier": _tier(talk),
    }
    return _over(offer.upstream.defaults, {name: value for name, value in said.items() if value})


def _format(talk: Conversation, family: Family) -> Block:
    """Return the form of the answer: a schema, or nothing."""
    asked = talk.format
    if asked is None:
        return {}
    if asked.kind != "json_schema" or asked.schema is None:
        cannot_say("response_format", "Bedrock binds answers to a schema only.")
    if not family.schemas:
        cannot_say("response_format", "this model does not keep to a JSON schema.")
    schema, is_looser = fit(asked.schema)
    if is_looser:
        talk.drop("response_format.json_schema.schema")
    named: Block = {"schema": write(schema).decode(), "name": asked.name}
    if asked.description is not None:
        named["description"] = asked.description
    form = {"type": "json_schema", "structure": {"jsonSchema": named}}
    return {"textFormat": form}


def _metadata(talk: Conversation) -> Block:
    """Return what of the request's metadata the invocation log takes; the rest is listed."""
    sent = talk.take("metadata")
    if sent is None:
        return {}
    kept = {name: text for name, text in as_object(sent).items()
            if name and isinstance(text, str) and _METADATA.fullmatch(name)
            and _METADATA.fullmatch(text)}  # fmt: skip
    kept = dict(list(kept.items())[:_MOST_METADATA])
    if not kept or len(kept) < len(as_object(sent)):
        talk.drop("metadata")
    return dict(kept)


def _tier(talk: Conversation) -> Block:
    tier = as_text(talk.fields.get("service_tier"))
    if tier not in _TIERS and tier != _NO_TIER:
        return {}
    talk.take("service_tier")
    return {"type": tier} if tier in _TIERS else {}


def _over(defaults: Mapping[str, object], said: Block) -> Block:
    """Return what is said over the row's own fields; objects are joined, one level deep."""
    body: Block = {**defaults, **said}
    for name, value in said.items():
        beneath = defaults.get(name)
        if is_object(value) and isinstance(beneath, Mapping):
            body[name] = {**beneath, **value}
    return body
