"""Gemini's `usageMetadata`: token counts and the tier that served the request."""

from collections.abc import Mapping

from infway.kernel.events import Usage
from infway.providers.shapes import Object, as_count, as_objects, as_text

# Tokens of one reply: more than that is a mistake, and no number to bill
_MOST = 10**9
_COUNTS = (
    "promptTokenCount",
    "toolUsePromptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "cachedContentTokenCount",
    "totalTokenCount",
)
# `serviceTier` of AI Studio and `trafficType` of Vertex AI, in OpenAI's words
_TIERS: Mapping[str, str] = {
    "standard": "default",
    "flex": "flex",
    "priority": "priority",
    "on_demand": "default",
    "on_demand_flex": "flex",
    "on_demand_priority": "priority",
    "provisioned_throughput": "scale",
}


def usage_of(said: Object) -> Usage | None:
    """Return the counts, None where there are none or they make no sense.

    What its own tools read counts as prompt, and thoughts as completion: both are billed so.
    """
    if not any(name in said for name in _COUNTS):
        return None
    counts = [as_count(said.get(name)) for name in _COUNTS]
    if max(counts) > _MOST:
        return None
    asked, searched, answered, thought, cached, total = counts
    prompt, completion = asked + searched, answered + thought
    return Usage(
        prompt,
        completion,
        total or prompt + completion,
        cached=min(cached, prompt),
        reasoning=thought,
        audio_input=min(
            _sound(said, "promptTokensDetails") + _sound(said, "toolUsePromptTokensDetails"), prompt
        ),
        audio_output=min(_sound(said, "candidatesTokensDetails"), completion),
    )


def tier_of(said: Object) -> str | None:
    """Return the service tier, None where nothing is said of it."""
    word = as_text(said.get("serviceTier")) or as_text(said.get("trafficType"))
    return _TIERS.get(word.lower())


def _sound(said: Object, key: str) -> int:
    details = as_objects(said.get(key))
    return sum(as_count(one.get("tokenCount")) for one in details if one.get("modality") == "AUDIO")
