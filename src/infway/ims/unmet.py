"""Why no offer can serve a request: the caller's own mistake, or a constraint; in the caller's words."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from infway.kernel.chat import ChatRequest, Feature, Offer
from infway.kernel.errors import CallerError, GatewayError, UnavailableError
from infway.kernel.work import PLACES

# The field of a chat that asks for a feature
_FIELDS: Mapping[Feature, str] = {
    Feature.TOOLS: "tools",
    Feature.VISION: "messages",
    Feature.AUDIO_IN: "messages",
    Feature.AUDIO_OUT: "modalities",
    Feature.FILES: "messages",
    Feature.JSON_OBJECT: "response_format",
    Feature.JSON_SCHEMA: "response_format",
    Feature.REASONING: "reasoning_effort",
    Feature.LOGPROBS: "logprobs",
    Feature.SEVERAL: "n",
    Feature.PREFILL: "messages",
    Feature.REMOTE_MEDIA: "messages",
    Feature.TOKEN_IDS: "input",
}
_LIMIT = "max_tokens"  # the field of a chat that limits the output
# Another field that asks for the same
_ELSE: Mapping[str, str] = {
    "tools": "functions",
    "reasoning_effort": "reasoning",
    _LIMIT: "max_completion_tokens",
}
# What it asks for there, where the field alone does not say it
_WORDS: Mapping[Feature, str] = {
    Feature.VISION: "images",
    Feature.AUDIO_IN: "sounds",
    Feature.AUDIO_OUT: "audio",
    Feature.FILES: "files",
    Feature.JSON_OBJECT: "JSON",
    Feature.JSON_SCHEMA: "a JSON schema",
    Feature.SEVERAL: "more than 1",
    Feature.PREFILL: "the beginning of the answer",
    Feature.REMOTE_MEDIA: "addresses of media",
    Feature.TOKEN_IDS: "token ids",
}
# Those fields in other dialects
_SPELLED: Mapping[str, Mapping[str, str]] = {
    "completions": {"messages": "prompt"},
    "responses": {
        "messages": "input",
        "response_format": "text.format",
        "reasoning_effort": "reasoning.effort",
        "logprobs": "top_logprobs",
        _LIMIT: "max_output_tokens",
    },
    "anthropic": {"response_format": "output_config.format", "reasoning_effort": "thinking"},
    "gemini": {
        "messages": "contents",
        "n": "generationConfig.candidateCount",
        "response_format": "generationConfig.responseMimeType",
        "reasoning_effort": "generationConfig.thinkingConfig",
        "reasoning": "generationConfig.thinkingConfig",
        "logprobs": "generationConfig.responseLogprobs",
        _LIMIT: "generationConfig.maxOutputTokens",
    },
}


class Lack(NamedTuple):
    """What the offers cannot do of what is needed.

    `everywhere`: no offer can. `together`: each of the features is known to some offer, all to none.
    """

    features: Feature
    everywhere: bool
    together: bool


def lack_of(needed: Feature, offers: Iterable[Offer]) -> Lack:
    """Return what is lacking of the features that a request needs: in all offers, else in some."""
    missed = [needed & ~offer.features for offer in offers]
    shared, some = needed, Feature(0)
    for one in missed:
        shared, some = shared & one, some | one
    everywhere = all(missed)
    return Lack(shared or some, everywhere, together=everywhere and not shared)


def nothing_left(
    constraint: str, ask: ChatRequest, lack: Lack, last: Iterable[Offer]
) -> GatewayError:
    """Return the error that names the constraint which removed the last offers."""
    if constraint == "context":
        return _too_long(ask, max((offer.context or 0 for offer in last), default=0))
    mistake = _MISTAKES.get(constraint)
    if mistake is not None:
        return mistake(ask)
    if constraint == "capabilities" and lack.everywhere:
        return _unable(ask, lack)
    detail = ""
    if constraint == "capabilities":
        detail = f" (the request has {_listed(ask, lack.features)})"
    elif constraint == "provider.require_parameters":
        detail = f" (the request has {', '.join(sorted(ask.parameters))})"[:500]
    message = (
        f"No offer of the model meets `{constraint}`{detail}; it ruled out the last that were left."
    )
    return UnavailableError(503, "no_available_provider", message, retryable=False)


def all_silent(wait: float | None) -> UnavailableError:
    """Return the error that every offer fell silent; `wait`: seconds until one is tried."""
    message = (
        "No upstream of the model has answered for a while; one request at a time tries again."
    )
    return UnavailableError(503, "upstream_unavailable", message, retry_after=wait or 1.0)


def _unable(ask: ChatRequest, lack: Lack) -> GatewayError:
    """Return the error that the model, wherever it is offered, cannot do what is asked."""
    places = [place for work, place in PLACES.items() if work & lack.features]
    if places:
        message = f"No offer of the model serves {places[0]}."
        return CallerError(400, "unsupported_parameter", message, "model")
    first = next(feature for feature in Feature if feature in lack.features)
    end = " together." if lack.together else "."
    message = f"No offer of the model takes {_listed(ask, lack.features)}{end}"
    return CallerError(400, "unsupported_parameter", message, _field(ask, first))


def _listed(ask: ChatRequest, features: Feature) -> str:
    return ", ".join(_said(ask, feature) for feature in Feature if feature in features)


def _said(ask: ChatRequest, feature: Feature) -> str:
    word = _WORDS.get(feature)
    field = f"`{_field(ask, feature)}`"
    return field if word is None else f"{field} ({word})"


def _field(ask: ChatRequest, feature: Feature) -> str:
    """Return the field that asks for a feature, as its caller wrote it."""
    return _spelled(ask, _FIELDS.get(feature, "model"))


def _spelled(ask: ChatRequest, field: str) -> str:
    """Return a field of a chat as the caller wrote it."""
    if field not in ask.parameters and _ELSE.get(field) in ask.parameters:
        field = _ELSE[field]
    spelled = _SPELLED.get(ask.native.dialect) if ask.native is not None else None
    return field if spelled is None else spelled.get(field, field)


def _closed(_: ChatRequest) -> GatewayError:
    message = "This key may not use the model, or any upstream that serves it."
    return CallerError(403, "model_not_accessible", message, param="model")


def _too_long(ask: ChatRequest, most: int) -> GatewayError:
    """Return the error that a request is too long; `most`: the tokens that the roomiest offer holds.

    It is that of the limit where no input at all would leave room for so much output.
    """
    output = ask.output_tokens or 0
    if ask.input_tokens < most <= output:
        field = _spelled(ask, _LIMIT)
        message = (
            f"`{field}` asks for {output} tokens of output: "
            f"no offer of the model holds more than {most}, the input among them."
        )
    else:
        field = _spelled(ask, "messages")
        message = (
            f"The request needs about {ask.input_tokens} tokens of input and "
            f"{output} of output: more than any offer of the model can hold."
        )
    return CallerError(400, "context_length_exceeded", message, param=field)


def _unsaid(ask: ChatRequest) -> GatewayError:
    """Return the error that only upstreams of the caller's own dialect could serve the request."""
    native = ask.native
    needs = native.needs if native is not None else ()
    said = ", ".join(map(native.said, needs)) if native is not None else ""
    message = (
        f"No offer of the model can be told {said[:500]}: its upstreams are asked in "
        "other dialects, which have no words for it."
    )
    return CallerError(400, "unsupported_parameter", message, param=next(iter(needs), None))


def _mute(_: ChatRequest) -> GatewayError:
    message = "The model continues texts and holds no conversation: ask for it at /v1/completions."
    return CallerError(404, "model_not_found", message, param="model")


_MISTAKES: Mapping[str, Callable[[ChatRequest], GatewayError]] = {
    "key.models": _closed,
    "key.upstreams": _closed,
    "dialect": _unsaid,
    "chat": _mute,
}
"""Constraints that leave nothing by the caller's own mistake, and what the caller is told."""
