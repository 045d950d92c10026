"""The endpoints of the admin API, the same verbs as those of the command line."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Query, Request

from infway.accounts.capabilities import Actor
from infway.accounts.entries import PRESENTED, Entry, Kind
from infway.accounts.gatehouse import Gatehouse
from infway.accounts.office import Minted
from infway.api.administration.bodies import Expiry, Rotation
from infway.database import DatabaseError
from infway.kernel.errors import GatewayError, UnavailableError

_T = TypeVar("_T")
View = Mapping[str, object]
Count = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
After = Annotated[
    str, Query(max_length=300, pattern=r"^[^\x00]*$", description="Only what is behind this one.")
]
PLURALS: Mapping[Kind, str] = {
    Kind.KEY: "keys",
    Kind.ADMIN: "admins",
    Kind.PROJECT: "projects",
    Kind.ORGANISATION: "organisations",
    Kind.PLAN: "plans",
}


def actor(request: Request) -> Actor:
    """Return which administrator asks; raises GatewayError where their key has ended since."""
    found: Actor = request.state.actor()
    return found


Who = Annotated[Actor, Depends(actor)]


class Desk:
    """What endpoints do with the office: in a thread, and known here at once. `wall`: Unix time."""

    def __init__(self, gatehouse: Gatehouse, wall: Callable[[], float]) -> None:
        self._gatehouse = gatehouse
        self.office = gatehouse.office
        self.wall = wall

    async def ask(self, question: Callable[[], _T]) -> _T:
        """Return what the office says; raises CallerError, or 503 where the database is away."""
        try:
            return await asyncio.to_thread(question)
        except DatabaseError as error:
            raise _away(error) from error

    async def change(self, verb: Callable[[], Entry]) -> View:
        """Return an entry as it is after a change, which this process knows of at once."""
        entry = await self.ask(verb)
        await self._gatehouse.look()
        return self._shown(entry)

    async def make(self, verb: Callable[[], Minted]) -> View:
        """Return an entry that was made, with its secret where it has one."""
        made = await self.ask(verb)
        await self._gatehouse.look()
        shown = self._shown(made.entry)
        return {**shown, "key": made.secret} if made.secret else shown

    def _shown(self, entry: Entry) -> View:
        """Return what was made or changed, with what is odd about it, if anything is."""
        warnings = self.office.warnings(entry)
        shown = entry.view(self.wall())
        return {**shown, "warnings": warnings} if warnings else shown


def _away(error: DatabaseError) -> GatewayError:
    if not error.is_away:
        raise error
    message = "The database cannot be used now."
    return UnavailableError(503, "accounting_unavailable", message, retry_after=1)


def verbs_router(desk: Desk, kind: Kind) -> APIRouter:
    """Return the endpoints of one kind that need no body of their own."""
    name = kind.value
    router = APIRouter(prefix=f"/admin/v1/{PLURALS[kind]}", tags=[PLURALS[kind]])
    office = desk.office

    @router.get("", summary=f"List {PLURALS[kind]}")
    async def listed(who: Who, after: After = "", count: Count = 100) -> View:
        """List by name, those of the configuration first.

        `next` is what to give as `after` for more, null at the end.
        """
        found = await desk.ask(lambda: office.list(who, kind, after, count))
        more = found[-1].place if len(found) == count else None
        return {"data": [one.view(desk.wall()) for one in found], "next": more}

    @router.get("/{ref}", summary=f"Show one {name}")
    async def shown(ref: str, who: Who) -> View:
        """Show one by its id or its name."""
        return (await desk.ask(lambda: office.show(who, kind, ref))).view(desk.wall())

    if kind is not Kind.PLAN:
        _add_switches(router, desk, kind)
    if kind in PRESENTED:
        _add_ends(router, desk, kind)
    return router


def _add_switches(router: APIRouter, desk: Desk, kind: Kind) -> None:
    @router.post("/{ref}/disable", summary="Let it hold no more until it is enabled")
    async def disabled(ref: str, who: Who) -> View:
        """Disable it; what belongs to it is refused as well."""
        return await desk.change(lambda: desk.office.disable(who, kind, ref))

    @router.post("/{ref}/enable", summary="Let it hold again")
    async def enabled(ref: str, who: Who) -> View:
        """Enable what was disabled."""
        return await desk.change(lambda: desk.office.enable(who, kind, ref))


def _add_ends(router: APIRouter, desk: Desk, kind: Kind) -> None:
    @router.post("/{ref}/rotate", summary="Make a new secret")
    async def rotated(ref: str, said: Rotation, who: Who) -> View:
        """Return the new secret, this once; the old one is taken for `overlap` more seconds."""
        return await desk.make(lambda: desk.office.rotate(who, kind, ref, said.overlap))

    @router.post("/{ref}/expire", summary="Say when it ends")
    async def expired(ref: str, said: Expiry, who: Who) -> View:
        """Let it end at a moment, or never."""
        end = None if said.expires_at is None else said.expires_at.timestamp()
        return await desk.change(lambda: desk.office.expire(who, kind, ref, end))

    @router.post("/{ref}/revoke", summary="End it for good")
    async def revoked(ref: str, who: Who) -> View:
        """Refuse it from now on, everywhere within five seconds."""
        return await desk.change(lambda: desk.office.revoke(who, kind, ref))
