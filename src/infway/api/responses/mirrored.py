"""Replies of upstreams that speak Responses themselves: passed on, but for what is infway's own.

Frames stay byte for byte as they came, except those that hold the response.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import msgspec

from infway.api.responses.frames import DONE, Frames, broken, fail
from infway.api.withheld import before_failure
from infway.kernel.events import Broken, Event, Raw
from infway.providers.shapes import costless
from infway.providers.sse import frames

_Fields = dict[str, msgspec.Raw]
_read = msgspec.json.Decoder(_Fields).decode
_read_text = msgspec.json.Decoder(str).decode
_write = msgspec.json.Encoder().encode
_HOLDS = b'"response":'  # inside of a text its quotes would be escaped
_ITEM = b"response.output_item.done"
_ENDS = frozenset({"response.completed", "response.done", "response.incomplete", "response.failed"})
_NUMBER = re.compile(rb'"sequence_number":\s*(\d+)')
_EMPTY = frozenset({b"[]", b"null", b""})

Own = Mapping[str, object]


def patched(data: bytes, own: Own) -> tuple[str, bytes]:
    """Return the status of a response, and the response with the fields that are infway's.

    What it cost the upstream is left out.
    """
    fields: dict[str, object] = {**_read(data)}
    usage = fields.get("usage")
    if isinstance(usage, msgspec.Raw) and b"cost" in bytes(usage).lower():
        fields["usage"] = None
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            fields["usage"] = costless(usage)
    fields.update(own)
    return _text(fields.get("status")) or "completed", _write(fields)


def _text(raw: object) -> str:
    """Return a text that is raw JSON, empty where it is none."""
    try:
        return _read_text(raw) if isinstance(raw, msgspec.Raw) else str(raw or "")
    except msgspec.DecodeError:
        return ""


class Mirrored:
    """Writes the stream of an upstream that speaks Responses.

    `own`: the response's fields that are infway's; `late`: those that are known at its end alone.
    `keep` hears the status and the body of the response when it is over.
    """

    def __init__(
        self, own: Own, late: Callable[[], Own], keep: Callable[[str, bytes], None]
    ) -> None:
        self._own = own
        self._late = late
        self._keep = keep
        self._response: dict[str, object] = {}
        self._items: list[msgspec.Raw] = []
        self._held: list[bytes] = []
        self._number = 0

    def encode(self, events: Sequence[Event]) -> bytes:
        """Return the frames of events; those from the end of the response on wait for `close`."""
        made: list[bytes] = []
        is_broken = bool(events) and isinstance(events[-1], Broken)
        for event in events:
            if isinstance(event, Raw):
                block = before_failure(event.data) if is_broken else event.data
                made.append(self._passed(block))
            elif isinstance(event, Broken):
                made.append(self._broken(event))
        return b"".join(made)

    def close(self) -> bytes:
        """Return the end of the response, with what is known now."""
        ended, *rest = self._held or [b""]
        if ended:
            ended, body, status = self._patched(ended, {**self._own, **self._late()})
            self._keep(status, body)
        end = ended + b"".join(rest)
        return end if end.endswith(DONE) else end + DONE

    def cut(self) -> bytes:
        """Return the sentinel."""
        return DONE

    def _passed(self, block: bytes) -> bytes:
        """Return a block of frames with infway's fields in each response."""
        if _HOLDS in block or _ITEM in block or self._held:
            events = [event + b"\n\n" for event in block.split(b"\n\n") if event]
            block = b"".join([self._frame(event) for event in events])
        for found in _NUMBER.finditer(block):
            self._number = max(self._number, int(found[1]) + 1)
        return block

    def _frame(self, frame: bytes) -> bytes:
        """Return one frame, nothing where it has to wait."""
        if self._held:
            self._held.append(frame)
            return b""
        if _HOLDS not in frame and _ITEM not in frame:
            return frame
        fields = _fields(frame)
        kind = _text(fields.get("type"))
        if kind == _ITEM.decode() and "item" in fields:
            self._items.append(fields["item"])
        if kind in _ENDS:
            self._held.append(frame)
            return b""
        return self._patched(frame, self._own)[0] if "response" in fields else frame

    def _patched(self, frame: bytes, own: Own) -> tuple[bytes, bytes, str]:
        """Return a frame with infway's fields, the whole response in it, and its status."""
        fields = _fields(frame)
        status, response = patched(bytes(fields.get("response", b"{}")), own)
        self._response = {**_read(response)}
        name = frame.partition(b"data:")[0] if frame.startswith(b"event:") else b""
        said: dict[str, object] = {**fields, "response": msgspec.Raw(response)}
        if bytes(_raw(self._response.get("output"))) in _EMPTY and self._items:
            self._response["output"] = self._items
        return name + b"data: " + _write(said) + b"\n\n", _write(self._response), status

    def _broken(self, event: Broken) -> bytes:
        told = Frames(self._number)
        response = {"object": "response", "output": self._items, **self._response, **self._own}
        self._keep("failed", fail(told, broken(event.failure), response))
        return told.take()


def _raw(value: object) -> bytes | msgspec.Raw:
    return value if isinstance(value, msgspec.Raw) else b""


def _fields(frame: bytes) -> _Fields:
    """Return the fields of a frame, none where it holds no object."""
    found = frames(frame)
    try:
        return _read(found[0].data) if found else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
