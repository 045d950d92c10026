"""A reply of the Messages API: its blocks as frames of a stream or as a whole, and its numbers."""

from collections.abc import Mapping

from infway.kernel.events import Finish, Usage
from infway.providers.shapes import is_object, read_object, write

ID_HEADERS: tuple[bytes, ...] = (b"x-request-id", b"request-id")
"""The headers in which the id of a request stands: infway's, and Anthropic's."""

_REASONS: Mapping[str, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
# Claude's own words for ends that chats call by a wider one
_OWN = frozenset({"stop_sequence", "pause_turn", "model_context_window_exceeded"})
_TIERS: Mapping[str, str] = {"default": "standard", "priority": "priority", "batch": "batch"}


def frame(kind: str, **fields: object) -> bytes:
    """Return one event of a stream."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), write({"type": kind, **fields}))


class Frames:
    """Blocks as the events of a stream; a `Sink`."""

    def __init__(self) -> None:
        self._index = -1
        self._said: list[bytes] = []

    def take(self) -> bytes:
        """Return the events since the last time."""
        said, self._said = b"".join(self._said), []
        return said

    def open(self, block: Mapping[str, object]) -> None:
        """Begin a block."""
        self._index += 1
        self._said.append(frame("content_block_start", index=self._index, content_block=block))

    def delta(self, kind: str, name: str, piece: object) -> None:
        """Add a piece."""
        self._said.append(
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":%b}}\n\n'
            % (self._index, kind.encode(), name.encode(), write(piece))
        )

    def close(self) -> None:
        """End the block."""
        self._said.append(frame("content_block_stop", index=self._index))


class Whole:
    """Blocks as the content of a whole reply; a `Sink`."""

    def __init__(self) -> None:
        self.content: list[dict[str, object]] = []
        self._pieces: dict[str, list[object]] = {}

    def open(self, block: Mapping[str, object]) -> None:
        """Begin a block."""
        self.content.append(dict(block))
        self._pieces = {}

    def delta(self, kind: str, name: str, piece: object) -> None:  # noqa: ARG002 - the name tells
        """Add a piece."""
        self._pieces.setdefault(name, []).append(piece)

    def close(self) -> None:
        """End the block: its pieces become one."""
        block = self.content[-1]
        for name, pieces in self._pieces.items():
            if name == "citation":
                block["citations"] = pieces
            elif name == "partial_json":
                block["input"] = _input("".join(map(str, pieces)))
            else:
                block[name] = "".join(map(str, pieces))


def _input(text: str) -> dict[str, object]:
    """Return the arguments of a call; what is no object stands in one, under `arguments`."""
    said = read_object(text.encode())
    return said if is_object(said) else {"arguments": text} if text.strip() else {}


def stop_of(finish: Finish | None, refusal: str) -> dict[str, object]:
    """Return why the answer ended. Which stop sequence it was, other vendors do not tell."""
    reason: str | None = None
    if finish is not None:
        is_wider = finish.reason in ("stop", "length") and finish.native in _OWN
        reason = finish.native if is_wider else _REASONS.get(finish.reason)
    said: dict[str, object] = {"stop_reason": reason, "stop_sequence": None}
    if refusal:
        details = {"type": "refusal", "category": None, "explanation": refusal}
        said |= {"stop_reason": "refusal", "stop_details": details}
    return said


def usage_object(usage: Usage, tier: object = None) -> dict[str, object]:
    """Return the tokens, those of the cache apart from the others."""
    long = usage.cache_write_long
    said: dict[str, object] = {
        "input_tokens": max(usage.prompt - usage.cached - usage.cache_write, 0),
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": max(usage.cache_write - long, 0),
            "ephemeral_1h_input_tokens": long,
        },
        "output_tokens": usage.completion,
        "service_tier": _TIERS.get(str(tier)),
    }
    if usage.reasoning:
        said["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return said
