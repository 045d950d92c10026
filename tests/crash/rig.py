"""The gateway: a process and its workers, to be killed and started again over the same data."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil
from tests.e2e.gateway import free_port, workers_of

# So many requests lie between two of one model and one key: rows are told apart by both
MODELS, KEYS = 40, 400
WORKERS = 2
PEPPER = "9f2c7be1a40d5863c1e7f0b29d4a6e8850b3d1f7a2c94e6d"
_PATIENCE = 240.0


def model_of(number: int) -> str:
    """Return the model of a request."""
    return f"m-{number % MODELS}"


def name_of(number: int) -> str:
    """Return the name of its key."""
    return f"k-{number // MODELS % KEYS}"


def key_of(number: int) -> str:
    """Return its key."""
    return f"sk-crash-0123456789abcdef-{name_of(number)}"


class Rig:
    """One gateway in a folder. `more`: settings of its own."""

    def __init__(self, folder: Path, upstream: int, more: Mapping[str, object]) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        row = {"name": "far", "vendor": "custom", "base_url": f"http://127.0.0.1:{upstream}/v1"}
        prices = {"input_price": 1, "output_price": 2}
        models = [{"id": model_of(number), **prices} for number in range(MODELS)]
        settings = {
            "server": {"port": self.port, "workers": WORKERS, "grace": 0},
            "keys": [{"name": name_of(n * MODELS), "key": key_of(n * MODELS)} for n in range(KEYS)],
            "discover": {"environment": False, "local": False},
            "attempts": {"max": 1, "rescue": False},
            "upstreams": [{**row, "key": "sk-far-0123456789abcdef", "models": models}],
            **more,
        }
        (folder / "infway.yaml").write_text(json.dumps(settings))

    def start(self) -> None:
        """Start it; returns when it is ready."""
        environment = {"PATH": os.defpath, "INFWAY_DATA_DIR": str(self.folder)}
        command = [sys.executable, "-m", "infway", "serve", "-c", self.folder / "infway.yaml"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            until(self._is_ready)
        except AssertionError:
            print(self.log()[-5000:], file=sys.stderr)
            raise

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "it ended"
        return self.status("/readyz") == 200

    def stop(self) -> int:
        """Stop it in order; return its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(_PATIENCE)

    def kill(self) -> None:
        """Kill all of it at once."""
        if self._process is None or self._process.poll() is not None:
            return
        mother = psutil.Process(self._process.pid)
        every = [mother, *mother.children(recursive=True)]
        for one in every:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        self._process.wait()
        until(lambda: not any(map(_runs, every)))

    def kill_worker(self) -> None:
        """Kill one of those that answer."""
        assert self._process is not None
        workers_of(self._process.pid)[0].kill()

    def status(self, path: str) -> int:
        """Return the status of a page, 0 where nobody answers."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, HTTPException):
            return 0
        finally:
            connection.close()

    def journals(self) -> set[str]:
        """The names of those that have a journal, alive or dead."""
        spool = self.folder / "spool"
        return (
            {one.name for one in spool.iterdir() if one.name[0] != "."} if spool.is_dir() else set()
        )

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


def _runs(process: psutil.Process) -> bool:
    """Tell whether a process is there still; an orphan that nobody waits for is not."""
    try:
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(true: object, patience: float = _PATIENCE) -> float:
    """Wait until something is true; return the seconds that took."""
    assert callable(true)
    began = time.perf_counter()
    while not true():
        assert time.perf_counter() - began < patience, "it took too long"
        time.sleep(0.02)
    return time.perf_counter() - began
