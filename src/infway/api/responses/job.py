"""A response that is made in the background: its request, and what is kept of it on the way."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Self

import msgspec

from infway.api.responses.conversation import Item
from infway.api.responses.envelope import State
from infway.api.responses.frames import DONE, Frames, fail
from infway.api.responses.kept import kept
from infway.api.responses.talk import ResponsesTalk
from infway.api.talk import Times, Writer
from infway.kernel.chat import Principal
from infway.kernel.errors import GatewayError, leaving, stopped_by
from infway.kernel.events import Broken
from infway.ledger.responses import Kept
from infway.pipeline.gateway import Gateway
from infway.pipeline.handed import Handed

_write = msgspec.json.Encoder().encode
_BEHIND = 4 * 1024 * 1024  # bytes of a stream that wait for who listens; then no more are queued


class Listener:
    """Hears a stream as it is made, which waits for nobody.

    As a block: who listens; behind it nothing is queued any more. One that is too far behind hears
    an error, and the response can be read once it is over.
    """

    def __init__(self) -> None:
        self._frames: asyncio.Queue[bytes] = asyncio.Queue()
        self.waiting = 0  # bytes that wait
        self._number = 0  # of the next event
        self._is_there = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_there = False
        self._frames = asyncio.Queue()
        self.waiting = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the frames up to the end."""
        while data := await self._frames.get():
            self.waiting -= len(data)
            yield data

    def tell(self, data: bytes) -> None:
        """Queue frames, as long as somebody listens."""
        if not self._is_there or not data:
            return
        if self.waiting > _BEHIND:
            self._frames.put_nowait(_too_slow(self._number))
            self.end()
            return
        self.waiting += len(data)
        self._number += data.count(b"\n\n")
        self._frames.put_nowait(data)

    def end(self) -> None:
        """Say that nothing more comes."""
        if self._is_there:
            self._frames.put_nowait(b"")
        self._is_there = False


def _too_slow(number: int) -> bytes:
    """Return the error that ends a stream which was read too slowly; `number`: of the event."""
    said = {
        "code": "read_too_slowly",
        "message": "The stream was read too slowly. Read the response by its id once it is over.",
        "param": None,
    }
    frames = Frames(number)
    frames.tell("error", {**said, "error": {"type": "server_error", **said}})
    return frames.take() + DONE


class ResponseJob:
    """One request that is answered later. `said`: what is known of its response from the start.

    `listener`: hears a stream as it is made.
    """

    def __init__(
        self,
        gateway: Gateway,
        talk: ResponsesTalk,
        who: Principal,
        times: Times,
        said: Kept,
        items: Sequence[Item],
    ) -> None:
        self.listener = Listener()
        self._over: list[tuple[str, bytes]] = []
        self._gateway = gateway
        self._talk = talk
        talk.wishes = talk.wishes._replace(keep=self._end)
        self._who = who
        self._times = times
        self._said = said
        self._items = items

    def begun(self) -> Kept:
        """Return the response before anything was done."""
        return self._kept("queued", _write(self._response("queued")))

    async def run(self) -> Kept:
        """Make the response; raises GatewayError where it cannot be made."""
        if self._talk.ask.stream:
            return await self._stream()
        answer = await self._gateway.chat(self._talk.ask, self._who)
        answer.settle()
        return self._kept(*self._talk.told(answer, self._times))

    async def _stream(self) -> Kept:
        """Make the response event by event, for whoever listens as long as they do."""
        writer: Writer | None = None
        try:
            answer = await self._gateway.chat(self._talk.ask, self._who)
            writer = self._talk.writer(answer, self._times)
            is_broken = False
            async with Handed(answer.batches()) as batches:
                async for events in batches:
                    self.listener.tell(writer.encode(events))
                    is_broken = isinstance(events[-1], Broken)
            self.listener.tell(writer.cut() if is_broken else writer.close())
            await answer.finish()
        except GatewayError as error:
            self.listener.tell(self._talk.late(error, self._times))
            raise
        except asyncio.CancelledError as ended:
            stopped = stopped_by(ended)
            if stopped is not None and writer is not None:
                self.listener.tell(writer.encode([Broken(leaving(ended))]) + writer.cut())
            elif stopped is not None:
                self.listener.tell(self._talk.late(stopped, self._times))
            raise
        finally:
            self.listener.end()
        return self._kept(*self._over[0])

    def failed(self, error: GatewayError) -> Kept:
        """Return the response after an error."""
        return self._kept("failed", fail(Frames(), error, self._response("failed")))

    def _end(self, status: str, body: bytes) -> None:
        self._over.append((status, body))

    def _kept(self, status: str, body: bytes) -> Kept:
        return kept(self._said, self._items, status, body)

    def _response(self, status: str) -> dict[str, object]:
        model = self._talk.ask.selection.model or ""
        return self._talk.response(State(status), model)
