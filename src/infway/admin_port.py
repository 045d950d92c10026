"""The port of the admin API, beside that of callers and in the same process.

With several workers each of them listens there, and the kernel deals connections out.
"""

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from secrets import randbits

import uvicorn

from infway.accounts.gatehouse import Gatehouse
from infway.addresses import ADMIN_WAY, bound
from infway.app import App
from infway.configured import limits_of
from infway.database import Database
from infway.door.hall import DoorConfig
from infway.door.protocols import PROTOCOLS
from infway.forks import tell_owner
from infway.kernel.clock import system_clock
from infway.kernel.ids import Ids
from infway.settings import Settings

_DRAIN = 5  # seconds that a reply gets at a stop


class _Beside(uvicorn.Server):
    """A server beside the one of callers, whose signals are none of its business."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the other server."""
        yield


@asynccontextmanager
async def admin_open(
    app: App,
    gatehouse: Gatehouse,
    database: Database,
    settings: Settings,
    reload: Callable[[], None],
) -> AsyncGenerator[None, None]:
    """Serve the admin API while the block runs, where there is one."""
    admin = settings.admin
    if admin.port is None:
        yield
        return
    listening = _Beside(_config(app, gatehouse, database, settings, reload))
    listener = bound(admin.host, admin.port, ADMIN_WAY, shared=True)
    task = asyncio.create_task(listening.serve([listener]))
    try:
        yield
    finally:
        listening.should_exit = True
        await task
        listener.close()


def _config(
    app: App,
    gatehouse: Gatehouse,
    database: Database,
    settings: Settings,
    reload: Callable[[], None],
) -> DoorConfig:
    """Return what serves the admin API."""
    # a third of a second, which only those wait for who administer
    from infway.api.administration.accounting import Archive  # noqa: PLC0415 - as said above
    from infway.api.administration.served import (  # noqa: PLC0415 - as said above
        Administered,
        admin_front,
    )

    server = settings.server
    archive = Archive(database, app.settler.rows_of)
    subject = Administered(gatehouse, archive, app.decisions, app.metrics.refused, reload)
    ids = Ids(randbits(64))
    front = admin_front(subject, ids, system_clock(), docs=server.docs)
    return DoorConfig(
        front,
        replace(limits_of(server), hosts=frozenset()),
        front.turn_away,
        loop="none",
        http=PROTOCOLS[server.http],
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_DRAIN,
    )


def tell_keeper() -> None:
    """Have the configuration read again by all workers: their keeper passes it on."""
    tell_owner(signal.SIGHUP)
