"""The endpoints that make and edit what the register holds, each with a body of its own."""

from fastapi import APIRouter
from pydantic import AwareDatetime

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


def keys_router(desk: Desk) -> APIRouter:
    """Return the endpoints that mint and edit keys, those of administrators among them."""
    router = APIRouter(prefix="/admin/v1")
    office = desk.office

    @router.post("/keys", summary="Mint a key", tags=["keys"], description=_NEW)
    async def minted(said: NewKey, who: Who) -> View:
        terms, end = checked_terms(Kind.KEY, _terms(said)), _seconds(said.expires_at)
        return await desk.make(lambda: office.create(who, Kind.KEY, said.name, terms, end))

    @router.patch("/keys/{ref}", summary="Edit a key", tags=["keys"])
    async def edited(ref: str, said: KeyChanges, who: Who) -> View:
        """Change the fields that are sent, and no others."""
        return await desk.change(lambda: office.edit(who, Kind.KEY, ref, _terms(said)))

    @router.post("/admins", summary="Mint an admin key", tags=["admins"], description=_NEW)
    async def appointed(said: NewAdmin, who: Who) -> View:
        terms, end = checked_terms(Kind.ADMIN, _terms(said)), _seconds(said.expires_at)
        return await desk.make(lambda: office.create(who, Kind.ADMIN, said.name, terms, end))

    @router.patch("/admins/{ref}", summary="Edit an admin key", tags=["admins"])
    async def changed(ref: str, said: AdminChanges, who: Who) -> View:
        """Change the fields that are sent, and no others."""
        return await desk.change(lambda: office.edit(who, Kind.ADMIN, ref, _terms(said)))

    return router


def holders_router(desk: Desk) -> APIRouter:
    """Return the endpoints that make and edit organisations and projects."""
    router = APIRouter(prefix="/admin/v1")
    office = desk.office

    @router.post("/organisations", summary="Make an organisation", tags=["organisations"])
    async def organised(said: NewOrganisation, who: Who) -> View:
        """Make one; its name is its own for good."""
        terms = checked_terms(Kind.ORGANISATION, _terms(said))
        return await desk.make(lambda: office.create(who, Kind.ORGANISATION, said.name, terms))

    @router.patch("/organisations/{ref}", summary="Edit one", tags=["organisations"])
    async def organisation(ref: str, said: OrganisationChanges, who: Who) -> View:
        """Change the fields that are sent, and no others."""
        return await desk.change(lambda: office.edit(who, Kind.ORGANISATION, ref, _terms(said)))

    @router.post("/projects", summary="Make a project", tags=["projects"])
    async def projected(said: NewProject, who: Who) -> View:
        """Make one; its name and its organisation are its own for good."""
        terms = checked_terms(Kind.PROJECT, _terms(said))
        return await desk.make(lambda: office.create(who, Kind.PROJECT, said.name, terms))

    @router.patch("/projects/{ref}", summary="Edit one", tags=["projects"])
    async def project(ref: str, said: ProjectChanges, who: Who) -> View:
        """Change the fields that are sent, and no others."""
        return await desk.change(lambda: office.edit(who, Kind.PROJECT, ref, _terms(said)))

    return router


def plans_router(desk: Desk) -> APIRouter:
    """Return the endpoints that make, edit and remove plans."""
    router = APIRouter(prefix="/admin/v1/plans", tags=["plans"])
    office = desk.office

    @router.post("", summary="Make a plan")
    async def planned(said: NewPlan, who: Who) -> View:
        """Make one; its name is its own for good."""
        terms = checked_terms(Kind.PLAN, _terms(said))
        return await desk.make(lambda: office.create(who, Kind.PLAN, said.name, terms))

    @router.patch("/{ref}", summary="Edit a plan")
    async def plan(ref: str, said: PlanChanges, who: Who) -> View:
        """Change the fields that are sent; whoever has the plan has the new limits at once."""
        return await desk.change(lambda: office.edit(who, Kind.PLAN, ref, _terms(said)))

    @router.delete("/{ref}", summary="Remove a plan")
    async def removed(ref: str, who: Who) -> View:
        """Take away a plan that nothing has any more."""
        return await desk.change(lambda: office.remove_plan(who, ref))

    return router


def _terms(said: Terms) -> dict[str, object]:
    return said.model_dump(exclude_unset=True, exclude=_NO_TERMS)


def _seconds(at: AwareDatetime | None) -> float | None:
    return None if at is None else at.timestamp()
