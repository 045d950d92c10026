"""Prompt-cache markers of the Anthropic dialect.

https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from collections.abc import Iterable

from infway.providers.conversation.parts import Conversation

MOST = 4  # markers in one request
_USUAL = "5m"
Block = dict[str, object]


def mark(block: Block, ttl: str | None) -> Block:
    """Return the block, marked where the prompt up to it shall be cached for `ttl`."""
    if ttl is not None:
        marker = {"type": "ephemeral"}
        block["cache_control"] = marker if ttl == _USUAL else {**marker, "ttl": ttl}
    return block


def keep_last(talk: Conversation, blocks: Iterable[tuple[str, Block]]) -> None:
    """Take off the markers beyond the last that are allowed, and list their paths.

    `blocks`: path and block in the order of the prompt. The last markers cache the most of it.
    """
    marked = [(path, block) for path, block in blocks if "cache_control" in block]
    for path, block in marked[:-MOST]:
        del block["cache_control"]
        talk.drop(path)
