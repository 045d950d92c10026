"""A chat request as a call of Cohere's v2 chat.

https://docs.cohere.com/reference/chat
"""

from collections.abc import Mapping
from typing import NamedTuple

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.providers.cohere.messages import Block, messages_of
from infway.providers.cohere.models import Traits, traits_of
from infway.providers.cohere.tools import tools_of
from infway.providers.conversation.parts import Conversation, cannot_say
from infway.providers.conversation.reading import read
from infway.providers.shapes import write

_HEADERS: Mapping[str, str] = {"content-type": "application/json"}


class _Field(NamedTuple):
    """Cohere's name for a field, and its bounds, inside OpenAI's."""

    name: str
    least: float = float("-inf")
    most: float = float("inf")


_FIELDS: Mapping[str, _Field] = {
    "temperature": _Field("temperature", 0, 1),
    "top_p": _Field("p", 0.01, 0.99),
    "top_k": _Field("k", 0, 500),
    "seed": _Field("seed"),
    "presence_penalty": _Field("presence_penalty", 0, 1),
    "frequency_penalty": _Field("frequency_penalty", 0, 1),
    "logprobs": _Field("logprobs"),
    "safety_mode": _Field("safety_mode"),
    "citation_options": _Field("citation_options"),
}
# The share of the output limit that a level may think (OpenRouter's rule)
_SHARES: Mapping[str, float] = {
    "minimal": 0.1, "low": 0.2, "medium": 0.5, "high": 0.8, "xhigh": 0.95, "max": 0.95,
}  # fmt: skip


def call_of(ask: ChatRequest, offer: Offer) -> HttpCall:
    """Return the call; raises UpstreamFailed(untranslatable) for what Cohere has no words for."""
    try:
        return _call(ask, offer)
    except RecursionError:
        return cannot_say("messages", "nested too deeply.")


def _call(ask: ChatRequest, offer: Offer) -> HttpCall:
    upstream, traits = offer.upstream, traits_of(offer.native)
    talk = read(ask, upstream)
    body: Block = {**upstream.defaults, "model": offer.native}
    body["messages"] = messages_of(talk, traits)
    body["stream"] = ask.stream
    body |= tools_of(talk, traits) | _fields(talk) | _form(talk)
    body |= _thinking(talk, traits, offer.max_output)
    headers = upstream.headers or _HEADERS
    return HttpCall(upstream.name, upstream.chat_url, headers, write(body), talk.dropped())


def _fields(talk: Conversation) -> Block:
    """Return plain fields; one beyond Cohere's bounds is said as far as it may be, and listed."""
    said: Block = {}
    for name, field in _FIELDS.items():
        value = talk.take(name)
        if isinstance(value, int | float) and not field.least <= value <= field.most:
            talk.drop(name)
            value = min(max(value, field.least), field.most)
        if value is not None:
            said[field.name] = value
    if talk.max_tokens is not None:
        said["max_tokens"] = talk.max_tokens
    if talk.stop:
        said["stop_sequences"] = list(talk.stop)
    return said


def _form(talk: Conversation) -> Block:
    form = talk.format
    if form is None:
        return {}
    if form.description:
        talk.drop("response_format.json_schema.description")
    said: Block = {"type": "json_object"}
    if form.schema is not None:
        said["json_schema"] = form.schema
    return {"response_format": said}


def _thinking(talk: Conversation, traits: Traits, max_output: int | None) -> Block:
    """Return how much the model shall think."""
    wish = talk.effort
    if wish is None:
        return {}
    off = wish.level == "none" or wish.budget == 0
    if not traits.thinks:
        if not off:
            talk.drop("reasoning_effort")
        return {}
    if off:
        return {"thinking": {"type": "disabled"}}
    budget = wish.budget
    if budget is None and wish.level is not None:
        limit = talk.max_tokens or max_output or traits.max_output
        budget = max(int(limit * _SHARES.get(wish.level, 1)), 1)
    said: Block = {"type": "enabled"}
    return {"thinking": said if budget is None else {**said, "token_budget": budget}}
