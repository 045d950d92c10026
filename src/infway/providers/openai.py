"""The OpenAI chat dialect, which most vendors speak.

Frames that need no change are passed on as they came; only those that matter (the first, finish,
usage, error, reasoning) are read. https://platform.openai.com/docs/api-reference/chat
"""

import re
from collections.abc import Mapping

import msgspec

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Broken, Chunk, Event, Finish, Verbatim
from infway.kernel.faults import Failure, Fault
from infway.providers.openai_choices import spelled
from infway.providers.openai_faults import fault_of, inband_fault
from infway.providers.openai_finishes import finish_of
from infway.providers.openai_history import without
from infway.providers.openai_limits import limits_of
from infway.providers.openai_usage import usage_of
from infway.providers.sse import Frame, Framer, frames

_HEADERS: Mapping[str, str] = {"content-type": "application/json"}
_STREAM_OPTIONS = msgspec.Raw(b'{"include_usage":true}')

# What makes a block of frames worth reading, in compact and in spaced JSON. None of these can
# stand inside a JSON string, where quotes are escaped; `[DONE]` can, and then costs only time.
_COMPACT = (
    b'"finish_reason":"',
    b'"usage":{',
    b'"error":',
    b'"reasoning_content":"',
    b'"reasoning":"',
    b'"content":[{"type"',
    b'"id":"","type":"function"',
    b'"index":1',  # a second choice, or a second tool call
    b"[DONE]",
)
_UNSPACED = re.compile(rb'":(?! )')
_SPACED = tuple(mark.replace(b":", b": ") for mark in _COMPACT)

_SPOKEN = ("messages", "tools")  # the root fields in which vendors' extensions may stand
_WINDOW = 16 * 1024  # bytes that are searched ahead at once: a long read costs linear time


_Fields = dict[str, msgspec.Raw]
_read_fields = msgspec.json.Decoder(_Fields).decode
_read_choices = msgspec.json.Decoder(list[_Fields]).decode
_read_index = msgspec.json.Decoder(int).decode
_write = msgspec.json.Encoder().encode
_NULL = msgspec.Raw(b"null")
_NONE = msgspec.Raw(b"[]")
_OWNED = frozenset({"id", "model"})  # the root fields that infway writes anew


class OpenAI:
    """The adapter of the dialect."""

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the caller's own fields with the model's native name and the row's quirks."""
        upstream = offer.upstream
        body: dict[str, object] = dict(upstream.defaults)
        body.update(ask.fields)
        body["model"] = offer.native
        if ask.stream:
            body["stream_options"] = _STREAM_OPTIONS
        for name, other in upstream.rename.items():
            if name in body:
                body.setdefault(other, body.pop(name))
        dropped = [name for name in upstream.drop & body.keys() if body.pop(name) is not None]
        for name in _SPOKEN if upstream.refuses else ():
            raw = body.get(name)
            if isinstance(raw, msgspec.Raw):
                body[name], lost = without(name, raw, upstream.refuses)
                dropped += lost
        url = upstream.chat_url.replace("{model}", offer.native)
        headers = upstream.headers or _HEADERS
        return HttpCall(upstream.name, url, headers, _write(body), _told(dropped))

    def whole(self, body: bytes) -> list[Event]:
        """Return one Chunk; raises UpstreamFailed where the body is not a whole reply."""
        fields = _fields(body, Fault.INVALID_JSON)
        if "error" in fields and bytes(fields["error"]) != b"null":
            raise UpstreamFailed(inband_fault(bytes(fields["error"])))
        chunk = _chunk(fields, Fault.INVALID_JSON, is_whole=True)
        filtered = {end.index for end in chunk.finishes if end.reason == "content_filter"}
        if not chunk.choices or any(
            place not in filtered and _is_null(choice.get("message"))
            for place, choice in enumerate(chunk.choices)
        ):
            raise UpstreamFailed(Failure(Fault.EMPTY_CHOICES, 200))
        return [chunk]

    def decoder(self) -> "Decoder":
        """Return a new decoder."""
        return Decoder()

    def limits(self, headers: Mapping[str, str]) -> tuple[float, float] | None:
        """Return what the rate-limit headers leave."""
        return limits_of(headers)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply by the vendor's code, then the status, then the text."""
        return fault_of(status, headers, body)


