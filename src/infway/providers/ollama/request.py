"""A chat request as a call of Ollama's chat.

https://docs.ollama.com/api/chat
"""

import re
from collections.abc import Mapping, Sequence

from infway.kernel.chat import ChatRequest, Feature, HttpCall, Offer
from infway.providers.conversation.parts import Conversation, Function, cannot_say
from infway.providers.conversation.reading import read
from infway.providers.ollama.messages import Block, messages_of
from infway.providers.shapes import Object, as_object, as_text, write

_HEADERS: Mapping[str, str] = {"content-type": "application/json"}
_OPTIONS = ("temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty")
_ROOT = ("logprobs", "top_logprobs", "keep_alive")
# gpt-oss takes a level and always thinks, https://docs.ollama.com/capabilities/thinking; all other
# models think or do not
_BY_LEVEL = re.compile(r"gpt-oss", re.IGNORECASE)
_LEVELS: Mapping[str, str] = {
    "none": "low", "minimal": "low", "low": "low", "medium": "medium", "high": "high",
    "xhigh": "high", "max": "high",
}  # fmt: skip
_PLAIN_LEVELS = (None, "none", "medium")  # which need no more than a switch


def call_of(ask: ChatRequest, offer: Offer) -> HttpCall:
    """Return the call; raises UpstreamFailed(untranslatable) for what Ollama has no words for."""
    try:
        return _call(ask, offer)
    except RecursionError:
        return cannot_say("messages", "nested too deeply.")


def _call(ask: ChatRequest, offer: Offer) -> HttpCall:
    upstream = offer.upstream
    talk = read(ask, upstream)
    usual = upstream.defaults
    body: Block = {**usual, "model": offer.native, "messages": messages_of(talk)}
    body["stream"] = ask.stream
    body |= _taken(talk, _ROOT) | _tools(talk) | _form(talk) | _thinking(talk, offer)
    options = as_object(usual.get("options")) | _options(talk)
    if options:
        body["options"] = options
    headers = upstream.headers or _HEADERS
    return HttpCall(upstream.name, upstream.chat_url, headers, write(body), talk.dropped())


def _taken(talk: Conversation, names: Sequence[str]) -> Block:
    said = {name: talk.take(name) for name in names}
    return {name: value for name, value in said.items() if value is not None}


def _options(talk: Conversation) -> Block:
    """Return the options: Ollama's own as they were sent, and over them those of OpenAI."""
    options = as_object(talk.take("options")) | _taken(talk, _OPTIONS)
    if talk.max_tokens is not None:
        options["num_predict"] = talk.max_tokens
    if talk.stop:
        options["stop"] = list(talk.stop)
    return options


def _tools(talk: Conversation) -> Block:
    """Return the tools that may be called: the only word for a choice is to leave tools out."""
    choice = talk.choice
    if talk.parallel is not None:
        talk.drop("parallel_tool_calls")
    if choice is not None and choice.mode == "none":
        return {}
    if talk.others:
        kind = as_text(talk.others[0].get("type"))
        cannot_say("tools.type", f"`{kind[:40]}` is no function.")
    if choice is not None and choice.mode != "auto":
        cannot_say("tool_choice", "with Ollama a model calls tools as it likes.")
    allowed = None if choice is None else choice.allowed
    functions = [one for one in talk.tools if allowed is None or one.name in allowed]
    return {"tools": [_function(talk, one) for one in functions]} if functions else {}


def _function(talk: Conversation, function: Function) -> Block:
    if function.strict:
        talk.drop("tools.strict")
    if function.cache is not None:
        talk.drop("tools.cache_control")
    return function.object()


def _form(talk: Conversation) -> Block:
    form = talk.format
    if form is None:
        return {}
    if form.description:
        talk.drop("response_format.json_schema.description")
    schema: Object | str = "json" if form.schema is None else form.schema
    return {"format": schema}


def _thinking(talk: Conversation, offer: Offer) -> Block:
    """Return whether the model shall think, or how much where it knows levels."""
    wish = talk.effort
    if wish is None:
        return {}
    off = wish.level == "none" or wish.budget == 0
    if not (off or Feature.REASONING in offer.features):
        talk.drop("reasoning_effort")  # the server refuses it for a model that does not think
        return {}
    if wish.budget:
        talk.drop("reasoning.max_tokens")
    if not _BY_LEVEL.search(offer.native):
        if wish.level not in _PLAIN_LEVELS:
            talk.drop("reasoning_effort")
        return {"think": not off}
    if off or wish.level not in (None, *_LEVELS):
        talk.drop("reasoning_effort")
    return {"think": "low" if off else _LEVELS.get(wish.level or "medium", "medium")}
