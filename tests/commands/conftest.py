"""The command line as people run it: a process, its output and its exit code."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


class Ran:
    """What a command said and how it ended."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr


@pytest.fixture
def infway(tmp_path: Path):
    """Run `infway` in an environment of its own."""

    def run(*argv: str, stdin: str = "", **environment: str) -> Ran:
        given = {"PATH": os.defpath, "HOME": str(tmp_path), **environment}
        given.setdefault("INFWAY_DATA_DIR", str(tmp_path / "data"))
        argv = (sys.executable, "-W", "error", "-m", "infway", *argv)
        return Ran(
            subprocess.run(
                argv,
                env=given,
                input=stdin,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        )

    return run


@contextmanager
def _gateway(status: int, body: bytes) -> Iterator[tuple[str, list[str]]]:
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
