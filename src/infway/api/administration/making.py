"""The endpoints that make and edit what the register holds, each with a body of its own."""

from fastapi import APIRouter

from infway.accounts.capabilities import Actor
from infway.accounts.checking import checked_terms
from infway.accounts.entries import Kind
from infway.accounts.terms import Terms
from infway.api.administration.bodies import (
    AdminChanges,
    KeyChanges,
    NewAdmin,
    NewKey,
    NewOrganisation,
    NewPlan,
    NewProject,
    OrganisationChanges,
    PlanChanges,
    ProjectChanges,
)
from infway.api.administration.verbs import Desk, View, Who

_NO_TERMS = {"name", "expires_at"}
_NEW = "Return it with its secret, which is never shown again."
_New = NewKey | NewAdmin | NewProject | NewOrganisation | NewPlan


def keys_router(desk: Desk) -> APIRouter:
    """Return the endpoints that mint and edit keys, those of administrators among them."""
    router = APIRouter(prefix="/admin/v1")

    @router.post("/keys", summary="Mint a key", tags=["keys"], description=_NEW)
    async def minted(said: NewKey, who: Who) -> View:
        return await _make(desk, who, Kind.KEY, said)

    @router.patch("/keys/{ref}", summary="Edit a key", tags=["keys"])
    async def edited(ref: str, said: KeyChanges, who: Who) -> View:
        """Change the fields that are sent, and no others."""
        return await _edit(desk, who, Kind.KEY, ref, said)

    @router.post("/admins", summary="Mint an admin key", tags=["admins"], description=_NEW)
    async def appointed(said: NewAdmin, who: Who) -> View:
        return await _make(desk, who, Kind.ADMIN, said)

    @router.patch("/admins/{ref}", summary="Edit an admin key", tags=["admins"])
    async def changed(ref: str, said: AdminChanges, who: Who) -> View:
        """Change the fields that are sent, and no others."""
        return await _edit(desk, who, Kind.ADMIN, ref, said)

    return router


def holders_router(desk: Desk) -> APIRouter:
    """Return the endpoints that make and edit organisations and projects."""
    router = APIRouter(prefix="/admin/v1")

    @router.post("/organisations", summary="Make an organisation", tags=["organisations"])
    async def organised(said: NewOrganisation, who: Who) -> View:
        """Make one; its name is its own for good."""
        return await _make(desk, who, Kind.ORGANISATION, said)

    @router.patch("/organisations/{ref}", summary="Edit one", tags=["organisations"])
    async def organisation(ref: str, said: OrganisationChanges, who: Who) -> View:
        """Change the fields that are sent, and no others."""
        return await _edit(desk, who, Kind.ORGANISATION, ref, said)

    @router.post("/projects", summary="Make a project", tags=["projects"])
    async def projected(said: NewProject, who: Who) -> View:
        """Make one; its name and its organisation are its own for good."""
        return await _make(desk, who, Kind.PROJECT, said)

    @router.patch("/projects/{ref}", summary="Edit one", tags=["projects"])
    async def project(ref: str, said: ProjectChanges, who: Who) -> View:
        """Change the fields that are sent, and no others."""
        return await _edit(desk, who, Kind.PROJECT, ref, said)

    return router


def plans_router(desk: Desk) -> APIRouter:
    """Return the endpoints that make, edit and remove plans."""
    router = APIRouter(prefix="/admin/v1/plans", tags=["plans"])

    @router.post("", summary="Make a plan")
    async def planned(said: NewPlan, who: Who) -> View:
        """Make one; its name is its own for good."""
        return await _make(desk, who, Kind.PLAN, said)

    @router.patch("/{ref}", summary="Edit a plan")
    async def plan(ref: str, said: PlanChanges, who: Who) -> View:
        """Change the fields that are sent; whoever has the plan has the new limits at once."""
        return await _edit(desk, who, Kind.PLAN, ref, said)

    @router.delete("/{ref}", summary="Remove a plan")
    async def removed(ref: str, who: Who) -> View:
        """Take away a plan that nothing has any more."""
        return await desk.change(lambda: desk.office.remove_plan(who, ref))

    return router


async def _make(desk: Desk, who: Actor, kind: Kind, said: _New) -> View:
    terms, at = checked_terms(kind, _terms(said)), None
    if isinstance(said, NewKey | NewAdmin) and said.expires_at is not None:
        at = said.expires_at.timestamp()
    return await desk.make(lambda: desk.office.create(who, kind, said.name, terms, at))


async def _edit(desk: Desk, who: Actor, kind: Kind, ref: str, said: Terms) -> View:
    return await desk.change(lambda: desk.office.edit(who, kind, ref, _terms(said)))


def _terms(said: Terms) -> dict[str, object]:
    return said.model_dump(exclude_unset=True, exclude=_NO_TERMS)
