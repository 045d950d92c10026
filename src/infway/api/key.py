"""What the presented key is, and what is left of it: `GET /v1/key`.

The shape is that of OpenRouter's `GET /api/v1/key`, with limits and budgets one by one beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import NamedTuple

import msgspec
from fastapi import APIRouter, Request, Response

from infway.accounts.entries import iso
from infway.accounts.keys import Keyring, Known
from infway.api.auth import presented_key
from infway.database import Database, DatabaseError
from infway.kernel.account import Account, Allowance, Holder, Period, Window, period_of
from infway.kernel.errors import UnavailableError
from infway.ledger.answers import money
from infway.ledger.budgets import Stand, standing
from infway.ledger.purses import Purse
from infway.ledger.questions import Question, ask
from infway.ledger.spending import Spending
from infway.pipeline.admit import Visits
from infway.pipeline.settler import Settler
from infway.state.meter import Standing

_encode = msgspec.json.Encoder().encode
_RESET: Mapping[Period, str | None] = {
    Period.DAY: "daily",
    Period.MONTH: "monthly",
    Period.TOTAL: None,
}
_BYOK = ("byok_usage", "byok_usage_daily", "byok_usage_weekly", "byok_usage_monthly")
# What OpenRouter's clients look for and no key of infway's is
_NEVER: Mapping[str, object] = {
    **dict.fromkeys(_BYOK, 0),
    "include_byok_in_limit": False,
    "is_free_tier": False,
    "is_management_key": False,
    "is_provisioning_key": False,
    "creator_user_id": None,
}


class Spent(NamedTuple):
    """What a key has spent, in 10^-12 USD; and how the budgets stand that hold for it."""

    total: int
    day: int
    week: int
    month: int
    budgets: Sequence[Stand]


def key_router(
    keyring: Callable[[], Keyring], visits: Visits, database: Database | None, settler: Settler
) -> APIRouter:
    """Return the endpoint. `database`: where usage is kept; None: nowhere, and it is told as null.

    It is asked in threads that the settler has for that: nobody else waits while it is silent.
    """
    router = APIRouter(tags=["keys"])

    @router.get("/v1/key", summary="What this key is, and what is left")
    @router.get("/key", include_in_schema=False)
    @router.get("/api/v1/key", include_in_schema=False)
    @router.get("/v1/auth/key", include_in_schema=False)
    @router.get("/api/v1/auth/key", include_in_schema=False)
    async def key(request: Request) -> Response:
        """Tell of the key that is presented: whose it is, its limits, its budgets, its end."""
        _, presented = presented_key(request.headers.raw)
        known = keyring().known(presented)
        if known is None:
            raise keyring().refusal(presented)
        account = known.principal.account or Account()
        limited = [one for one in account.holders if one.limits.any]
        verdict = await visits.meter.standing(limited) if limited else None
        spent = None if database is None else await _spent(settler, database, known)
        told = {
            **_described(known, account),
            **_usage(spent),
            "rate_limit": _rate(limited),
            "limits": {
                "requests": _stand(verdict and verdict.requests),
                "tokens": _stand(verdict and verdict.tokens),
                "all": [_limits(one) for one in limited],
            },
            "budgets": [] if spent is None else [one.view() for one in spent.budgets],
        }
        return Response(_encode({"data": told}), media_type="application/json")

    return router


def _described(known: Known, account: Account) -> Mapping[str, object]:
    who = known.principal
    return {
        "label": who.name,
        "name": who.name,
        "project": account.project or None,
        "organisation": account.organisation or None,
        "tags": account.tags,
        "models": None if who.models is None else sorted(who.models),
        "upstreams": None if who.upstreams is None else sorted(who.upstreams),
        "expires_at": iso(known.until),
        **_NEVER,
    }


async def _spent(settler: Settler, database: Database, known: Known) -> Spent:
    """Return what was spent by now; raises UnavailableError 503 where that cannot be read."""
    name, account = known.principal.name, known.principal.account or Account()
    allowances = [
        Allowance(holder.id, account.organisation, budget)
        for holder in account.holders
        for budget in holder.budgets
    ]
    try:
        at = settler.clock.wall()
        return await settler.questions.run(_read, database, name, allowances, at)
    except DatabaseError as error:
        message = "The ledger cannot be read now."
        raise UnavailableError(503, "accounting_unavailable", message, retry_after=1) from error


def _read(database: Database, name: str, allowances: Sequence[Allowance], at: float) -> Spent:
    spending = Spending(database)
    total, month, day = (
        Purse(f"key:{name}", period_of(one, at)) for one in (Period.TOTAL, Period.MONTH, Period.DAY)
    )
    sums = spending.sums([total, month, day])
    today = datetime.fromtimestamp(at, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    week = ask(database, Question(since=monday.timestamp(), only={"key": (name,)}))
    return Spent(
        sums[total].spent,
        sums[day].spent,
        sum(line.cost for line in week),
        sums[month].spent,
        standing(spending, allowances, at),
    )


def _usage(spent: Spent | None) -> Mapping[str, object]:
    """Return what was used; the limit is the budget of which least is left, whoever has it."""
    if spent is None:
        names = ("usage", "usage_daily", "usage_weekly", "usage_monthly")
        return dict.fromkeys((*names, "limit", "limit_remaining", "limit_reset"))
    least = min(spent.budgets, key=lambda one: one.left, default=None)
    return {
        "usage": money(spent.total),
        "usage_daily": money(spent.day),
        "usage_weekly": money(spent.week),
        "usage_monthly": money(spent.month),
        "limit": least and money(least.allowance.budget.most),
        "limit_remaining": least and money(least.left),
        "limit_reset": least and _RESET[least.allowance.budget.period],
    }


def _rate(limited: Sequence[Holder]) -> Mapping[str, object]:
    """Return the slowest rate of requests as OpenRouter tells it, whatever is left of it: -1 is none."""
    windows = [window for one in limited for window in one.limits.requests]
    tightest = min(windows, key=lambda one: one.most / one.seconds, default=Window(60, -1))
    return {"requests": tightest.most, "interval": f"{tightest.seconds}s"}


def _stand(one: Standing | None) -> Mapping[str, object] | None:
    """Return where a kind of limit stands, as the headers of a reply tell it; `reset`: Unix seconds."""
    return None if one is None else {**one._asdict(), "reset": ceil(one.reset)}


def _limits(holder: Holder) -> Mapping[str, object]:
    kind, _, name = holder.id.partition(":")
    said = holder.limits
    return {
        "kind": kind,
        "name": name,
        "requests": [one._asdict() for one in said.requests],
        "tokens": [one._asdict() for one in said.tokens],
        "characters": [one._asdict() for one in said.characters],
        "concurrent": said.concurrent,
    }
