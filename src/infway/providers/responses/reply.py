"""What a Responses reply says: output items, heard in pieces, finished, or all at once.

A server may send a text in pieces, say it again when the part is done, again when the item is,
and again in the response that ends the stream; or only in one of these. What was heard is kept,
so that everything is said once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from infway.kernel.events import (
    Annotation,
    Detail,
    Event,
    Image,
    Logprobs,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from infway.providers.responses.items import (
    ARGUMENTS,
    CALLS,
    REFUSAL,
    SUMMARY,
    TEXT,
    THOUGHT,
    Channel,
    cited,
    details,
    image_of,
    message_parts,
    parts_of,
    probable,
)
from infway.providers.shapes import Object, as_objects, as_text, as_word

_Piece = tuple[str, int]  # a channel's key and the place of a part in it
_PARAGRAPH = "\n\n"  # between the parts of the reasoning, which are paragraphs of their own


@dataclass(slots=True, eq=False)
class Item:
    """One output item, as far as it was heard.

    `start`: the characters of the answer before it. `position`: which call it is, None while it
    is none. `sources` and `tokens`: how many annotations and log probabilities were passed on.
    """

    kind: str
    start: int
    name: str | None = None
    position: int | None = None
    pieces: dict[_Piece, list[str]] = field(default_factory=dict[_Piece, list[str]])
    sources: int = 0
    tokens: int = 0
    is_closed: bool = False

    def said(self, channel: str) -> str:
        """Return all that was heard in a channel."""
        return "".join(
            piece for key, pieces in self.pieces.items() if key[0] == channel for piece in pieces
        )


class Reply:
    """One reply so far. `id`: the response's own name."""

    def __init__(self) -> None:
        self.id = ""
        self.items: list[Item] = []
        self.calls = 0
        self._at: dict[object, Item] = {}
        self._length = 0
        self._paragraph: object = None

    def open(self, key: object, raw: Object) -> Iterator[Event]:
        """Hear that an item begins; what it holds by then comes again when it is done."""
        kind, name = as_text(raw.get("type")), as_word(raw.get("call_id") or raw.get("id"))
        item = self._at.get(key)
        if item is None or item.is_closed or item.kind != kind or item.name not in (None, name):
            item = self._new(key, kind)
            item.name = name
        yield from self._begin(item, raw)

    def hear(self, channel: Channel, key: object, place: int, piece: str) -> Iterator[Event]:
        """Hear a piece of an item."""
        item = self._at.get(key)
        if item is None or item.kind != channel.kind:
            item = self._new(key, channel.kind)
        return self._say(item, channel, place, piece)

    def complete(self, channel: Channel, key: object, place: int, text: str) -> Iterator[Event]:
        """Hear the whole of a part, and say what is new in it."""
        item = self._at.get(key)
        said = "".join(item.pieces.get((channel.key, place), ())) if item is not None else ""
        if text.startswith(said):
            yield from self.hear(channel, key, place, text[len(said) :])

    def cite(self, key: object, place: int, raw: Object) -> Iterator[Event]:
        """Hear where something in a part comes from."""
        item = self._at.get(key)
        if item is not None:
            item.sources += 1
            yield Annotation(cited(raw, item.start + _before(item, place)))

    def weigh(self, key: object, tokens: Sequence[Object]) -> Iterator[Event]:
        """Hear the log probabilities of a piece."""
        item = self._at.get(key)
        if item is not None and tokens:
            item.tokens += len(tokens)
            yield Logprobs([probable(token) for token in tokens])

    def close(self, key: object, raw: Object) -> Iterator[Event]:
        """Hear that an item is done, and say what is new in it."""
        item = self._at.get(key)
        kind = as_text(raw.get("type"))
        if item is None or item.kind != kind or item.is_closed:
            item = self._new(key, kind)
        yield from self._finish(item, raw)

    def settle(self, output: Sequence[Object]) -> Iterator[Event]:
        """Hear all items of the finished reply: of each kind, the first one is the first heard."""
        heard = list(self.items)
        for raw in output:
            kind = as_text(raw.get("type"))
            item = next((one for one in heard if one.kind == kind), None)
            if item is None:
                item = self._new(None, kind)
            else:
                heard.remove(item)
            if not item.is_closed:
                yield from self._finish(item, raw)
        for item in self.items:
            if item.position is not None and not item.pieces:
                yield from self._say(item, ARGUMENTS, 0, "{}")

    def _new(self, key: object, kind: str) -> Item:
        item = self._at[key] = Item(kind, self._length)
        self.items.append(item)
        return item

    def _begin(self, item: Item, raw: Object) -> Iterator[Event]:
        """Say a call's id and name, once they are known."""
        name = as_word(raw.get("name"))
        if item.kind not in CALLS or item.position is not None or name is None:
            return
        item.position, self.calls = self.calls, self.calls + 1
        made = f"call_{item.position}_{self.id[-8:]}"
        id_ = as_word(raw.get("call_id")) or as_word(raw.get("id")) or made
        yield ToolCall(item.position, "", id=id_, name=name)

    def _say(self, item: Item, channel: Channel, place: int, piece: str) -> Iterator[Event]:
        """Say a piece and keep it; that of a call whose name is not known comes again later."""
        if not piece or (channel is ARGUMENTS and item.position is None):
            return
        key = channel.key, place
        pieces = item.pieces.get(key)
        if pieces is None:
            pieces = item.pieces[key] = []
        pieces.append(piece)
        if channel is TEXT:
            self._length += len(piece)
            yield Text(piece)
        elif channel is REFUSAL:
            yield Refusal(piece)
        elif channel is ARGUMENTS:
            yield ToolCall(item.position or 0, piece)
        else:
            yield Reasoning(self._joint(pieces) + piece)

    def _joint(self, pieces: list[str]) -> str:
        """Return what stands before a piece of the reasoning: nothing within a paragraph."""
        before, self._paragraph = self._paragraph, pieces
        return "" if before is None or before is pieces else _PARAGRAPH

    def _finish(self, item: Item, raw: Object) -> Iterator[Event]:
        item.is_closed = True
        yield from self._begin(item, raw)
        for channel in (THOUGHT, SUMMARY, TEXT, REFUSAL, ARGUMENTS):
            yield from self._rest(item, channel, parts_of(channel, raw))
        yield from self._sources(item, raw)
        for detail in details(raw):
            yield Detail(detail)
        picture = image_of(raw)
        if picture is not None:
            yield Image(picture)

    def _rest(self, item: Item, channel: Channel, texts: list[str]) -> Iterator[Event]:
        """Say what was not heard yet of parts in their order; nothing if they differ from it."""
        heard = item.said(channel.key)
        for place, text in enumerate(texts):
            if heard.startswith(text):
                heard = heard[len(text) :]
            elif text.startswith(heard):
                yield from self._say(item, channel, place, text[len(heard) :])
                heard = ""
            else:
                return

    def _sources(self, item: Item, raw: Object) -> Iterator[Event]:
        """Say the annotations and log probabilities that were not heard yet."""
        sources: list[Object] = []
        tokens: list[Object] = []
        start = item.start
        for part in message_parts(raw):
            sources += [cited(one, start) for one in as_objects(part.get("annotations"))]
            tokens += as_objects(part.get("logprobs"))
            start += len(as_text(part.get("text")))
        for source in sources[item.sources :]:
            yield Annotation(source)
        if tokens[item.tokens :]:
            yield Logprobs([probable(token) for token in tokens[item.tokens :]])


def _before(item: Item, place: int) -> int:
    """Return the characters of an item's text before one of its parts."""
    return sum(
        len(piece)
        for (channel, part), pieces in item.pieces.items()
        if channel == TEXT.key and part < place
        for piece in pieces
    )
