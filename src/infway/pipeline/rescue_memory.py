"""What of an answer has been passed on, remembered so that another offer can go on with it.

Frames that are passed on as they came are kept by reference, and condensed in heaps: what they
have in common is cut out of the bytes, and nothing is read before the answer breaks off.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import chain

import msgspec

from infway.kernel.begun import Said
from infway.kernel.events import (
    Broken,
    Chunk,
    Event,
    Facts,
    Finish,
    Held,
    Joint,
    Reasoning,
    Text,
    Usage,
    Verbatim,
)
from infway.providers.openai.objects import index_of, is_null
from infway.providers.openai.opened import Opener

MOST = 1024 * 1024  # bytes of an answer's words; one that is longer is not rescued
_CONTENT = re.compile(rb'"delta":\{"content":"((?:[^"\\]|\\.)*)"')


class _Delta(msgspec.Struct):
    """What is passed on unread may say more than words; then it is opened as a whole."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: object = None
    function_call: object = None
    refusal: object = None
    audio: object = None
    images: object = None
    annotations: object = None
    reasoning_details: object = None

    def words(self) -> tuple[str, str] | None:
        """Return the text and the reasoning, None where more is said."""
        calls = self.tool_calls or self.function_call
        media = self.audio or self.images
        if calls or media or self.refusal or self.annotations or self.reasoning_details:
            return None
        return self.content or "", self.reasoning_content or self.reasoning or ""


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    index: int = 0
    logprobs: object = None


class _Frame(msgspec.Struct):
    choices: list[_Choice]


_read_frame = msgspec.json.Decoder(_Frame).decode
_read_delta = msgspec.json.Decoder(_Delta).decode
_read_text = msgspec.json.Decoder(str).decode


class Memory:
    """The words of one answer. `joined`: the tactic of its last joint, empty where there was none."""

    def __init__(self) -> None:
        self.joined = ""
        self._heap: list[list[Event]] = []
        self.keep = self._heap.append  # what is about to be passed on
        self._opener = Opener("delta")
        self._texts: list[str | bytes] = []  # bytes: of a JSON string, as they stood in it
        self._thoughts: list[str | bytes] = []
        self._size = 0
        self._is_words = True
        self._begun: set[int] = set()
        self._ended: set[int] = set()
        self._head = self._tail = b""

    @property
    def finished(self) -> bool:
        """Whether nothing was missing but the end mark."""
        self.condense()
        return bool(self._ended) and self._begun <= self._ended

    def said(self) -> Said | None:
        """Return what was said, None where it cannot be gone on with: it was more than words."""
        self.condense()
        if not self._is_words or self._ended or self._size > MOST:
            return None
        try:
            return Said(_joined(self._texts), _joined(self._thoughts), 0, frozenset(self._begun))
        except msgspec.DecodeError:
            return None

    def condense(self) -> None:
        """Keep no more of the frames than what they say."""
        block: list[Verbatim] = []
        for event in chain.from_iterable(self._heap):
            if isinstance(event, Verbatim) and (not block or event.prefix is block[0].prefix):
                block.append(event)
                continue
            self._verbatim(block)
            block = [event] if isinstance(event, Verbatim) else []
            if not block:
                self._take(event)
        self._verbatim(block)
        self._heap.clear()

    def _verbatim(self, events: list[Verbatim]) -> None:
        """Take frames that begin alike; where they end alike too, what is left is the text."""
        if not events or not self._is_words:
            return
        self._begun.add(0)
        head, tail = self._head, self._tail
        if head and head.startswith(events[0].prefix):
            frames = [frame for event in events for frame in _frames(event)]
            first, last = len(head), -len(tail)
            texts = [f[first:last] for f in frames if f.startswith(head) and f.endswith(tail)]
            text = b"".join(texts)
            if len(texts) == len(frames) and b'"' not in text.replace(b'\\"', b""):
                self._add(self._texts, text)
                return
        for event in events:
            self._read(event)

    def _read(self, event: Verbatim) -> None:
        for data in event.block.split(b"\n\n"):
            if not data:
                continue
            try:
                (choice,) = _read_frame(data[6:]).choices
                words = None if choice.delta is None else choice.delta.words()
            except (msgspec.DecodeError, ValueError):
                words = choice = None
            if words is None or choice is None or words[1] or choice.index or choice.logprobs:
                self._opened(self._opener.open([Verbatim(data + b"\n\n", 1, event.prefix)]))
                continue
            self._add(self._texts, words[0])
            found = _CONTENT.search(data, len(event.prefix))
            if found is not None:
                self._head, self._tail = data[: found.start(1)], data[found.end(1) :]

    def _chunk(self, event: Chunk) -> None:
        self._begun.update(_indexes(event))
        self._ended.update(finish.index for finish in event.finishes)
        words = _words_of(event.choices[0]) if len(event.choices) == 1 else None
        if words is None:
            self._opened(self._opener.open([event]))
            return
        text, thought = words
        if thought:
            self._take(Reasoning(thought))
        self._add(self._texts, text)

    def _opened(self, events: Iterable[Event]) -> None:
        for event in events:
            self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case Text():
                self._begun.add(event.index)
                self._add(self._texts, event.text)
            case Reasoning():
                self._is_words = self._is_words and not self._texts  # it comes before the answer
                self._begun.add(event.index)
                self._add(self._thoughts, event.text)
            case Chunk():
                self._chunk(event)
            case Finish():
                self._begun.add(event.index)
                self._ended.add(event.index)
            case Joint():
                self.joined = event.tactic
            case Facts() | Usage() | Held() | Broken():
                pass
            case _:
                self._is_words = False
        self._is_words = self._is_words and self._begun <= {0}

    def _add(self, words: list[str | bytes], text: str | bytes) -> None:
        if self._size <= MOST and text:
            self._size += len(text)
            words.append(text)


def _frames(event: Verbatim) -> list[bytes]:
    """Return the frames of a block without their blank lines."""
    return [event.block[:-2]] if event.frames == 1 else event.block[:-2].split(b"\n\n")


def _joined(words: list[str | bytes]) -> str:
    """Return words as one text; raises msgspec.DecodeError where they are none."""
    return "".join(
        [_read_text(b'"' + one + b'"') if isinstance(one, bytes) else one for one in words]
    )


def _words_of(choice: Mapping[str, object]) -> tuple[str, str] | None:
    """Return the text and the reasoning of a choice, None where it says more."""
    delta = choice.get("delta")
    if not isinstance(delta, msgspec.Raw) or not is_null(choice.get("logprobs")):
        return None
    try:
        return _read_delta(delta).words()
    except msgspec.DecodeError:
        return None


def _indexes(chunk: Chunk) -> set[int]:
    return {index_of(choice, place) for place, choice in enumerate(chunk.choices)}
