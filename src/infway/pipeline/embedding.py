"""Embeddings: one request, as many calls as its inputs need, one settlement.

A request with more inputs than one call may have is asked for in parts, several at once. All go
to offers of one model, so their vectors can be compared; if one part fails, all do.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import NamedTuple

from infway.ims.rank import Router
from infway.kernel.chat import ChatRequest, Principal
from infway.kernel.clock import Clock
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import WHOLE, Usage, Vectors
from infway.kernel.faults import Failure, Fault
from infway.pipeline.answered import settle_failed
from infway.pipeline.attempt import Ended, Walk
from infway.pipeline.course import Course
from infway.pipeline.decisions import Decisions
from infway.pipeline.gateway import Admission
from infway.pipeline.heads import check_head, read_error
from infway.pipeline.itinerary import Persistence
from infway.pipeline.settle import Settlement
from infway.pipeline.settler import Settler
from infway.pipeline.tried import CHARS_PER_TOKEN, Attempt
from infway.providers.embeddings.embedder import Embedder
from infway.providers.embeddings.inputs import inputs_of
from infway.providers.embeddings.vectors import in_format
from infway.providers.shapes import as_list
from infway.upstream.client import Client, Response

AT_ONCE = 8  # calls of one request that run at the same time
_LARGEST = 128 * 1024 * 1024  # bytes of a reply: 2048 inputs of 3072 numbers, spelled out
_LONG = 256 * 1024  # bytes that take milliseconds to read: other requests need not wait for them


class Embedded(NamedTuple):
    """One reply of an upstream: the vectors of some inputs, in the format that was asked for."""

    attempt: Attempt
    vectors: Vectors


class EmbeddingAttempts(Walk[Embedded]):
    """Attempts at embeddings: a reply is whole or none."""

    def __init__(
        self,
        client: Client,
        embedders: Mapping[str, Embedder],
        now: Callable[[], float],
        persistence: Persistence,
        chance: Random,
    ) -> None:
        super().__init__(client, now, persistence, chance)
        self._embedders = embedders

    async def _begin(
        self,
        ask: ChatRequest,
        attempt: Attempt,
        ended: Ended,
        deadline: float,  # noqa: ARG002 - nothing comes after the reply
    ) -> Embedded:
        offer = attempt.offer
        embedder = self._embedders[offer.upstream.dialect]
        call = embedder.request(ask, offer)
        attempt.dropped = call.dropped
        response = await self._client.send(call, offer.upstream.timeouts)
        attempt.limits = embedder.limits(response.headers)
        try:
            vectors = await _read(embedder, response, ask)
        except BaseException:
            response.close()
            raise
        attempt.first = self._now()
        tokens = ask.input_tokens
        attempt.see([vectors.usage or Usage(tokens, 0, tokens, estimated=True)])
        attempt.finish = WHOLE
        ended(attempt, None)
        return Embedded(attempt, vectors)


async def _read(embedder: Embedder, response: Response, ask: ChatRequest) -> Vectors:
    """Return a vector for each input; raises UpstreamFailed where not all are there."""
    if response.status != 200:
        body = await read_error(response)
        raise UpstreamFailed(embedder.fault(response.status, response.headers, body))
    check_head(response, stream=False)
    body = await response.read(_LARGEST)
    if len(body) > _LONG:
        return await asyncio.to_thread(_understand, embedder, response, body, ask)
    return _understand(embedder, response, body, ask)


def _understand(embedder: Embedder, response: Response, body: bytes, ask: ChatRequest) -> Vectors:
    vectors = embedder.whole(body, response.headers)
    if len(vectors.items) != len(inputs_of(ask)):
        raise UpstreamFailed(Failure(Fault.INVALID_JSON, 200))
    return in_format(vectors, coded=ask.fields.get("encoding_format") == "base64")


class EmbeddingAnswer(NamedTuple):
    """The vectors of one request. `parts`: the replies they came in, in the order of the inputs."""

    parts: Sequence[Embedded]
    settlement: Settlement

    @property
    def items(self) -> Iterator[bytes]:
        """The vectors, as text, in the order of the inputs."""
        return (item for part in self.parts for item in part.vectors.items)

    @property
    def prompt_tokens(self) -> int:
        """The tokens of all parts."""
        return sum(part.attempt.usage.prompt for part in self.parts)

    @property
    def dropped(self) -> tuple[str, ...]:
        """What upstreams were not told."""
        return tuple(sorted({name for part in self.parts for name in part.attempt.dropped}))


class EmbeddingGateway(Admission):
    """The line of embeddings. `attempts` is swapped as `router` is."""

    def __init__(
        self,
        router: Router,
        attempts: EmbeddingAttempts,
        settler: Settler,
        decisions: Decisions,
        clock: Clock,
    ) -> None:
        super().__init__(router, settler, decisions, clock)
        self.attempts = attempts

    async def embed(self, ask: ChatRequest, who: Principal) -> EmbeddingAnswer:
        """Return the vectors of all inputs; raises GatewayError where there are none."""
        course = self.begin(ask, who)
        settlement = course.settlement
        try:
            if who.account is not None:
                await self.fund(course)
            parts = await self._parts(course)
        except BaseException as error:
            settle_failed(settlement, error)
            raise
        settlement.best = parts[0].attempt
        settlement.close("ok", 200)
        return EmbeddingAnswer(parts, settlement)

    async def _parts(self, course: Course) -> Sequence[Embedded]:
        order = course.decision.order
        limits = [offer.inputs for offer in order if offer.inputs is not None]
        asks = divided(course.ask, min(limits, default=None))
        if len(asks) == 1:
            return [await self.attempts.first_reply(course, order)]
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(ask: ChatRequest) -> Embedded:
            async with turns:
                return await self.attempts.first_reply(course._replace(ask=ask), order)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(ask)) for ask in asks]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return [task.result() for task in tasks]


def divided(ask: ChatRequest, most: int | None) -> list[ChatRequest]:
    """Return a request in parts of at most `most` inputs."""
    inputs = inputs_of(ask)
    if most is None or len(inputs) <= most:
        return [ask]
    parts = [inputs[at : at + most] for at in range(0, len(inputs), most)]
    return [
        ask._replace(fields={**ask.fields, "input": part}, input_tokens=estimated_tokens(part))
        for part in parts
    ]


def estimated_tokens(inputs: Sequence[object]) -> int:
    """Return about how many tokens inputs are: token ids are counted, texts by the rule of thumb."""
    return sum(
        max(1, len(one) // CHARS_PER_TOKEN) if isinstance(one, str) else len(as_list(one))
        for one in inputs
    )
