"""Usage that an upstream says and that cannot be (B7): nobody pays for more than there can have been."""

import logging

from infway.kernel.chat import ChatRequest, Offer
from infway.kernel.events import Usage
from infway.pipeline.worst import Bounds

_log = logging.getLogger(__name__)

_WINDOW = 2**24
"""Tokens beyond every window there is, for models whose own is not known."""


def believed(usage: Usage, ask: ChatRequest, offer: Offer, *, funded: bool) -> Usage:
    """Return usage as far as it can be: nobody reads or writes more than the model's window.

    What was `funded` beforehand costs no more than was set aside for it: no prompt has more tokens
    than bytes, nor an answer than allowed. Else vendors may have added what only they know of.
    What was cut is flagged as estimated, and said in the log.
    """
    if usage.units is not None:
        return usage
    bounds, window = Bounds(ask), 0 if funded else offer.context or _WINDOW
    prompt = max(0, min(usage.prompt, max(window, bounds.prompt(offer))))
    completion = max(0, min(usage.completion, max(window, bounds.made(offer))))
    if prompt == usage.prompt and completion == usage.completion:
        return usage
    _log.warning(
        "usage_anomaly: upstream=%s model=%s said prompt=%d completion=%d,"
        " which cannot be more than %d and %d request=%s",
        offer.upstream.name,
        offer.model,
        usage.prompt,
        usage.completion,
        prompt,
        completion,
        ask.id,
    )
    billed = usage.billed and (min(usage.billed[0], prompt), min(usage.billed[1], completion))
    return usage._replace(
        prompt=prompt,
        completion=completion,
        total=prompt + completion,
        billed=billed,
        estimated=True,
    )
