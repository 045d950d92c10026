"""Service tiers: which one was asked for, which one served, and which a request may be served at.

Names are those under which prices stand; none stand under the usual tier's.
"""

import logging
from collections.abc import Collection, Mapping

from infway.kernel.chat import ChatRequest, Upstream
from infway.kernel.events import Usage
from infway.kernel.prices import Prices
from infway.providers.shapes import as_object, value_of

USUAL = "default"
_NAMES: Mapping[str, str] = {  # vendors' words, as requests and replies have them
    "standard": USUAL,
    "standard_only": USUAL,  # Anthropic
    "on_demand": USUAL,  # Groq, Vertex AI
    "provisioned": USUAL,  # what is paid in advance costs nothing more, and counts as usual
    "provisioned_throughput": USUAL,
    "reserved": USUAL,  # Bedrock
    "scale": USUAL,  # OpenAI
    "fast": "priority",  # OpenAI's newer name of it
    "on_demand_priority": "priority",
    "on_demand_flex": "flex",
}
_NOTHING = frozenset({"", "auto", "unspecified", "traffic_type_unspecified"})
_FIELDS = ("service_tier", "serviceTier")
_HEADER = "x-vertex-ai-llm-shared-request-type"  # how Vertex AI is told
_LATER = "batch"  # no upstream makes one of a request that is waited for
_CHEAP = frozenset({USUAL, "flex", _LATER})  # who asks for these is never served at a dearer one
_RARE = "ultrafast"  # nobody is served at it who does not ask for it
_log = logging.getLogger(__name__)


def tier_named(word: object) -> str | None:
    """Return the tier that a vendor's word stands for, None where it says none.

    `word`: text, as raw JSON too, or Bedrock's object around it. One that is not known is its own
    name.
    """
    said = value_of(word)
    text = as_object(said).get("type", said)
    if not isinstance(text, str):
        return None
    name = text.strip().lower().removeprefix("service_tier_")
    return None if name in _NOTHING else _NAMES.get(name, name)


def asked_of(ask: ChatRequest, upstream: Upstream) -> str | None:
    """Return the tier that a request asks of an upstream for, None where that is left to it.

    What the operator says of the upstream holds where the caller says nothing.
    """
    for name, value in upstream.headers.items():
        if name.lower() == _HEADER:
            return tier_named(value)
    said = [ask.fields, upstream.defaults]
    if ask.native is not None:
        said.insert(1, ask.native.fields)
    for fields in said:
        for name in _FIELDS:
            if name in fields:
                return tier_named(fields[name])
    return None


def unsaid_tier(asked: str | None, dropped: Collection[str] = ()) -> str | None:
    """Return the tier that counts where a reply says none: the one its upstream was asked for."""
    return None if asked == _LATER or "service_tier" in dropped else asked


def may_serve(tier: str, asked: str | None) -> bool:
    """Tell whether a request that asked for one tier may be served, and billed, at another."""
    if tier in (USUAL, asked):
        return True
    if asked in _CHEAP:
        return False
    return tier != _RARE or asked not in (None, "priority")


def open_to(ask: ChatRequest, upstream: Upstream, prices: Prices) -> tuple[str, ...]:
    """Return the tiers with prices of their own that a request may be served at."""
    if not prices.tiers:
        return ()
    asked = asked_of(ask, upstream)
    return tuple(name for name, _ in prices.tiers if may_serve(name, asked))


def paid_at(usage: Usage, tier: str | None, asked: str | None, *, funded: bool) -> Usage:
    """Return usage with the tier that is paid.

    What was `funded` beforehand pays none that was not reckoned with: then the one that was asked
    for is, it is flagged as estimated, and said in the log.
    """
    if tier is None or tier == USUAL:
        return usage
    if funded and not may_serve(tier, asked):
        _log.warning(
            "usage_anomaly: served at the tier %.40r where %.40r was asked for", tier, asked
        )
        return usage._replace(tier=asked or USUAL, estimated=True)
    return usage._replace(tier=tier)
