"""The whole line: the real gateway on a port, with one upstream for each recording and cut.

Each has an upstream of its own, so that a failure is nobody else's: no rest, no open breaker.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.api.caller import KEY
from tests.api.serving import served
from tests.conformance.kinds import KINDS, kind_of
from tests.conformance.recording import Recording
from tests.conformance.said import PRICES
from tests.conftest import settled

from infway.app import App, parts
from infway.ledger.sqlite import SqliteLedger


def upstream_settings(name: str, recording: Recording, port: int) -> dict[str, object]:
    """Return the settings of the upstream that plays one recording."""
    kind = KINDS[kind_of(recording.row)]
    provider = recording.row.provider
    native = recording.row.model or "native"
    model = {"id": name, "native": native, "mode": kind.mode, **PRICES}
    return {
        "name": name,
        "vendor": provider if provider in kind.vendors else "custom",
        "dialect": kind.dialect,
        "base_url": f"http://127.0.0.1:{port}/{name}",
        "key": "a-key-that-nobody-checks",
        "models": [model],
    }


@asynccontextmanager
async def gateway(ledger: Path, upstreams: list[dict[str, object]]) -> AsyncIterator[str]:
    """Serve a gateway with these upstreams while the block runs; yields its base URL for SDKs."""
    as_it_costs = {"zero_completion_insurance": False}  # the vendors' usage is what is compared
    tree: Mapping[str, object] = {
        "upstreams": upstreams, "attempts": {"max": 1}, "billing": as_it_costs,
    }  # fmt: skip
    app = App(*settled(tree), parts(SqliteLedger(ledger), 7))
    async with served(app.front) as port:
        yield f"http://127.0.0.1:{port}/v1"


__all__ = ["KEY", "gateway", "upstream_settings"]
