"""Ollama's own chat dialect, as an upstream's.

https://docs.ollama.com/api/chat. What is sent is written by `request`, what comes is read
by `reply`; here stands the framing of a stream: one JSON object a line, the last of them
with `done`.
"""

from collections.abc import Mapping

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Broken, Event
from infway.kernel.faults import Failure, Fault
from infway.providers.ndjson import LineFramer
from infway.providers.ollama.faults import fault_of
from infway.providers.ollama.reply import Reply, read_line
from infway.providers.ollama.request import call_of


class Ollama:
    """The adapter of the dialect."""

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call; raises UpstreamFailed(untranslatable) for what has no words in it."""
        return call_of(ask, offer)

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole reply; raises UpstreamFailed where it is none."""
        line = read_line(body, Fault.INVALID_JSON)
        reply = Reply()
        events = reply.read(line)
        if line.message is None or not reply.done:
            raise UpstreamFailed(Failure(Fault.EMPTY_CHOICES, 200))
        return events

    def decoder(self) -> "Decoder":
        """Return a new decoder."""
        return Decoder()

    def limits(self, headers: Mapping[str, str]) -> None:
        """Know no limits."""

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply by its sentence, then by its status."""
        return fault_of(status, headers, body)


class Decoder:
    """Reads one streamed reply."""

    def __init__(self) -> None:
        self.done = False
        self._framer = LineFramer()
        self._reply = Reply()

    def feed(self, data: bytes) -> list[Event]:
        """Return the events of the lines that are complete with `data`."""
        if self.done:
            return []
        events: list[Event] = []
        try:
            for line in self._framer.feed(data):
                events += self._reply.read(read_line(line, Fault.BAD_EVENT))
                if self._reply.done:
                    self.done = True
                    break
        except UpstreamFailed as failed:
            return events + self._fail(failed.failure)
        return events

    def close(self) -> list[Event]:
        """A reply whose last object did not come was cut; the line end behind it may be missing."""
        if self.done:
            return []
        try:
            events = self._reply.read(read_line(self._framer.rest(), Fault.STREAM_CUT))
        except UpstreamFailed as failed:
            if failed.failure.fault is not Fault.STREAM_CUT:
                return self._fail(failed.failure)
            events = []
        if self._reply.done:
            self.done = True
            return events
        fault = Fault.STREAM_CUT if self._reply.begun else Fault.EMPTY_STREAM
        return events + self._fail(Failure(fault, 200))

    def _fail(self, failure: Failure) -> list[Event]:
        self.done = True
        return [Broken(failure)]
