"""Streams of the OpenAI dialect: frames that need no change are passed on as they came.

Only those that matter (the first, finish, usage, error, reasoning) are read.
"""

import re

import msgspec

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Broken, Event, Finish, Verbatim
from infway.kernel.faults import Failure, Fault
from infway.providers.openai.faults import inband_fault
from infway.providers.openai.objects import (
    Fields,
    chunk_of,
    fields_of,
    index_of,
    is_text,
    read_fields,
)
from infway.providers.sse import Frame, Framer, frames

# What makes a block of frames worth reading, in compact and in spaced JSON. None of these can
# stand inside a JSON string, where quotes are escaped; `[DONE]` can, and then costs only time.
_COMPACT = (
    b'"finish_reason":"',
    b'"usage":{',
    b'"error":',
    b'"reasoning_content":"',
    b'"reasoning":"',
    b'"content":[{"type"',
    b'"id":""',
    b'"index":1',  # a second choice, or a second tool call
    b"[DONE]",
)
_UNSPACED = re.compile(rb'":(?! )')
_SPACED = tuple(mark.replace(b":", b": ") for mark in _COMPACT)

# How frames end; one that was cut short ends otherwise, and is looked at
_TAILS = (b"}]}\n\n", b"null}\n\n", b"}\n\n", b"\n\n")
_NOTHING = (b"", b"null")
_IDLE = re.compile(rb"(?::[^\n]*+\n|\n)++")  # comments and blank lines: one look, no memory
_WINDOW = 16 * 1024  # bytes that are searched ahead at once: a long read costs linear time
_OWNED = frozenset({"id", "model"})  # the root fields that infway writes anew


class Decoder:
    """Reads one streamed reply."""

    def __init__(self) -> None:
        self.done = False
        self._framer = Framer()
        self._prefix = self._tail = b""
        self._marks: tuple[bytes, ...] = _COMPACT
        self._content = False
        self._open: set[int] = set()  # choices that have begun and are not finished
        self._closed: set[int] = set()
        self._counted = False
        self._calls = False
        self._waiting: Fields = {}

    def feed(self, data: bytes) -> list[Event]:
        """Return the events in `data`; a block of plain content frames stays one Verbatim."""
        if self.done:
            return []
        block = self._framer.feed(data)
        self._calls = self._calls or b'"tool_calls":[{' in block
        if not block.isascii() and not is_text(block):
            return self._read(block)
        events: list[Event] = []
        start, size = 0, len(block)
        while start < size and not self.done:
            end = self._plain_until(block, start)
            if end > start:
                plain = block if end - start == size else block[start:end]
                events.append(Verbatim(plain, plain.count(b"\n\n"), self._prefix))
            elif (idle := _IDLE.match(block, start)) is not None:
                end = idle.end()
            else:
                end = _frame_end(block, start)
                events += self._read(block[start:end])
            start = end
        return events

    def _plain_until(self, block: bytes, start: int) -> int:
        """Return where the run of frames that need no reading ends; `start` if there is none."""
        prefix = self._prefix
        if not prefix or not block.startswith(prefix, start):
            return start
        end = len(block)
        if end - start > _WINDOW:
            cut = block.rfind(b"\n\n", start, start + _WINDOW)
            if cut < 0:
                return start
            end = cut + 2
        for mark in self._marks:
            found = block.find(mark, start, end)
            if found >= 0:
                cut = block.rfind(b"\n\n", start, found)
                if cut < 0:
                    return start
                end = cut + 2
        ends = block.count(b"\n\n", start, end)
        alike = block.count(b"\n\n" + prefix, start, end) + 1 == ends
        if alike and block.count(self._tail, start, end) == ends:
            return end
        first = _frame_end(block, start)
        # a stranger is further on, or it is this one: one frame at a time
        return first if block.endswith(self._tail, start, first) else start

    def close(self) -> list[Event]:
        """A stream without a finish was cut; one without any content never was an answer."""
        if self.done:
            return []
        self.done = True
        return self._ending()

    def _told_end(self) -> list[Event]:
        """Return what the end mark means: some vendors give usage and no reason (Snowflake)."""
        if not self._counted or not self._open:
            return self._ending()
        reason = "tool_calls" if self._calls else "stop"
        return [Finish(index, reason, None) for index in sorted(self._open)]

    def _ending(self) -> list[Event]:
        if self._closed and not self._open:
            return []
        fault = Fault.STREAM_CUT if self._content else Fault.EMPTY_STREAM
        return [Broken(Failure(fault, 200))]

    def _read(self, block: bytes) -> list[Event]:
        events: list[Event] = []
        for frame in frames(block):
            data = frame.data.strip()
            if data == b"[DONE]":
                self.done = True
                return events + self._told_end()
            # empty data only keeps the line open, and so does the null of llama.cpp
            event = self._event(frame) if data not in _NOTHING else None
            if event is not None:
                events.append(event)
                if isinstance(event, Broken):
                    self.done = True
                    break
        return events

    def _event(self, frame: Frame) -> Event | None:
        try:
            fields = fields_of(frame.data, Fault.BAD_EVENT)
            if "error" in fields and bytes(fields["error"]) != b"null":
                return Broken(inband_fault(bytes(fields["error"])))
            if frame.event == b"error":
                return Broken(inband_fault(frame.data))
            chunk = chunk_of(fields, Fault.BAD_EVENT)
        except UpstreamFailed as failed:
            return Broken(failed.failure)
        if not chunk.content and chunk.usage is None:
            # root fields of a frame without choices (Azure's prompt filter) go with the next one
            self._waiting.update(fields)
            return None
        if self._waiting:
            chunk = chunk._replace(fields={**self._waiting, **chunk.fields})
            self._waiting = {}
        self._content = self._content or chunk.content
        self._counted = self._counted or (chunk.usage is not None and not chunk.content)
        self._closed.update(finish.index for finish in chunk.finishes)
        self._open.update(index_of(choice, 0) for choice in chunk.choices)
        self._open -= self._closed
        self._learn(frame.data, fields)
        return chunk

    def _learn(self, data: bytes, fields: Fields) -> None:
        """Learn how frames begin and how their JSON is spaced, where one choice is streamed."""
        self._prefix = b""
        if len(self._open | self._closed) > 1 or b"\n" in data:
            return
        if b'": ' not in data and b'" :' not in data:
            self._marks = _COMPACT
        elif _UNSPACED.search(data) is None:
            self._marks = _SPACED
        else:
            return
        self._prefix = _prefix(data, fields)
        self._tail = next(tail for tail in _TAILS if (data + b"\n\n").endswith(tail))


def _frame_end(block: bytes, start: int) -> int:
    """Return where a frame ends; a line feed alone is left of blank lines that keep a line open."""
    end = block.find(b"\n\n", start)
    return len(block) if end < 0 else end + 2


def _prefix(data: bytes, fields: Fields) -> bytes:
    """Return how this frame begins, up to `"choices":`, or nothing where that is not the root's."""
    cut = data.find(b'"choices":')
    if cut < 0 or "choices" not in fields:
        return b""
    before = list(fields)[: list(fields).index("choices")]
    if not _OWNED.issubset(before):
        return b""
    try:
        if list(read_fields(data[:cut] + b'"choices":[]}')) != [*before, "choices"]:
            return b""
    except msgspec.DecodeError:
        return b""
    return b"data: " + data[:cut]
