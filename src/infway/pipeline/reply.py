"""A reply that has begun: its first events are here, the others come as the upstream sends them."""

from collections.abc import AsyncGenerator, Callable

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Broken, Event
from infway.kernel.faults import Failure, Fault
from infway.pipeline.settle import Attempt
from infway.pipeline.stall import StallGuard
from infway.providers.adapter import Decoder
from infway.upstream.client import Response

# What a stream's faults are called before anything of it was passed on, when others may still try.
_EARLY = {Fault.STREAM_CUT: Fault.EMPTY_STREAM, Fault.BAD_EVENT: Fault.INVALID_JSON}


class Reply:
    """An answer that has begun: its first events are here, the others come by `batches()`.

    `at_end` is told how a stream ended, once, on every way out.
    """

    def __init__(
        self,
        attempt: Attempt,
        first: list[Event],
        stream: tuple[Response, Decoder] | None,
        ended: Callable[[Attempt, Failure | None], None],
        deadline: float,
    ) -> None:
        self.attempt = attempt
        self.offer = attempt.offer
        self.first = first
        self._stream = stream
        self._ended = ended
        self._deadline = deadline
        self.at_end: Callable[[Failure | None], None] | None = None

    async def batches(self) -> AsyncGenerator[list[Event], None]:
        """Yield the events as they come, those of one read together; `Broken` is the last.

        Must be closed (`aclosing`): leaving it early ends the upstream's reply at once.
        """
        if self._stream is None:
            yield self.first
            return
        response, decoder = self._stream
        left = _verdict(self.first) if decoder.done else Failure(Fault.CLIENT_GONE)
        try:
            yield self.first
            with StallGuard(self.offer.upstream.timeouts.idle, self._deadline) as guard:
                while not decoder.done:
                    events = await _next_events(response, decoder, guard)
                    self.attempt.see(events)
                    left = _verdict(events) if decoder.done else left
                    if events:
                        yield events
        except UpstreamFailed as failed:
            left = failed.failure
            yield [Broken(failed.failure)]
        except Exception:
            left = Failure(Fault.OWN_FAULT)
            raise
        finally:
            self._ended(self.attempt, left)
            if self.at_end is not None:
                self.at_end(left)
            if left is not None:
                response.close()

    async def finish(self) -> None:
        """Give the connection back; after the last event has been passed on."""
        if self._stream is not None and self.attempt.failure is None:
            await self._stream[0].finish()


def _verdict(events: list[Event]) -> Failure | None:
    """Return how a reply ended whose last events these are."""
    last = events[-1] if events else None
    return last.failure if isinstance(last, Broken) else None


async def _next_events(response: Response, decoder: Decoder, guard: StallGuard) -> list[Event]:
    while True:
        guard.waiting = True
        try:
            data = await response.read_some()
        except UpstreamFailed:
            data = b""  # a stream that breaks has ended, and its decoder knows how
        guard.waiting = False
        events = decoder.feed(data) if data else decoder.close()
        if events:
            guard.heard()
        if events or decoder.done or not data:
            return events


async def first_events(response: Response, decoder: Decoder) -> list[Event]:
    """Wait for the first events; raises UpstreamFailed where none come."""
    while True:
        data = await _read_some(response)
        events = decoder.feed(data) if data else decoder.close()
        if events:
            return events
        if not data:
            raise UpstreamFailed(Failure(Fault.EMPTY_STREAM, 200))


def check_first(events: list[Event]) -> None:
    """Raise UpstreamFailed where a stream is over before anything of it was passed on."""
    last = events[-1]
    if isinstance(last, Broken):
        failure = last.failure
        early = _EARLY.get(failure.fault, failure.fault)
        raise UpstreamFailed(Failure(early, failure.status, failure.message, failure.param))


async def _read_some(response: Response) -> bytes:
    """Return what has come; a stream that breaks has ended, and its decoder knows how."""
    try:
        return await response.read_some()
    except UpstreamFailed:
        return b""
