"""Streams whose events are JSON objects: frames are cut here, a reader knows what they mean."""

from abc import ABC, abstractmethod

from infway.kernel.events import Broken, Event
from infway.kernel.faults import Failure, Fault
from infway.providers.shapes import Object, read_object
from infway.providers.sse import Framer, frames

_DONE = b"[DONE]"  # stands behind the last event at some vendors


class Reader(ABC):
    """What the objects of one reply mean. `done`: it is over; `has_content`: it has begun."""

    def __init__(self) -> None:
        self.done = False
        self.has_content = False

    @abstractmethod
    def read(self, event: Object) -> list[Event]:
        """Return what one object means; kinds that are not known say nothing."""

    def fail(self, failure: Failure) -> list[Event]:
        """Return the end of a reply that cannot go on."""
        self.done = True
        return [Broken(failure)]

    def close(self) -> list[Event]:
        """Return what the end of the bytes means: a reply without its last event was cut."""
        if self.done:
            return []
        fault = Fault.STREAM_CUT if self.has_content else Fault.EMPTY_STREAM
        return self.fail(Failure(fault, 200))


class ObjectDecoder:
    """Reads one streamed reply."""

    def __init__(self, reader: Reader) -> None:
        self._framer = Framer()
        self._reader = reader

    @property
    def done(self) -> bool:
        """Whether the reply is over."""
        return self._reader.done

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that are complete with `data`."""
        events: list[Event] = []
        if self._reader.done:
            return events
        for frame in frames(self._framer.feed(data)):
            if not frame.data.strip():
                continue  # it only keeps the line open
            if frame.data == _DONE:
                return events + self._reader.close()
            event = read_object(frame.data)
            if event is None:
                return events + self._reader.fail(Failure(Fault.BAD_EVENT, 200))
            events += self._reader.read(event)
            if self._reader.done:
                break
        return events

    def close(self) -> list[Event]:
        """A stream without its last event was cut; one without any content never was an answer."""
        return self._reader.close()
