"""Log probabilities in the format of text completions, where a server gives those of chats.

llama.cpp's server has one format for both; clients of text completions read four lists.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from infway.kernel.events import Chunk, Event, Verbatim
from infway.kernel.faults import Fault
from infway.providers.openai.objects import chunk_of, fields_of, index_of
from infway.providers.openai.stream import Decoder
from infway.providers.shapes import Object, as_object, as_objects, as_text, value_of
from infway.providers.sse import frames

_OF_CHATS = re.compile(rb'"logprobs"\s*:\s*\{\s*"content"\s*:\s*\[')
_write = msgspec.json.Encoder().encode


class Lists:
    """Rewrites the choices of one reply. An offset counts characters of its choice's text."""

    def __init__(self) -> None:
        self._offsets: dict[int, int] = {}

    def of(self, chunk: Chunk) -> Chunk:
        """Return a reply, or a piece of one, with its log probabilities in lists."""
        raw = chunk.fields.get("choices")
        if not isinstance(raw, msgspec.Raw) or _OF_CHATS.search(bytes(raw)) is None:
            return chunk
        choices = [self._choice(choice, place) for place, choice in enumerate(chunk.choices)]
        fields = {**chunk.fields, "choices": msgspec.Raw(_write(choices))}
        return chunk._replace(fields=fields, choices=choices)

    def _choice(self, choice: Mapping[str, object], place: int) -> Mapping[str, object]:
        said = as_object(value_of(choice.get("logprobs")))
        if "content" not in said:
            return choice
        tokens = as_objects(said["content"])
        index = index_of(choice, place)
        texts = [as_text(token.get("token")) for token in tokens]
        lists = {
            "tokens": texts,
            "token_logprobs": [token.get("logprob") for token in tokens],
            "top_logprobs": [_top(token) for token in tokens],
            "text_offset": list(self._passed(index, texts)),
        }
        return {**choice, "logprobs": msgspec.Raw(_write(lists))}

    def _passed(self, index: int, texts: Iterable[str]) -> Iterator[int]:
        for text in texts:
            offset = self._offsets.get(index, 0)
            yield offset
            self._offsets[index] = offset + len(text)


class ListingDecoder:
    """Decodes one stream, with its log probabilities in lists."""

    def __init__(self) -> None:
        self._inner = Decoder()
        self._lists = Lists()

    @property
    def done(self) -> bool:
        """Whether the reply is over."""
        return self._inner.done

    def feed(self, data: bytes) -> list[Event]:
        """Return the events in `data`."""
        return [told for event in self._inner.feed(data) for told in self._told(event)]

    def close(self) -> list[Event]:
        """Return what the end of the bytes means."""
        return self._inner.close()

    def _told(self, event: Event) -> Sequence[Event]:
        if isinstance(event, Chunk):
            return (self._lists.of(event),)
        if isinstance(event, Verbatim) and _OF_CHATS.search(event.block) is not None:
            read = [fields_of(frame.data, Fault.BAD_EVENT) for frame in frames(event.block)]
            return [self._lists.of(chunk_of(fields, Fault.BAD_EVENT)) for fields in read]
        return (event,)


def _top(token: Object) -> dict[str, object]:
    """Return the most likely tokens at one place, with their log probabilities."""
    others = as_objects(token.get("top_logprobs"))
    return {as_text(other.get("token")): other.get("logprob") for other in others}