class Decoder:
    """Reads one streamed reply."""

    def __init__(self) -> None:
        self.done = False
        self._framer = Framer()
        self._prefix = b""
        self._marks: tuple[bytes, ...] = _COMPACT
        self._content = False
        self._open: set[int] = set()  # choices that have begun and are not finished
        self._closed: set[int] = set()
        self._counted = False
        self._calls = False
        self._waiting: _Fields = {}

    def feed(self, data: bytes) -> list[Event]:
        """Return the events in `data`; a block of plain content frames stays one Verbatim."""
        if self.done:
            return []
        block = self._framer.feed(data)
        self._calls = self._calls or b'"tool_calls":[{' in block
        if not _is_text(block):
            return self._read(block)
        events: list[Event] = []
        start, size = 0, len(block)
        while start < size and not self.done:
            end = self._plain_until(block, start)
            if end > start:
                plain = block if end - start == size else block[start:end]
                events.append(Verbatim(plain, plain.count(b"\n\n"), self._prefix))
            else:
                end = block.find(b"\n\n", start) + 2
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
        if block.count(b"\n\n" + prefix, start, end) + 1 == block.count(b"\n\n", start, end):
            return end
        return block.find(b"\n\n", start) + 2  # a stranger is further on: one frame at a time

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
            event = self._event(frame) if data else None  # empty data only keeps the line open
            if event is not None:
                events.append(event)
                if isinstance(event, Broken):
                    self.done = True
                    break
        return events

    def _event(self, frame: Frame) -> Event | None:
        try:
            fields = _fields(frame.data, Fault.BAD_EVENT)
            if "error" in fields and bytes(fields["error"]) != b"null":
                return Broken(inband_fault(bytes(fields["error"])))
            if frame.event == b"error":
                return Broken(inband_fault(frame.data))
            chunk = _chunk(fields, Fault.BAD_EVENT)
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
        self._open.update(_index(choice, 0) for choice in chunk.choices)
        self._open -= self._closed
        self._learn(frame.data, fields)
        return chunk

    def _learn(self, data: bytes, fields: _Fields) -> None:
        """Learn how frames begin and how their JSON is spaced, where one choice is streamed."""
        self._prefix = b""
        if len(self._open | self._closed) > 1:
            return
        if b'": ' not in data and b'" :' not in data:
            self._marks = _COMPACT
        elif _UNSPACED.search(data) is None:
            self._marks = _SPACED
        else:
            return
        self._prefix = _prefix(data, fields)


def _told(dropped: list[str]) -> tuple[str, ...]:
    """Return what the caller misses; the stream options are infway's own wish."""
    return tuple(sorted(name for name in dropped if name != "stream_options")) if dropped else ()


def _fields(data: bytes, fault: Fault) -> _Fields:
    """Read the root of a JSON object; raises UpstreamFailed(`fault`) where it is none."""
    try:
        if _is_text(data):
            return _read_fields(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UpstreamFailed(Failure(fault, 200)) from error
    raise UpstreamFailed(Failure(fault, 200))


def _is_text(data: bytes) -> bool:
    """Tell whether bytes are UTF-8; what is passed on or kept raw is checked by nobody else."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _chunk(fields: _Fields, fault: Fault, *, is_whole: bool = False) -> Chunk:
    """Read what matters of an object; raises UpstreamFailed(`fault`) where it is no chat reply.

    Every choice of a whole reply has ended, also where it does not say why.
    """
    raw = fields.get("choices", _NONE)
    try:
        usual = spelled(raw, _word(fields.get("created", _NULL)))
        if usual is not raw:
            raw = usual
            fields = {**fields, "choices": raw}
        choices = _read_choices(raw)
        finishes: list[Finish] = []
        for place, choice in enumerate(choices):
            said = choice.get("finish_reason", _NULL)
            if is_whole or not _is_empty(said):
                finishes.append(finish_of(choice, _index(choice, place)))
    except (msgspec.DecodeError, RecursionError) as error:
        raise UpstreamFailed(Failure(fault, 200)) from error
    usage = usage_of(fields.get("usage", _NULL))
    return Chunk(fields, choices, tuple(finishes), usage, bool(choices))


def _index(choice: Mapping[str, object], place: int) -> int:
    raw = choice.get("index")
    if not isinstance(raw, msgspec.Raw):
        return place
    return 0 if bytes(raw) == b"0" else _read_index(raw)


def _is_empty(raw: msgspec.Raw) -> bool:
    return bytes(raw) in (b"null", b'""')


def _word(raw: msgspec.Raw) -> str:
    """Return a number or a word as letters and digits."""
    return "".join(filter(str.isalnum, bytes(raw).decode()))


def _is_null(raw: object) -> bool:
    return not isinstance(raw, msgspec.Raw) or bytes(raw) == b"null"


def _prefix(data: bytes, fields: _Fields) -> bytes:
    """Return how this frame begins, up to `"choices":`, or nothing where that is not the root's."""
    cut = data.find(b'"choices":')
    if cut < 0 or "choices" not in fields:
        return b""
    before = list(fields)[: list(fields).index("choices")]
    if not _OWNED.issubset(before):
        return b""
    try:
        if list(_read_fields(data[:cut] + b'"choices":[]}')) != [*before, "choices"]:
            return b""
    except msgspec.DecodeError:
        return b""
    return b"data: " + data[:cut]
