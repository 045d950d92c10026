"""A stream that is passed on: sounds as they come, events whole, and what they say of usage."""

import msgspec

from infway.kernel.chat import ChatRequest
from infway.kernel.events import Usage
from infway.kernel.faults import Failure
from infway.providers.openai.faults import inband_fault
from infway.providers.passing.measures import said
from infway.providers.shapes import value_of
from infway.providers.sse import Frame, Framer, frames

_LARGEST = 64 * 1024 * 1024  # bytes of one event: a picture of 4096 x 4096 in base64 fits
_NULL = msgspec.Raw(b"null")
_TELLING = (b'"usage"', b'"error"', b"event: error", b"event:error")
_ERROR = "error"  # the name or the type of an event that is one


class _Event(msgspec.Struct):
    usage: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL
    type: object = None


_read_event = msgspec.json.Decoder(_Event).decode
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Watch:
    """Looks at a stream of events that is passed on.

    `usage`: the last that was said. `failure`: an error that came as an event; neither it nor
    what follows is passed on.
    """

    def __init__(self, ask: ChatRequest) -> None:
        self.usage: Usage | None = None
        self.failure: Failure | None = None
        self._ask = ask
        self._framer = Framer(_LARGEST)

    def feed(self, data: bytes) -> bytes:
        """Return the events that are whole now; raises UpstreamFailed where one grows too large."""
        block = self._framer.feed(data)
        if any(word in block for word in _TELLING):
            return self._until_error(block)
        return block

    def close(self) -> bytes:
        """Return what is left at the end; a last event without its blank line gets it."""
        rest = self._framer.rest()
        return self.feed(b"\n\n") if rest.strip() else b""

    def _until_error(self, block: bytes) -> bytes:
        """Read the events of a block; return those before an error, all where there is none."""
        at = 0
        while at < len(block):
            end = block.index(b"\n\n", at) + 2
            for frame in frames(block[at:end]):
                self._read(frame)
            if self.failure is not None:
                return block[:at]
            at = end
        return block

    def _read(self, frame: Frame) -> None:
        try:
            event = _read_event(frame.data)
        except _BROKEN:
            event = _Event()
        self.usage = said(value_of(event.usage), self._ask) or self.usage
        if bytes(event.error) != b"null":
            self.failure = inband_fault(bytes(event.error))
        elif _ERROR in (frame.event.decode("latin-1"), event.type):
            self.failure = inband_fault(frame.data)
