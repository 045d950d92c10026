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
    read = ("promptTokensDetails", "toolUsePromptTokensDetails")
    heard = min(_counted(said, "AUDIO", *read), prompt)
    voiced = min(_counted(said, "AUDIO", "candidatesTokensDetails"), answered)
    return Usage(
        prompt,
        completion,
        total or prompt + completion,
        cached=min(cached, prompt),
        reasoning=thought,
        audio_input=heard,
        audio_output=voiced,
        image_input=min(_counted(said, "IMAGE", *read), prompt - heard),
        image_output=min(_counted(said, "IMAGE", "candidatesTokensDetails"), answered - voiced),
        audio_cached=min(_counted(said, "AUDIO", "cacheTokensDetails"), cached, heard),
    )


def tier_of(said: Object) -> str | None:
    """Return the service tier, None where nothing is said of it."""
    word = as_text(said.get("serviceTier")) or as_text(said.get("trafficType"))
    return _TIERS.get(word.lower())


def _counted(said: Object, kind: str, *keys: str) -> int:
    """Return how many tokens of a kind the details tell of."""
    details = (one for key in keys for one in as_objects(said.get(key)))
    return sum(as_count(one.get("tokenCount")) for one in details if one.get("modality") == kind)
