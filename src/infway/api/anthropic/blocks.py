"""Pieces of an answer as blocks of content, one after the other, each whole before the next.

Pieces may come mixed: what belongs to a later block waits until the ones before are at their end.
A call is at its end when its arguments are whole, any other block when something else follows.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from infway.api.anthropic.citations import citation_of
from infway.kernel.events import (
    Annotation,
    Detail,
    Image,
    Logprobs,
    Piece,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from infway.providers.anthropic.messages import FORMAT
from infway.providers.anthropic.wrapped import wrap
from infway.providers.shapes import as_text, is_object, parse

_GEMINI = "google-gemini-v1"  # whose calls bear signatures
_GROWING = ("text", "summary", "data")
Item = dict[str, object]


class Sink(Protocol):
    """Takes blocks as they grow: one is open at a time."""

    def open(self, block: Mapping[str, object]) -> None:
        """Begin a block."""
        ...

    def delta(self, kind: str, name: str, piece: object) -> None:
        """Add a piece, which stands under `name` in a delta of that kind."""
        ...

    def close(self) -> None:
        """End the block."""
        ...


class _Block:
    """One block. `ended`: nothing may be added; `waiting`: deltas until it is its turn."""

    __slots__ = ("arguments", "ended", "items", "kind", "said", "waiting")

    def __init__(self, kind: str, said: Mapping[str, object]) -> None:
        self.kind = kind
        self.said = said
        self.waiting: list[tuple[str, str, object]] = []
        self.items: list[Item] = []
        self.arguments: list[str] = []
        self.ended = False

    @property
    def is_whole(self) -> bool:
        """Whether another block may follow."""
        return self.kind != "tool_use" or is_whole_object("".join(self.arguments))


class Blocks:
    """Makes blocks of pieces. `refusal`: what the model said of why it does not answer.

    `id_prefix`: how ids begin of calls that came without one. `shows_thoughts`: the caller wants
    to read them; signatures are given anyway.
    """

    def __init__(self, sink: Sink, id_prefix: str, *, shows_thoughts: bool) -> None:
        self.refusal: list[str] = []
        self._sink = sink
        self._id_prefix = id_prefix
        self._shows_thoughts = shows_thoughts
        self._queue: list[_Block] = []
        self._calls: dict[int, _Block] = {}
        self._signed: set[object] = set()  # ids of calls whose signature was given

    def add(self, piece: Piece) -> None:  # noqa: C901 - one case a piece
        """Take a piece of the answer."""
        match piece:
            case Text():
                self._text(piece.text)
            case Reasoning():
                self._thought(piece.text)
            case Detail():
                self._detail(dict(piece.item))
            case ToolCall():
                self._call(piece)
            case Annotation():
                block = self._last("text") or self._begin("text", {"type": "text", "text": ""})
                self._put(block, "citations_delta", "citation", citation_of(piece.item))
                block.ended = True
            case Image():
                self._text(f"![image]({piece.url})")
            case Refusal():
                self.refusal.append(piece.text)
            case Logprobs():
                pass  # nobody can ask for them in this dialect

    def end(self) -> None:
        """End all blocks."""
        while self._queue:
            self._shut()

    def _last(self, kind: str) -> _Block | None:
        last = self._queue[-1] if self._queue else None
        return last if last is not None and last.kind == kind else None

    def _text(self, text: str) -> None:
        block = self._last("text")
        if block is None or block.ended:
            block = self._begin("text", {"type": "text", "text": ""})
        self._put(block, "text_delta", "text", text)

    def _thought(self, text: str) -> None:
        if self._shows_thoughts:
            self._put(self._thinking(), "thinking_delta", "thinking", text)

    def _thinking(self) -> _Block:
        block = self._last("thinking")
        if block is None or block.ended:
            empty = {"type": "thinking", "thinking": "", "signature": ""}
            block = self._begin("thinking", empty)
        return block

    def _detail(self, item: Item) -> None:
        kind, is_claudes = item.get("type"), item.get("format") == FORMAT
        if item.get("id") is not None and item.get("id") in self._signed:
            return
        if is_claudes and kind == "reasoning.encrypted" and item.get("index") is None:
            said = {"type": "redacted_thinking", "data": as_text(item.get("data"))}
            self._begin("redacted_thinking", said).ended = True
            return
        last = self._last("thinking")
        if (last is None or last.ended) and is_claudes and item.get("signature"):
            last = self._thinking()
            if self._shows_thoughts and item.get("text"):
                self._put(last, "thinking_delta", "thinking", item["text"])
        if last is None or last.ended:
            self._foreign(item)
            return
        _grow(last.items, item)
        last.ended = is_claudes and bool(item.get("signature"))

    def _foreign(self, item: Item) -> None:
        """Take an item that stands for itself: it is wrapped with those beside it."""
        block = self._last("redacted_thinking")
        if block is None or block.ended:
            block = self._begin("redacted_thinking", {})
        _grow(block.items, item)

    def _call(self, piece: ToolCall) -> None:
        block = self._calls.get(piece.position)
        if block is None:
            id_ = piece.id or f"{self._id_prefix}_{piece.position}"
            if piece.signature:
                self._signed.add(id_)
                hidden = {"type": "reasoning.encrypted", "data": piece.signature}
                self._foreign({**hidden, "format": _GEMINI, "id": id_})
            said: Item = {"type": "tool_use", "id": id_, "name": piece.name or "", "input": {}}
            block = self._calls[piece.position] = self._begin("tool_use", said)
        if piece.arguments and not block.ended:
            block.arguments.append(piece.arguments)
            self._put(block, "input_json_delta", "partial_json", piece.arguments)
            self._go_on()

    def _begin(self, kind: str, said: Mapping[str, object]) -> _Block:
        block = _Block(kind, said)
        self._queue.append(block)
        if len(self._queue) == 1:
            self._show(block)
        else:
            self._go_on()
        return block

    def _go_on(self) -> None:
        """End the blocks that are whole and are followed by another."""
        while len(self._queue) > 1 and self._queue[0].is_whole:
            self._shut()

    def _put(self, block: _Block, kind: str, name: str, piece: object) -> None:
        if block is self._queue[0]:
            self._sink.delta(kind, name, piece)
        else:
            block.waiting.append((kind, name, piece))

    def _show(self, block: _Block) -> None:
        if block.said:
            self._sink.open(block.said)
        for delta in block.waiting:
            self._sink.delta(*delta)

    def _shut(self) -> None:
        block = self._queue.pop(0)
        block.ended = True
        if block.kind == "thinking" and block.items:
            self._sink.delta("signature_delta", "signature", _signature(block.items))
        elif not block.said:
            self._sink.open({"type": "redacted_thinking", "data": wrap(block.items)})
        self._sink.close()
        if self._queue:
            self._show(self._queue[0])


def is_whole_object(text: str) -> bool:
    """Tell whether a text is one JSON object."""
    if not text.rstrip().endswith("}"):
        return False
    try:
        return is_object(parse(text))
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False


def _grow(items: list[Item], item: Item) -> None:
    """Add an item; pieces of one item, which bear the same index, become one."""
    last = items[-1] if items else {}
    index, kind = item.get("index"), item.get("type")
    if index is None or last.get("index") != index or last.get("type") != kind:
        items.append(item)
        return
    for key, value in item.items():
        if key in _GROWING and isinstance(value, str):
            last[key] = as_text(last.get(key)) + value
        elif value is not None:
            last[key] = value


def _signature(items: list[Item]) -> str:
    """Return what Claude signed as it signed it, anything else wrapped."""
    only = items[0]
    is_claudes = len(items) == 1 and only.get("format") == FORMAT
    if is_claudes and only.get("type") == "reasoning.text" and only.get("signature"):
        return as_text(only.get("signature"))
    return wrap(items)
