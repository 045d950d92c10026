"""The command line: what it says and how it ends, in this process or in one of its own."""

import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.commands.booked import CONFIG, ROWS

from infway.cli import main
from infway.database import Database
from infway.ledger.sql import SqlLedger


@dataclass
class Ran:
    """What a command said and how it ended."""

    code: object
    out: str
    err: str


def _environment(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    usual = {"PATH": os.defpath, "HOME": str(home), "INFWAY_DATA_DIR": str(home / "data")}
    return {**usual, **more}


@pytest.fixture
def infway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run `infway` in an environment of its own, by the function that the command calls."""

    def run(*argv: str, stdin: str = "", **environment: str) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        with monkeypatch.context() as here, redirect_stdout(out), redirect_stderr(err):
            here.setattr(sys, "argv", ["infway", *argv])
            here.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
            here.setattr(os, "environ", _environment(tmp_path, environment))
            with pytest.raises(SystemExit) as left:
                main()
        return Ran(left.value.code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def process(tmp_path: Path):
    """Run `infway` as people do: a process, for what shows only there."""

    def run(*argv: str, stdin: str = "", **environment: str) -> Ran:
        done = subprocess.run(
            (sys.executable, "-W", "error", "-m", "infway", *argv),
            env=_environment(tmp_path, environment),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@contextmanager
def _gateway(status: int, body: bytes, kind: str | None = None) -> Iterator[tuple[str, list[str]]]:
    """Answer everything alike; yield the URL and what was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            said = self.rfile.read(length).decode()
            key = self.headers.get("authorization", "no key")
            asked.append(f"{self.command} {self.path} {key} {said}")
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            if kind is not None:
                self.send_header("content-type", kind)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name that the server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def gateway():
    """Answer everything alike; gives the URL and what was asked, while it is entered."""
    return _gateway


@pytest.fixture
def config(tmp_path: Path):
    """Write a configuration file and return its path."""

    def write(text: str) -> str:
        path = tmp_path / "infway.yaml"
        path.write_text(text)
        return str(path)

    return write


@pytest.fixture
def file(database: Database, place: str | Path, config: Callable[[str], str]) -> str:
    """The configuration of a ledger with rows, which stays open."""
    ledger = SqlLedger(database)
    ledger.open()
    ledger.append(ROWS)
    where = (
        f"ledger: {{path: {place}}}" if isinstance(place, Path) else f"store: {{url: '{place}'}}"
    )
    return config(CONFIG.format(store=where))
