"""A response that is made in the background: its request, and what is kept of it on the way."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import msgspec

from infway.api.responses.conversation import Item
from infway.api.responses.envelope import State
from infway.api.responses.frames import Frames, fail
from infway.api.responses.kept import kept
from infway.api.responses.talk import ResponsesTalk
from infway.api.talk import Times
from infway.kernel.chat import Principal
from infway.kernel.errors import GatewayError
from infway.kernel.events import Broken
from infway.ledger.responses import Kept
from infway.pipeline.gateway import Gateway

_write = msgspec.json.Encoder().encode


class ResponseJob:
    """One request that is answered later. `said`: what is known of its response from the start.

    `frames`: those of a stream as they are made, None at its end.
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
        self.frames: asyncio.Queue[bytes | None] = asyncio.Queue()
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
        try:
            answer = await self._gateway.chat(self._talk.ask, self._who)
            writer = self._talk.writer(answer, self._times)
            is_broken = False
            async with aclosing(answer.batches()) as batches:
                async for events in batches:
                    self.frames.put_nowait(writer.encode(events))
                    is_broken = isinstance(events[-1], Broken)
            self.frames.put_nowait(writer.cut() if is_broken else writer.close())
            await answer.finish()
        except GatewayError as error:
            self.frames.put_nowait(self._talk.late(error, self._times))
            raise
        finally:
            self.frames.put_nowait(None)
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
