"""What administrators ask of the ledger: usage, budgets, and single requests."""

import base64
import codecs
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Literal, NamedTuple

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, ConfigDict, Field

from infway.accounts.capabilities import Actor, Capability
from infway.accounts.entries import iso
from infway.accounts.grants import check_may
from infway.accounts.terms import Terms
from infway.api.administration.verbs import Desk, Who
from infway.api.generations import RowsOf, bare, described, found
from infway.database import Database
from infway.kernel.errors import CallerError
from infway.ledger.answers import used
from infway.ledger.budgets import standing
from infway.ledger.contents import Content, Contents
from infway.ledger.questions import Question, ask
from infway.ledger.spending import Spending

By = Literal["key", "project", "organisation", "model", "upstream", "outcome", "tag", "day"]
Name = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]  # no database takes a NUL
Only = Annotated[
    tuple[Name, ...], Field(max_length=100, description="Only this one; again: or that one.")
]
_TIME = "As ISO 8601 with a time zone, or as Unix seconds; rounded outwards to whole hours."
_encode = msgspec.json.Encoder().encode


class Archive(NamedTuple):
    """Where usage is read. `rows_of`: the rows of a request, those that wait to be written as well."""

    database: Database
    rows_of: RowsOf


class Asked(Terms):
    """A question about usage, in the address."""

    model_config = ConfigDict(defer_build=False, val_temporal_unit="seconds")
    by: tuple[By, ...] = Field(
        default=(), max_length=2, description="What to sum by; twice: by both."
    )
    since: AwareDatetime | None = Field(default=None, description=f"From when on. {_TIME}")
    until: AwareDatetime | None = Field(default=None, description=f"Until when. {_TIME}")
    key: Only = ()
    project: Only = ()
    organisation: Only = ()
    model: Only = ()
    upstream: Only = ()
    outcome: Only = ()
    tag: Only = ()


def usage_router(desk: Desk, archive: Archive) -> APIRouter:
    """Return the endpoints of usage and budgets."""
    router = APIRouter(prefix="/admin/v1", tags=["usage"])

    @router.get("/usage", summary="What was used, and what it cost")
    async def usage(who: Who, asked: Annotated[Asked, Query()]) -> Response:
        """Sum requests with all that their attempts used; by upstreams, attempts are counted."""
        check_may(who, Capability.USAGE_READ)
        question = _question(who, asked)
        lines = await desk.ask(lambda: ask(archive.database, question))
        return _reply({"data": [used(line, question.by) for line in lines]})

    @router.get("/budgets", summary="What budgets have spent, and what is left")
    async def budgets(who: Who) -> Response:
        """Tell of every budget; `granted` is the part of what is left that gateways hold to spend."""
        at, spending = desk.wall(), Spending(archive.database)
        found = await desk.ask(lambda: standing(spending, desk.office.allowances(who), at))
        return _reply({"data": [one.view() for one in found]})

    return router


def requests_router(desk: Desk, archive: Archive) -> APIRouter:
    """Return the endpoint of single requests."""
    router = APIRouter(prefix="/admin/v1", tags=["usage"])
    contents = Contents(archive.database)

    @router.get("/requests/{request}", summary="One request, with what was asked and answered")
    async def one(request: str, who: Who) -> Response:
        """Tell of one request by its id, or that of its reply, with its attempts.

        `content` needs the capability `contents:read`, and is null where nothing is kept.
        """
        check_may(who, Capability.USAGE_READ)
        rows = await found(archive.rows_of, request)
        if rows and who.organisation not in (None, rows[0].organisation):
            raise _unknown()
        told: dict[str, object] = dict(described(request, rows)) if rows else {}
        if Capability.CONTENTS_READ in who.capabilities and (name := bare(request)):
            kept = await desk.ask(lambda: contents.find(name))
            if kept is not None and not rows and who.organisation is None:
                told = {"id": request, "request_id": name, "key": kept.key}  # refused, or swept
            if told:
                told["content"] = None if kept is None else _content(kept)
        if not told:
            raise _unknown()
        return _reply(told)

    return router


def _question(who: Actor, asked: Asked) -> Question:
    """Return what is asked, of what is theirs; raises CallerError."""
    if len(set(asked.by)) < len(asked.by):
        raise CallerError(400, "invalid_field", "by: must not name the same twice.", "by")
    names = ("key", "project", "organisation", "model", "upstream", "outcome", "tag")
    said: dict[str, Sequence[str]] = {name: getattr(asked, name) for name in names}
    only: dict[str, Sequence[str]] = {name: values for name, values in said.items() if values}
    if who.organisation is not None:
        theirs = only.get("organisation", (who.organisation,))
        only["organisation"] = [one for one in theirs if one == who.organisation]
    since = None if asked.since is None else asked.since.timestamp()
    until = None if asked.until is None else asked.until.timestamp()
    return Question(asked.by, since, until, only)


def _unknown() -> CallerError:
    return CallerError(404, "request_not_found", "There is no such request.", "request")


def _content(kept: Content) -> Mapping[str, object]:
    return {
        "at": iso(kept.at),
        "asked": _bytes(kept.asked, kept.asked_size),
        "answered": _bytes(kept.answered, kept.answered_size),
    }


def _bytes(first: bytes, size: int) -> Mapping[str, object]:
    """Return bytes as JSON can tell them: as text where they are, cut or not, otherwise as base64."""
    told: dict[str, object] = {"size": size, "cut": len(first) < size, "text": None}
    with suppress(UnicodeDecodeError):
        # a letter of several bytes may be cut in the middle
        told["text"] = codecs.getincrementaldecoder("utf-8")().decode(first, final=not told["cut"])
        return told
    return {**told, "base64": base64.b64encode(first).decode()}


def _reply(told: Mapping[str, object]) -> Response:
    return Response(_encode(told), media_type="application/json")
