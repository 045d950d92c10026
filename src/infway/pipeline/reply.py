"""A reply that has begun: its first events are here, the others come as the upstream sends them."""

from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import Protocol

from infway.kernel.errors import UpstreamFailed, leaving
from infway.kernel.events import Broken, Event
from infway.kernel.faults import Failure, Fault
from infway.pipeline.handed import Handed
from infway.pipeline.stall import Pace, StallGuard
from infway.pipeline.tried import Attempt
from infway.providers.adapter import Decoder
from infway.providers.sse import MAX_EVENT
from infway.upstream.client import Response

_HEAP = 1000  # pieces of an answer that are remembered as they came: some 300 KiB of frames
# What a stream's faults are called before anything of it was passed on, when others may still try.
_EARLY = {Fault.STREAM_CUT: Fault.EMPTY_STREAM, Fault.BAD_EVENT: Fault.INVALID_JSON}


class Rescuer(Protocol):
    """What finishes an answer elsewhere where it breaks off."""

    def keep(self, events: list[Event], /) -> None:
        """Remember events that are about to be passed on."""
        ...

    def condense(self) -> None:
        """Keep no more of what was passed on than what it says."""
        ...

    def is_whole(self, failure: Failure) -> bool:
        """Tell whether nothing but the end mark is missing of an answer that broke off so."""
        ...

    async def go_on(self, failure: Failure) -> "Reply":
        """Return the reply that goes on; raises UpstreamFailed, as the caller is told, if none does."""
        ...


class Reply:
    """An answer that has begun: its first events are here, the others come by `batches()`.

    `rescuer`: None where the answer is not rescued. `at_joint` is told of each reply that goes on
    with it; `at_end` how the answer ended, once, on every way out.
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
        self._broken: Failure | None = None
        self._look = min(attempt.most, _HEAP)
        self._is_over = False
        self._is_told = False
        self._next: Reply | None = None
        self.rescuer: Rescuer | None = None
        self.at_joint: Callable[[Reply], None] | None = None
        self.at_end: Callable[[Failure | None], None] | None = None

    async def batches(self) -> AsyncGenerator[list[Event], None]:
        """Yield the events as they come, those of one read together; `Broken` is the last.

        Must be closed (`Handed`): leaving it early ends the upstream's reply at once.
        """
        if self._stream is None:  # it came whole
            with _Ending(self._settle):
                yield self.first
            return
        response, decoder = self._stream
        with _Ending(self._settle):
            try:
                if self.rescuer is not None:
                    self.rescuer.keep(self.first)
                yield self.first
                with self._guard() as guard:
                    while not decoder.done:
                        events = await self._more(response, decoder, guard)
                        if events:
                            yield events
                if self._broken is not None and not self._is_told:
                    raise UpstreamFailed(self._broken)
            except UpstreamFailed as failed:
                async with Handed(self._rest(failed.failure)) as rest:
                    async for events in rest:
                        yield events

    def _guard(self) -> StallGuard:
        """Return what ends a silence; what a mirrored stream says cannot all be counted."""
        limits, attempt = self.offer.upstream.timeouts, self.attempt
        pace = None if attempt.mirrored else Pace(limits.slowest, attempt.made)
        return StallGuard(limits.idle, self._deadline, pace)

    def _settle(self, left: Failure | None) -> None:
        """Tell once how the answer ended: `left`, or as it broke off, where its reader knows."""
        if self._is_told:
            left = self._broken
        self._over(left)
        at_end = self.at_end
        self.at_end = self.at_joint = None  # who listens holds this reply: a cycle otherwise
        if at_end is not None:
            at_end(left)

    async def _more(self, response: Response, decoder: Decoder, guard: StallGuard) -> list[Event]:
        """Return the events of the next read that has any; how a reply broke off is kept apart."""
        guard.listen()
        while True:
            try:
                data = await response.read_some()
            except UpstreamFailed:
                data = b""  # a stream that breaks has ended, and its decoder knows how
            events = decoder.feed(data) if data else decoder.close()
            if events or decoder.done or not data:
                break
        guard.heard()
        if not events:
            return events
        self.attempt.see(events)
        if self.attempt.frames > self._look:
            self._look_closer()
        if decoder.done:
            self._part(events)
        if self.rescuer is not None:
            self.rescuer.keep(events)
        return events

    def _part(self, events: list[Event]) -> None:
        """Take how the reply broke off out of its last events, where another may go on with it."""
        last = events[-1]
        if isinstance(last, Broken):
            self._broken = last.failure
            if self.rescuer is None:
                self._is_told = True
            else:
                del events[-1]

    def _look_closer(self) -> None:
        """Look from time to time whether a stream is too long, and condense what is remembered of it."""
        frames = self.attempt.frames
        self.attempt.check()
        if self.rescuer is not None:
            self.rescuer.condense()
        most = self.attempt.most
        self._look = frames + _HEAP if frames > most else min(most, frames + _HEAP)

    async def _rest(self, failure: Failure) -> AsyncGenerator[list[Event], None]:
        """Yield what another offer says of an answer that broke off here, or how it broke off."""
        self._broken = failure
        rescuer = self.rescuer
        if rescuer is not None and rescuer.is_whole(failure):
            self._broken = None
            self._over(None)
            response, self._stream = self._stream, None
            if response is not None:
                response[0].close()
            return
        self._over(failure)
        try:
            following = None if rescuer is None else await rescuer.go_on(failure)
        except UpstreamFailed as failed:
            self._broken, following = failed.failure, None
        if following is None:
            self._is_told = True
            yield [Broken(self._broken)]
            return
        self._next = following
        following.rescuer, following.at_joint = rescuer, self.at_joint
        following.at_end, self.at_end = self.at_end, None
        if self.at_joint is not None:
            self.at_joint(following)
        async with Handed(following.batches()) as rest:
            async for events in rest:
                yield events

    def drop(self) -> None:
        """End a stream that nobody will read, since another was first."""
        self._over(Failure(Fault.HEDGED))

    def _over(self, left: Failure | None) -> None:
        """End the attempt, once; the connection of one that was not read to its end is closed."""
        if self._is_over or self._stream is None:
            return
        self._is_over = True
        self._ended(self.attempt, left)
        if left is not None or not self._stream[1].done:
            self._stream[0].close()

    async def finish(self) -> None:
        """Give the connection back; after the last event has been passed on."""
        if self._next is not None:
            await self._next.finish()
        elif self._stream is not None and self.attempt.failure is None:
            await self._stream[0].finish()


class _Ending:
    """Tells `settle` why the block was left: None at its end."""

    def __init__(self, settle: Callable[[Failure | None], None]) -> None:
        self._settle = settle

    def __enter__(self) -> None:
        return

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self._settle(None)
        elif isinstance(error, Exception):
            self._settle(Failure(Fault.OWN_FAULT))
        else:
            self._settle(leaving(error))


async def first_events(response: Response, decoder: Decoder) -> list[Event]:
    """Wait for the first events; raises UpstreamFailed where none come."""
    silent = 0
    while True:
        data = await _read_some(response)
        events = decoder.feed(data) if data else decoder.close()
        if events:
            return events
        if not data:
            raise UpstreamFailed(Failure(Fault.EMPTY_STREAM, 200))
        silent += len(data)
        if silent > MAX_EVENT:
            raise UpstreamFailed(Failure(Fault.TOO_LARGE, 200))


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
