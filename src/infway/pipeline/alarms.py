"""Who is told when a budget runs out: the log, a counter, and a webhook. Never on a request's path."""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple, Protocol

from infway.beside import beside
from infway.database import DatabaseError
from infway.kernel.account import Budget
from infway.kernel.chat import HttpCall, Timeouts
from infway.kernel.clock import Clock
from infway.kernel.errors import InfwayError, UpstreamFailed
from infway.kernel.money import usd_text
from infway.ledger.alerts import Alert, reached
from infway.ledger.purses import Purse
from infway.upstream.client import Client

_log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between two looks at what is to be told."""

PATIENCE = 10.0
"""Seconds that a webhook has for its answer."""

TRIES = 12
"""How often a webhook is tried: the last time some two hours after the first."""

_LONGEST = 1800.0  # seconds between two tries
_TIMES = Timeouts(connect=3.0, first_token=PATIENCE, whole=PATIENCE, idle=PATIENCE, total=PATIENCE)
_NOBODY = "alerts webhook"  # no upstream has a name with a space, so no credential goes there
_MOST_KNOWN = 100_000
_LENGTHS = {10: "day", 7: "month"}  # of the names of periods: 2026-11-21, 2026-11


class Hook(NamedTuple):
    """Where alerts are posted, and what signs them."""

    url: str
    secret: str


class Book(Protocol):
    """Where alerts are noted: `ledger.alerts.Alerts`."""

    def open(self) -> None:
        """Make it ready."""
        ...

    def note(self, alert: Alert, *, to_tell: bool) -> bool:
        """Note an alert; return whether nobody had."""
        ...

    def due(self, now: float, until: float) -> Sequence[Alert]:
        """Take what is to be told now; nobody else is given it before `until`."""
        ...

    def later(self, alert: Alert, due: float) -> None:
        """Have an alert told again at a time."""
        ...

    def told(self, alert: Alert) -> None:
        """Note that an alert was heard, or is given up."""
        ...


class Alarms:
    """Watches what is spent. `count` is told of each alert, once over all.

    `hook` may be changed; None: alerts are posted nowhere.
    """

    def __init__(
        self, book: Book, client: Client, clock: Clock, count: Callable[[str, str], None]
    ) -> None:
        self.hook: Hook | None = None
        self._book = book
        self._client = client
        self._clock = clock
        self._count = count
        self._known: set[tuple[Purse, int, int]] = set()
        self._new: list[Alert] = []
        self._is_open = False

    def watch(self, budget: Budget, purse: Purse, spent: int) -> None:
        """Look whether a share of a budget is reached that was not before."""
        for share in reached(budget.alerts, budget.most, spent):
            known = purse, share, budget.most
            if known not in self._known:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known.add(known)
                self._new.append(Alert(purse, share, budget.most, spent, self._clock.wall()))

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Tell while the block runs."""
        async with beside(self._run):
            yield

    async def _run(self) -> None:
        reason = ""
        while True:
            await asyncio.sleep(PAUSE)
            try:
                await self.look()
                reason = ""
            except Exception as error:  # noqa: BLE001 - whatever it is, it may pass, and alerts go on
                if str(error) != reason:
                    fault = None if isinstance(error, InfwayError) else error
                    _log.warning("an alert cannot be noted or told: %s", error, exc_info=fault)
                reason = str(error)

    async def look(self) -> None:
        """Note what is new, and tell what is due; raises what went wrong, when all else is done."""
        if not self._is_open:
            await asyncio.to_thread(self._book.open)
            self._is_open = True
        wrong = await _each(tuple(self._new), self._note)
        if self.hook is not None:
            now = self._clock.wall()
            due = await asyncio.to_thread(self._book.due, now, now + 3 * PATIENCE)
            wrong += await _each(due, partial(self._tell, self.hook))
        if wrong:
            raise wrong[0]

    async def _note(self, alert: Alert) -> None:
        if await asyncio.to_thread(self._book.note, alert, to_tell=self.hook is not None):
            self._say(alert)
        self._new.remove(alert)

    def _say(self, alert: Alert) -> None:
        kind, _, name = alert.purse.holder.partition(":")
        period = period_word(alert.purse)
        self._count(kind, period)
        _log.warning(
            "%d %% of a budget are spent: %s=%s period=%s budget_usd=%s spent_usd=%s",
            alert.share // 10_000,
            kind,
            name,
            alert.purse.period,
            usd_text(alert.most, 6),
            usd_text(alert.spent, 6),
        )

    async def _tell(self, hook: Hook, alert: Alert) -> None:
        """Post an alert; one that nobody takes is posted again, later and later."""
        said = await self._post(hook, alert)
        if said == "":
            await asyncio.to_thread(self._book.told, alert)
            return
        if alert.tries >= TRIES:
            _log.error("the webhook for alerts is given up after %d tries: %s", alert.tries, said)
            await asyncio.to_thread(self._book.told, alert)
            return
        if alert.tries == 1:
            _log.warning("the webhook for alerts is tried again later: %s", said)
        pause = min(_LONGEST, 2.0**alert.tries)
        await asyncio.to_thread(self._book.later, alert, self._clock.wall() + pause)

    async def _post(self, hook: Hook, alert: Alert) -> str:
        """Return why it was not heard; empty where it was. Redirects are answers like any other."""
        body = message(alert)
        headers = {
            "content-type": "application/json",
            **signed(hook.secret, name_of(alert), int(self._clock.wall()), body),
        }
        call = HttpCall(_NOBODY, hook.url, headers, body)
        try:
            async with asyncio.timeout(PATIENCE):
                response = await self._client.send(call, _TIMES)
                response.close()
        except (UpstreamFailed, TimeoutError, OSError, ValueError) as error:
            return str(error) or "no answer in time"
        return "" if 200 <= response.status < 300 else f"status {response.status}"


async def _each(
    alerts: Sequence[Alert], verb: Callable[[Alert], Awaitable[None]]
) -> list[Exception]:
    """Do something with each alert; return what went wrong with any. A database away ends it."""
    wrong: list[Exception] = []
    for alert in alerts:
        try:
            await verb(alert)
        except Exception as error:
            if isinstance(error, DatabaseError) and error.is_away:
                raise
            wrong.append(error)
    return wrong


def name_of(alert: Alert) -> str:
    """Return what an alert is known by: the same at every try, and no other's."""
    words = f"{alert.purse.holder}/{alert.purse.period}/{alert.share}/{alert.most}"
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def period_word(purse: Purse) -> str:
    """Return how long a purse lasts, in the words of the configuration."""
    return _LENGTHS.get(len(purse.period), "total")


def message(alert: Alert) -> bytes:
    """Return the body that a webhook is posted."""
    kind, _, name = alert.purse.holder.partition(":")
    told = {
        "type": "budget.alert",
        "id": name_of(alert),
        "at": datetime.fromtimestamp(alert.at, UTC).isoformat(timespec="seconds"),
        "holder": {"kind": kind, "name": name},
        "budget": {
            "per": period_word(alert.purse),
            "period": alert.purse.period,
            "usd": usd_text(alert.most),
        },
        "share": alert.share / 10**6,
        "spent_usd": usd_text(alert.spent),
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def signed(secret: str, name: str, at: int, body: bytes) -> dict[str, str]:
    """Return the headers that say when a message was sent, and by whom (standardwebhooks.com).

    What is signed is the id, the Unix seconds and the body, with dots between.
    """
    digest = hmac.digest(secret.encode(), b"%b.%d.%b" % (name.encode(), at, body), "sha256")
    return {
        "webhook-id": name,
        "webhook-timestamp": str(at),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }
