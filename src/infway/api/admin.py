"""What only admin keys may see: why requests went where they went."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from infway.accounts.keys import Keyring
from infway.api.administration.exactness import check_exact
from infway.api.auth import presented_key
from infway.ims.explain import explain
from infway.kernel.errors import CallerError, GatewayError
from infway.kernel.place import Place
from infway.pipeline.course import Course
from infway.pipeline.decisions import Decisions

_LIVE_PAUSE = 0.5  # seconds between two looks of the live feed
_LIVE_LOOK = 1000  # how many of the newest requests one look takes in


def callers_check(keyring: Callable[[], Keyring]) -> Callable[[Request], None]:
    """Return what raises CallerError where callers may not see decisions: by their keys."""

    def check(request: Request) -> None:
        _, key = presented_key(request.headers.raw)
        if keyring().find(key) is None:
            raise keyring().refusal(key)
        if not keyring().is_admin(key):
            raise CallerError(403, "permission_denied", "This key is no admin key.")

    return check


def admin_router(check: Callable[[Request], None], decisions: Decisions) -> APIRouter:
    """Return the endpoints; `check` raises CallerError for who may not ask."""
    router = APIRouter(prefix="/admin", tags=["admin"], dependencies=[Depends(check_exact)])

    @router.get("/decisions", summary="The last decisions")
    async def latest(
        request: Request, count: Annotated[int, Query(ge=1, le=1000)] = 20
    ) -> Mapping[str, object]:
        """List the newest decisions, newest first, each with its outcome."""
        check(request)
        return {"data": [_summary(course) for course in decisions.last(count)]}

    @router.get("/decisions/live", summary="Decisions as they are made")
    async def live(request: Request) -> EventSourceResponse:
        """Stream a summary of each decision as a server-sent event, while the key is good."""
        check(request)
        return EventSourceResponse(_feed(decisions, partial(check, request)))

    @router.get("/decisions/{request_id}", summary="Why a request went where it went")
    async def one(request_id: str, request: Request) -> Mapping[str, object]:
        """Return candidates, predictions, parts of the score, order, attempts and outcome."""
        check(request)
        course = decisions.find(request_id.removeprefix("chatcmpl-"))
        if course is None:
            raise CallerError(404, "decision_not_found", "This decision is not kept (any more).")
        return {**_summary(course), "decision": explain(course.decision)}

    return router


async def _feed(decisions: Decisions, check: Callable[[], None]) -> AsyncIterator[ServerSentEvent]:
    seen = {course.ask.id for course in decisions.last(_LIVE_LOOK) if not _is_open(course)}
    while _may(check):
        kept = decisions.last(_LIVE_LOOK)
        seen &= {course.ask.id for course in kept}
        for course in reversed(kept):
            if course.ask.id in seen or _is_open(course):
                continue
            seen.add(course.ask.id)
            yield ServerSentEvent(orjson.dumps(_summary(course)).decode(), id=course.ask.id)
        await asyncio.sleep(_LIVE_PAUSE)


def _may(check: Callable[[], None]) -> bool:
    try:
        check()
    except GatewayError:
        return False
    return True


def _is_open(course: Course) -> bool:
    return course.settlement.outcome == "open"


def _summary(course: Course) -> Mapping[str, object]:
    settlement, place = course.settlement, course.ask.place
    return {
        "id": course.ask.id,
        "key": settlement.who.name,
        "asked": course.ask.selection.model,
        "outcome": settlement.outcome,
        "status": settlement.status,
        **({} if place is None else {"queue": _queued(place)}),
        "attempts": [
            {
                "offer": attempt.offer.id,
                "outcome": "ok" if attempt.failure is None else attempt.failure.fault.value,
                "dropped": attempt.dropped,
                **({"rescue": attempt.tactic} if attempt.tactic else {}),
                "first_token_ms": _since(attempt.began, attempt.first),
                "end_ms": _since(attempt.began, attempt.ended),
            }
            for attempt in settlement.attempts
        ],
    }


def _queued(place: Place) -> Mapping[str, int | None]:
    waited = None if place.waited is None else round(place.waited * 1000)
    return {"priority": place.priority, "position": place.position, "waited_ms": waited}


def _since(began: float, until: float | None) -> int | None:
    return None if until is None else round((until - began) * 1000)
