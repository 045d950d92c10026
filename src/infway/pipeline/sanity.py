"""Usage that an upstream says and that cannot be (B7): nobody pays for more than there can have been."""

import logging

from infway.kernel.chat import ChatRequest, Offer
from infway.kernel.events import Usage
from infway.pipeline.worst import Bounds

_log = logging.getLogger(__name__)

_WINDOW = 2**24
"""Tokens beyond every window there is, for models whose own is not known."""
_TOKENS = (
    "prompt",
    "completion",
    "cached",
    "cache_write",
    "reasoning",
    "image_input",
    "image_output",
)


def believed(usage: Usage, ask: ChatRequest, offer: Offer, *, funded: bool) -> Usage:
    """Return usage as far as it can be: nobody reads or writes more than the model's window.

    What was `funded` beforehand costs no more than was set aside for it: no prompt has more tokens
    than bytes, nor an answer than allowed. Else vendors may have added what only they know of.
    No part is more than its whole, nor are its parts together. What was cut is flagged as
    estimated, and said in the log.
    """
    if usage.units is not None:
        return usage
    bounds, window = Bounds(ask), 0 if funded else offer.context or _WINDOW
    prompt = max(0, min(usage.prompt, max(window, bounds.prompt(offer))))
    completion = max(0, min(usage.completion, max(window, bounds.made(offer))))
    if prompt == usage.prompt and completion == usage.completion and _is_whole(usage):
        return usage
    _log.warning(
        "usage_anomaly: upstream=%s model=%s said %s,"
        " where prompt and completion cannot be more than %d and %d, nor a part more than its whole"
        " request=%s",
        offer.upstream.name,
        offer.model,
        " ".join(f"{name}={getattr(usage, name)}" for name in _TOKENS),
        prompt,
        completion,
        ask.id,
    )
    return _cut(usage, prompt, completion)


def _is_whole(usage: Usage) -> bool:
    """Tell whether the parts are together no more than what they are parts of."""
    return (
        usage.cached + usage.cache_write <= usage.prompt
        and usage.audio_input + usage.image_input <= usage.prompt
        and usage.reasoning + usage.audio_output + usage.image_output <= usage.completion
    )


def _cut(usage: Usage, prompt: int, completion: int) -> Usage:
    """Return usage with no more than so many tokens, and parts that fit."""
    cached = min(usage.cached, prompt)
    written = min(usage.cache_write, prompt - cached)
    heard = min(usage.audio_input, prompt)
    voiced = min(usage.audio_output, completion)
    drawn = min(usage.image_output, completion - voiced)
    return usage._replace(
        prompt=prompt,
        completion=completion,
        total=prompt + completion,
        cached=cached,
        cache_write=written,
        cache_write_long=min(usage.cache_write_long, written),
        audio_input=heard,
        audio_cached=min(usage.audio_cached, cached, heard),
        image_input=min(usage.image_input, prompt - heard),
        reasoning=min(usage.reasoning, completion - voiced - drawn),
        audio_output=voiced,
        image_output=drawn,
        billed=usage.billed and (min(usage.billed[0], prompt), min(usage.billed[1], completion)),
        estimated=True,
    )
