"""The whole admin API as one ASGI app."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from fastapi import APIRouter, FastAPI

from infway.accounts.entries import Kind
from infway.accounts.gatehouse import Gatehouse
from infway.api.admin import admin_router
from infway.api.administration.accounting import Archive, requests_router, usage_router
from infway.api.administration.front import AdminFront
from infway.api.administration.front import Desk as FrontDesk
from infway.api.administration.making import holders_router, keys_router, plans_router
from infway.api.administration.oversight import audit_router, check_decisions, reload_router
from infway.api.administration.verbs import Desk, verbs_router
from infway.api.described import administered_app
from infway.api.rest import Rest
from infway.kernel.clock import Clock
from infway.kernel.ids import Ids
from infway.pipeline.decisions import Decisions


class Administered(NamedTuple):
    """What administrators look after. `refused` is told every error's code."""

    gatehouse: Gatehouse
    archive: Archive
    decisions: Decisions
    refused: Callable[[str], None]
    reload: Callable[[], None]


def admin_front(subject: Administered, ids: Ids, clock: Clock, *, docs: bool) -> AdminFront:
    """Return the app; `docs` False leaves its description out."""
    gatehouse, refused = subject.gatehouse, subject.refused

    def build() -> FastAPI:
        return administered_app(_routers(subject, Desk(gatehouse, clock.wall)), refused, docs=docs)

    return AdminFront(Rest(build, _alone), FrontDesk(gatehouse, ids, clock, refused))


@asynccontextmanager
async def _alone(_: object) -> AsyncGenerator[None, None]:
    """Open nothing: the app of callers opens and closes what both need."""
    yield


def _routers(subject: Administered, desk: Desk) -> list[APIRouter]:
    return [
        *(verbs_router(desk, kind) for kind in Kind),
        keys_router(desk),
        holders_router(desk),
        plans_router(desk),
        audit_router(desk),
        usage_router(desk, subject.archive),
        requests_router(desk, subject.archive),
        reload_router(subject.reload),
        admin_router(check_decisions, subject.decisions),
    ]
