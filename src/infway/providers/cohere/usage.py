"""Token counts of Cohere, as far as they make sense.

What is counted is what the model read and wrote, with the words that Cohere adds to each prompt
(`tokens`); what is paid is less (`billed_units`), and stands in where the former is missing.
https://docs.cohere.com/reference/chat
"""

from infway.kernel.events import Usage
from infway.providers.shapes import Object, as_count, as_object

_MOST = 10**9  # tokens of one reply: more than that is a mistake


def usage_of(said: Object) -> Usage | None:
    """Return the tokens; None where nobody counted."""
    paid = as_object(said.get("billed_units"))
    tokens = as_object(said.get("tokens")) or paid
    prompt, completion = _pair(tokens)
    if not tokens or max(prompt, completion) > _MOST:
        return None
    return Usage(
        prompt,
        completion,
        prompt + completion,
        cached=min(as_count(said.get("cached_tokens")), prompt),
        reasoning=min(as_count(tokens.get("reasoning_tokens")), completion),
        billed=_pair(paid) if paid else None,
    )


def _pair(counts: Object) -> tuple[int, int]:
    into, out = (
        min(as_count(counts.get(f"{way}_tokens")), _MOST + 1) for way in ("input", "output")
    )
    return into, out
