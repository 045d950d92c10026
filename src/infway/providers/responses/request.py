"""Chat requests as OpenAI Responses says them.

https://platform.openai.com/docs/api-reference/responses/create
"""

from urllib.parse import quote

from infway.kernel.chat import ChatRequest, Feature, HttpCall, Offer
from infway.providers.conversation.parts import Conversation, Effort
from infway.providers.conversation.reading import read
from infway.providers.responses.input import Speaker
from infway.providers.responses.models import (
    hides_thoughts,
    levels_of,
    marks_cache,
    nearest_level,
)
from infway.providers.responses.tools import custom_names, say_choice, say_format, say_tools
from infway.providers.shapes import as_object, as_text, write

_HEADERS = {"content-type": "application/json"}
# Fields of one name and meaning in both dialects
_ALIKE = (
    "temperature", "top_p", "top_logprobs", "user", "safety_identifier", "prompt_cache_key",
    "prompt_cache_retention", "prompt_cache_options", "metadata", "moderation",
)  # fmt: skip
_TIERS = frozenset({"auto", "default", "flex", "scale", "priority", "fast", "ultrafast"})
_LEAST_OUTPUT = 16  # tokens; the API refuses a lower limit
_USUAL_OUTPUT = 32_000  # tokens; what a budget is a share of where no limit is known
# Shares of the output limit that OpenRouter takes for the levels, the other way round
_SHARES = ((0.2, "low"), (0.5, "medium"))

Body = dict[str, object]


def request(ask: ChatRequest, offer: Offer) -> HttpCall:
    """Return the call; raises UpstreamFailed(untranslatable) where the dialect has no words."""
    upstream = offer.upstream
    talk = read(ask, upstream)
    body: Body = {**upstream.defaults, "model": offer.native}
    if ask.stream:
        body["stream"] = True
    stored = talk.take("store")
    if stored is not None:
        body["store"] = stored
    body.setdefault("store", False)
    body["input"] = Speaker(
        talk,
        custom_names(talk),
        marks_cache(offer.native),
        hides_thoughts(offer.native),
        body["store"] is True,
    ).items()
    for name in _ALIKE:
        value = talk.take(name)
        if value is not None:
            body[name] = value
    if as_text(talk.fields.get("service_tier")) in _TIERS:
        body["service_tier"] = talk.take("service_tier")
    for part in (_limit(talk), _tools(talk), _text(talk, body), _reasoning(talk, offer, body)):
        body.update(part)
    if talk.stop:
        talk.drop("stop")
    url = upstream.chat_url.replace("{model}", quote(offer.native, safe=""))
    headers = upstream.headers or _HEADERS
    return HttpCall(upstream.name, url, headers, write(body), talk.dropped())


def _limit(talk: Conversation) -> Body:
    if talk.max_tokens is None:
        return {}
    if talk.max_tokens < _LEAST_OUTPUT:
        talk.drop("max_tokens")
    return {"max_output_tokens": max(talk.max_tokens, _LEAST_OUTPUT)}


def _tools(talk: Conversation) -> Body:
    said: Body = {"tool_choice": say_choice(talk), "parallel_tool_calls": talk.parallel}
    tools = say_tools(talk)
    if tools:
        said["tools"] = tools
    return {name: value for name, value in said.items() if value is not None}


def _text(talk: Conversation, body: Body) -> Body:
    """Return how the answer is written, beside what the upstream's row says of it."""
    text = as_object(body.get("text"))
    if talk.format is not None:
        text = {**text, "format": say_format(talk.format)}
    verbosity = talk.take("verbosity")
    if verbosity is not None:
        text = {**text, "verbosity": verbosity}
    return {"text": text} if text else {}


def _reasoning(talk: Conversation, offer: Offer, body: Body) -> Body:
    """Return the wish for reasoning, and what the reply shall include beside its text.

    Models that do not reason refuse to include encrypted reasoning.
    """
    levels = levels_of(offer.native)
    said: Body = {}
    include: list[str] = []
    if talk.effort is not None and levels != ():
        said["reasoning"] = {
            **as_object(body.get("reasoning")),
            **_effort(talk, talk.effort, offer),
        }
    elif talk.effort is not None:
        talk.drop("reasoning_effort")
    if levels != () and (Feature.REASONING in offer.features or talk.effort is not None):
        include.append("reasoning.encrypted_content")
    if talk.take("logprobs") is True:
        include.append("message.output_text.logprobs")
    return {**said, "include": include} if include else said


def _effort(talk: Conversation, effort: Effort, offer: Offer) -> Body:
    """Return a level that the model has; one of a budget is the share it is of the output."""
    level = effort.level
    if effort.budget is not None:
        talk.drop("reasoning.max_tokens")
        share = effort.budget / (talk.max_tokens or offer.max_output or _USUAL_OUTPUT)
        by_share = next((name for most, name in _SHARES if share <= most), "high")
        level = level or ("none" if effort.budget == 0 else by_share)
    if level is None:
        return {"summary": "auto"}
    nearest = nearest_level(level, levels_of(offer.native) or (level,))
    if nearest != level:
        talk.drop("reasoning_effort")
    return {"effort": nearest} if nearest == "none" else {"effort": nearest, "summary": "auto"}
