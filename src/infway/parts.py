"""The parts of an app that are chosen once, at its start, and may be replaced."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from pydantic import SecretStr

from infway.accounts.gatehouse import Gatehouse
from infway.database import Database
from infway.ims.rank import Router
from infway.kernel.clock import Clock, system_clock
from infway.kernel.ids import base36
from infway.ledger.replays import Replays
from infway.ledger.responses import Responses
from infway.ledger.responses_sqlite import SqliteResponses
from infway.ledger.rows import Ledger
from infway.pipeline.alarms import Book
from infway.pipeline.holdings import Funds
from infway.pipeline.settler import Spooling
from infway.pipeline.sharing import Sharing
from infway.providers.adapter import Adapter
from infway.providers.embeddings.embedder import Embedder
from infway.providers.mirror import Carrier
from infway.providers.passing.passer import Passer
from infway.providers.registry import ADAPTERS, CARRIERS, EMBEDDERS, PASSERS
from infway.state.outage import Outage
from infway.telemetry.tallies import Tallies
from infway.upstream.resolve import Ask, system


@dataclass(frozen=True, slots=True)
class Parts:
    """What an app is built with and a test may replace.

    `seed`: the source of all chance. `resolve` knows where upstreams' names are, `trust` makes
    what verifies their certificates. `spooling`: where rows wait; None: in memory alone.
    `gatehouse`: what knows keys that are made at run time; None: there are none. `funds`: where
    budgets are kept; None: none hold. `replays`: where replies to requests are kept that may come
    twice; None: nowhere. `database`: where questions about usage are asked, and contents are kept;
    None: nowhere. `tallies`: what metrics are counted in, with other workers; None: alone.
    `outage`: says once for all whether Redis is there.
    """

    ledger: Ledger
    responses: Responses
    seed: int
    clock: Clock
    adapters: Mapping[str, Adapter]
    carriers: Mapping[str, Carrier]
    embedders: Mapping[str, Embedder]
    passers: Mapping[str, Passer]
    resolve: Ask = system
    trust: Callable[[], ssl.SSLContext] = ssl.create_default_context
    spooling: Spooling | None = None
    gatehouse: Gatehouse | None = None
    funds: Funds | None = None
    replays: Replays | None = None
    tallies: Tallies | None = None
    alerts: Book | None = None
    database: Database | None = None
    outage: Outage = field(default_factory=Outage)


def parts(ledger: Ledger, seed: int, responses: Responses | None = None) -> Parts:
    """Return the parts of a real gateway; without a store, responses are kept in memory."""
    kept = responses or SqliteResponses()
    return Parts(ledger, kept, seed, system_clock(), ADAPTERS, CARRIERS, EMBEDDERS, PASSERS)


def sharing_at(
    redis: SecretStr | None,
    now: Callable[[], float],
    random: Random,
    router: Callable[[], Router],
    outage: Outage,
) -> Sharing | None:
    """Return what keeps the router of the moment in touch with other replicas, where there is a Redis.

    Raises SettingsError where `redis` is no URL of one. `now`: monotonic seconds.
    """
    if redis is None:
        return None
    from infway.state.probes import RedisProbes  # noqa: PLC0415 - 40 ms, only where configured
    from infway.state.redis import RedisBoard  # noqa: PLC0415 - as above

    url, name = redis.get_secret_value(), base36(random.getrandbits(64))
    board = RedisBoard(url, name, now)
    board.outage = outage
    return Sharing(board, router, now, RedisProbes(url, name, now))
