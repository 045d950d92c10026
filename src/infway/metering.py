"""What keeps to the limits of keys, by what the configuration says."""

from collections.abc import Sequence

from infway.database import Database
from infway.ledger.recent import recent
from infway.parts import Parts
from infway.pipeline.admit import Visits
from infway.pipeline.settler import Settler
from infway.settings import Settings
from infway.state.meter import Meter, Past, PastUse
from infway.state.meter_memory import MemoryMeter
from infway.telemetry.metrics import Metrics

_CHARACTERS = 8  # of one token: twice what texts have; the ledger keeps tokens alone


def visits_of(settings: Settings, built: Parts, settler: Settler, metrics: Metrics) -> Visits:
    """Return what keeps to the limits of keys; it hears from the settler what was really used."""
    meter = _meter(settings, built, settler.journal.name)
    visits = Visits(meter)
    settler.settled = visits.settled
    if settings.state.redis is not None:
        metrics.watch_store("redis", lambda: meter.degraded)
    return visits


def _meter(settings: Settings, built: Parts, name: str) -> Meter:
    """Return what counts. `name`: of this process, as the ledger's rows say it."""
    state, clock = settings.state, built.clock
    parts = state.replicas * settings.server.workers
    if state.redis is None:
        return MemoryMeter(clock, parts)
    from infway.state.meter_past import Refill  # noqa: PLC0415 - as below
    from infway.state.meter_redis import RedisMeter  # noqa: PLC0415 - 40 ms, only where configured

    meter = RedisMeter(state.redis.get_secret_value(), name, parts, clock)
    meter.outage = built.outage
    if built.database is not None:
        meter.refill = Refill(name, clock, past_of(built.database))
    return meter


def past_of(database: Database) -> Past:
    """Return what says which process let in what, by the ledger."""

    def past(since: float, until: float) -> Sequence[PastUse]:
        return [
            PastUse(
                one.boot,
                [
                    f"{kind}:{name}"
                    for kind, name in (
                        ("key", one.key),
                        ("project", one.project),
                        ("organisation", one.organisation),
                    )
                    if name
                ],
                one.at,
                one.requests,
                one.prompt_tokens + one.completion_tokens,
                _CHARACTERS * one.prompt_tokens,
            )
            for one in recent(database, since, until)
        ]

    return past
