"""Token counts of Cohere, as far as they make sense.

What is counted is what the model read and wrote, with the words that Cohere adds to each prompt
(`tokens`); what is billed is less (`billed_units`) and stands in only where the former is missing.
https://docs.cohere.com/reference/chat
"""

from infway.kernel.events import Usage
from infway.providers.shapes import Object, as_count, as_object

_MOST = 10**9  # tokens of one reply: more than that is a mistake


def usage_of(said: Object) -> Usage | None:
    """Return the tokens; None where nobody counted."""
    tokens = as_object(said.get("tokens")) or as_object(said.get("billed_units"))
    prompt, completion = as_count(tokens.get("input_tokens")), as_count(tokens.get("output_tokens"))
    if not tokens or max(prompt, completion) > _MOST:
        return None
    return Usage(
        prompt,
        completion,
        prompt + completion,
        cached=min(as_count(said.get("cached_tokens")), prompt),
        reasoning=min(as_count(tokens.get("reasoning_tokens")), completion),
    )
