"""Cache points of Bedrock's Converse: blocks that stand behind what shall be cached.

https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
"""

from infway.providers.bedrock.families import Family
from infway.providers.conversation.parts import CallPart, Conversation, ResultPart, ThoughtPart

MOST = 4  # in one request
_UNFIT = frozenset({"document", "video"})  # Bedrock takes no point right behind these
Block = dict[str, object]


class CachePoints:
    """Places the points of one request, which is written in the order tools, system, messages.

    Of more points than are allowed the last are kept: they cache the most of the prompt.
    """

    def __init__(self, talk: Conversation, family: Family) -> None:
        self._talk = talk
        self._family = family
        self._surplus = max(0, _wished(talk) - MOST)

    def behind(self, place: str, kind: str, ttl: str | None) -> list[Block]:
        """Return the point behind a block of this kind, or nothing, which is listed.

        `place`: system, messages or tools. `ttl`: None where no point is wished.
        """
        if ttl is None:
            return []
        path = "tools.cache_control" if place == "tools" else "messages.content.cache_control"
        self._surplus -= 1
        if place not in self._family.caches or kind in _UNFIT or self._surplus >= 0:
            self._talk.drop(path)
            return []
        point: Block = {"type": "default"}
        if ttl == "1h" and self._family.lasting:
            point["ttl"] = ttl
        elif ttl != "5m":
            self._talk.drop(f"{path}.ttl")
        return [{"cachePoint": point}]


def _wished(talk: Conversation) -> int:
    parts = [part for message in talk.messages for part in message.parts]
    marks = [tool.cache for tool in talk.tools]
    for part in parts:
        if isinstance(part, ResultPart):
            marks.append(result_ttl(part))
        elif not isinstance(part, CallPart | ThoughtPart):
            marks.append(part.cache)
    return sum(mark is not None for mark in marks)


def result_ttl(part: ResultPart) -> str | None:
    """Return how long the prompt up to a tool's result shall be cached, as it or a part says."""
    inner = [one.cache for one in part.parts if one.cache is not None]
    return part.cache or (inner[-1] if inner else None)
