"""Token counts of the Anthropic dialect.

`input_tokens` are those that were neither read from the cache nor written to it.
https://platform.claude.com/docs/en/build-with-claude/prompt-caching, "Tracking cache performance".
"""

from infway.kernel.events import Usage
from infway.providers.shapes import Object, as_count, as_object

# Tokens of one reply: more than that is a mistake, and no number to bill
_MOST = 10**9


def usage_of(said: Object) -> Usage | None:
    """Read a usage object; one that makes no sense is none, and an estimate takes its place."""
    if not isinstance(said.get("input_tokens"), int | float):
        return None
    read = as_count(said.get("cache_read_input_tokens"))
    written = as_count(said.get("cache_creation_input_tokens"))
    prompt = as_count(said["input_tokens"]) + read + written
    completion = as_count(said.get("output_tokens"))
    if max(prompt, completion) > _MOST:
        return None
    long = as_count(as_object(said.get("cache_creation")).get("ephemeral_1h_input_tokens"))
    thought = as_count(as_object(said.get("output_tokens_details")).get("thinking_tokens"))
    return Usage(
        prompt,
        completion,
        prompt + completion,
        cached=read,
        cache_write=written,
        cache_write_long=min(long, written),
        reasoning=min(thought, completion),
    )
