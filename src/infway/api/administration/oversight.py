"""What administrators see and do beside keys: the audit, decisions, and reading settings again."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request

from infway.accounts.capabilities import Capability
from infway.accounts.grants import check_may
from infway.accounts.register import NEWEST
from infway.api.administration.verbs import Count, Desk, View, Who, actor

Before = Annotated[
    int | None, Query(ge=0, le=NEWEST, description="Only changes before the one of this number.")
]


def audit_router(desk: Desk) -> APIRouter:
    """Return the endpoint of the audit."""
    router = APIRouter(prefix="/admin/v1", tags=["audit"])

    @router.get("/audit", summary="Who changed what, and when")
    async def audit(who: Who, before: Before = None, count: Count = 100) -> View:
        """List the newest changes first; `next` is what to give as `before` for older ones."""
        found = await desk.ask(lambda: desk.office.audit(who, before, count))
        more = found[-1].version if len(found) == count else None
        return {"data": [one.view() for one in found], "next": more}

    return router


def reload_router(reload: Callable[[], None]) -> APIRouter:
    """Return the endpoint that has settings read again."""
    router = APIRouter(prefix="/admin/v1", tags=["operation"])

    @router.post("/reload", status_code=202, summary="Read the configuration again")
    async def again(who: Who) -> View:
        """Have it read; what runs goes on with the old one where the new one is wrong."""
        check_may(who, Capability.RELOAD)
        reload()
        return {"status": "asked"}

    return router


def check_decisions(request: Request) -> None:
    """Raise CallerError 403 where an administrator may not see decisions."""
    check_may(actor(request), Capability.DECISIONS_READ)
