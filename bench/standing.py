"""A gateway with one upstream, as a process: for rehearsals of what goes wrong around it."""

import contextlib
import json
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import Request, urlopen

import psutil  # type: ignore[import-untyped]  # psutil ships no types

from bench.failure import UnmeasuredError
from bench.payloads import MODEL
from bench.ports import free_port
from bench.processes import Running, running, until
from bench.rig import ENVIRONMENT, KEY


@dataclass(frozen=True, slots=True)
class Standing:
    """The gateway that runs, where it listens, and where it writes."""

    process: Running
    port: int
    ledger: Path
    config: Path

    def signal(self, number: int) -> None:
        """Send a signal to the process that was started."""
        psutil.Process(self.process.pid).send_signal(number)

    def stop(self) -> None:
        """Tell it to stop."""
        self.signal(signal.SIGTERM)

    def page(self, path: str) -> str:
        """Read a page with the key."""
        address = f"http://127.0.0.1:{self.port}{path}"
        request = Request(address, headers={"authorization": f"Bearer {KEY}"})
        with urlopen(request, timeout=30) as page:
            body: bytes = page.read()
        return body.decode()

    def is_ready(self) -> bool:
        """Whether it says that it should get requests."""
        try:
            self.page("/readyz")
        except (URLError, OSError):
            return False
        return True

    def log(self) -> str:
        """Return all that it wrote."""
        return self.process.log.read_text(errors="replace")

    def rows(self) -> Counter[tuple[bool, str]]:
        """Count the ledger's rows: whether of a request, and how it ended."""
        with contextlib.closing(sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True)) as rows:
            query = "SELECT attempt = 0, outcome, count(*) FROM entries GROUP BY 1, 2"
            return Counter({(bool(whole), how): n for whole, how, n in rows.execute(query)})

    def unevenly_settled(self) -> int:
        """Count requests that have not exactly one row of their own."""
        with contextlib.closing(sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True)) as rows:
            query = "SELECT count(*) FROM (SELECT 1 FROM entries GROUP BY request HAVING sum(attempt = 0) <> 1)"
            return int(rows.execute(query).fetchone()[0])


@contextlib.contextmanager
def standing(upstream: int, core: int | None = None, **server: object) -> Generator[Standing]:
    """Run a gateway in front of an upstream's port; `server`: its settings of that name."""
    with tempfile.TemporaryDirectory(prefix="infway-standing-") as name:
        folder, port = Path(name), free_port()
        config = folder / "infway.yaml"
        model = {"id": MODEL, "input_price": 0.15, "output_price": 0.6}
        row = {"name": "far", "vendor": "openai", "base_url": f"http://127.0.0.1:{upstream}/v1"}
        limits = {"connect": 30, "first_token": 120, "idle": 600, "total": 3600}
        settings = {
            "server": {"port": port, "grace": 0, **server},
            "discover": {"environment": False, "local": False},
            "keys": [{"name": "standing", "key": "${BENCH_KEY}", "admin": True}],
            "ledger": {"path": str(folder / "ledger.db"), "queue": 100_000},
            "upstreams": [{**row, "key": "${MOCK_KEY}", "models": [model], "timeouts": limits}],
        }
        config.write_text(json.dumps(settings))
        env = {**ENVIRONMENT, "INFWAY_DATA_DIR": str(folder)}
        argv = [sys.executable, "-m", "infway", "serve", "-c", str(config)]
        with running("infway", argv, core=core, folder=folder, env=env) as process:
            gateway = Standing(process, port, folder / "ledger.db", config)
            until(gateway.is_ready, process, within_s=60, every_s=0.1)
            yield gateway


def ended(gateway: Standing, within_s: float) -> int:
    """Wait for the process to end and return its exit code."""
    try:
        return int(psutil.Process(gateway.process.pid).wait(within_s))
    except psutil.TimeoutExpired as late:
        raise UnmeasuredError(f"{gateway.process.name} does not end") from late


def wait_for(true: Callable[[], bool], within_s: float) -> bool:
    """Wait until something is true; return whether it was in time."""
    until_s = monotonic() + within_s
    while not true():
        if monotonic() > until_s:
            return False
        sleep(0.05)
    return True


def verdict(checks: dict[str, bool]) -> int:
    """Print what does not hold; return the exit code."""
    wrong = [what for what, holds in checks.items() if not holds]
    print("\n".join(f"WRONG: {one}" for one in wrong) or "All of it holds.")
    return int(bool(wrong))
