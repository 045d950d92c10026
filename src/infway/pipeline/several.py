"""The N best models answer in parallel (imsn): one request, one settlement, N answers."""

import asyncio
from typing import NamedTuple

from infway.kernel.chat import ChatRequest, Principal
from infway.kernel.errors import GatewayError
from infway.pipeline.answered import settle_failed, tell_cost
from infway.pipeline.gateway import Answer, Gateway


class Result(NamedTuple):
    """What one of the models came to. `rank` counts from 1; exactly one of the others is given."""

    rank: int
    model: str
    answer: Answer | None
    error: GatewayError | None


async def answer_several(gateway: Gateway, ask: ChatRequest, who: Principal) -> list[Result]:
    """Return answers in order of rank, failures after them; raises if there is no answer at all."""
    course = gateway.begin(ask, who)
    settlement = course.settlement
    if who.account is not None:
        try:
            await gateway.fund(course)
        except BaseException as error:
            settle_failed(settlement, error)
            raise
    groups = course.decision.by_model()[: ask.selection.imsn]

    async def one(rank: int) -> Result:
        order = groups[rank - 1]
        try:
            reply = await gateway.attempts.first_reply(course, order)
        except GatewayError as error:
            return Result(rank, order[0].model, None, error)
        return Result(rank, order[0].model, Answer(reply, settlement, rank), None)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(rank)) for rank in range(1, len(groups) + 1)]
    except BaseException as error:
        settle_failed(settlement, error)
        raise
    results = sorted((task.result() for task in tasks), key=lambda r: (r.answer is None, r.rank))
    best = results[0]
    if best.error is not None:
        settlement.close(best.error.code, best.error.status)
        tell_cost(settlement, best.error)
        raise best.error
    settlement.best = None if best.answer is None else best.answer.attempt
    settlement.close("ok", 200)
    return results
