"""Streams whose events are JSON objects: they are cut out here, a reader knows what they mean."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Protocol

from infway.kernel.errors import UpstreamFailed
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


class Cutter(Protocol):
    """Where one object of a stream ends and the next begins."""

    def cut(self, data: bytes) -> Iterable[Object | None]:
        """Return the objects that are whole with `data`, None for a sign that stands behind them.

        Raises UpstreamFailed behind the last one that can be read.
        """
        ...


class ObjectDecoder:
    """Reads one streamed reply. `cutter`: what cuts it, where it is no server-sent events."""

    def __init__(self, reader: Reader, cutter: Cutter | None = None) -> None:
        self._reader = reader
        self._cutter = Frames() if cutter is None else cutter

    @property
    def done(self) -> bool:
        """Whether the reply is over."""
        return self._reader.done

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that are complete with `data`."""
        reader = self._reader
        events: list[Event] = []
        if reader.done:
            return events
        try:
            for event in self._cutter.cut(data):
                events += reader.close() if event is None else reader.read(event)
                if reader.done:
                    break
        except UpstreamFailed as failed:
            events += reader.fail(failed.failure)
        return events

    def close(self) -> list[Event]:
        """A stream without its last event was cut; one without any content never was an answer."""
        return self._reader.close()


class Frames:
    """Cuts server-sent events."""

    def __init__(self) -> None:
        self._framer = Framer()

    def cut(self, data: bytes) -> Iterator[Object | None]:
        """Yield the objects of the frames that are whole with `data`; raises UpstreamFailed."""
        for frame in frames(self._framer.feed(data)):
            if not frame.data.strip():
                continue  # it only keeps the line open
            if frame.data == _DONE:
                yield None
                return
            event = read_object(frame.data)
            if event is None:
                raise UpstreamFailed(Failure(Fault.BAD_EVENT, 200))
            yield event
