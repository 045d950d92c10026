"""The installed command `infway serve` as a process on a real port, and what clients need of it."""

import json
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from tests.wall import closed_port

INFWAY = Path(sysconfig.get_path("scripts")) / "infway"
CLIENTS = Path(__file__).parent / "clients"
# Where `make install-dev` puts the clients that cannot stand beside the development packages.
OTHER_PYTHON = Path(sys.prefix).parent / ".venv-clients" / "bin" / "python"
FRAMEWORKS = Path(sys.prefix).parent / ".venv-frameworks" / "bin" / "python"
PATIENCE = 60  # seconds; reached only where something hangs


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway. `banner` is all it printed at its start; `log` is its standard error."""

    process: subprocess.Popen[str]
    url: str
    environment: Mapping[str, str]
    banner: str
    log: Path

    def infway(self, *argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run another `infway` in the same surroundings."""
        return run(INFWAY, *argv, environment=self.environment, stdin=stdin)

    def stop(self) -> int:
        """Stop it in order, as Ctrl-C does without a grace, and return its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


def run(
    *argv: str | Path,
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
    folder: Path | None = None,
    patience: float = PATIENCE,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        argv,
        env=environment,
        input=stdin,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )


def reported(*argv: str | Path, folder: Path | None = None, patience: float = PATIENCE) -> dict:
    """Run a client and read its report; what it says instead is the failure."""
    done = run(*argv, environment={"PATH": os.defpath}, folder=folder, patience=patience)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def forker_of(keeper: int) -> psutil.Process | None:
    """Return the process that forks a keeper's workers."""
    for one in psutil.Process(keeper).children():
        with suppress(psutil.Error):
            if "forkserver" in " ".join(one.cmdline()):
                return one
    return None


def workers_of(keeper: int) -> list[psutil.Process]:
    """Return the processes that serve: those that the keeper has forked by another."""
    forker = forker_of(keeper)
    with suppress(psutil.Error):
        return forker.children() if forker is not None else []
    return []


def free_port() -> int:
    """Return a port that nobody listens on, and that nobody gets by chance meanwhile."""
    return closed_port()


@contextmanager
def serving(folder: Path, *options: str | Path) -> Iterator[Gateway]:
    """Run `infway serve` with nothing in its environment but a home, a path and a port.

    And with Python's warnings as errors, here and in every command that is run beside it; and with
    threads of the embedded model that do not spin while they wait.
    """
    port = free_port()
    environment = {"HOME": str(folder), "PATH": os.defpath, "PORT": str(port)}
    environment |= {"PYTHONWARNINGS": "error", "OMP_WAIT_POLICY": "PASSIVE"}
    log = folder / "log"
    with (
        log.open("a") as errors,
        subprocess.Popen(
            [INFWAY, "serve", *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            banner = _banner(process)
            assert banner, log.read_text()
            yield Gateway(process, f"http://127.0.0.1:{port}", environment, banner, log)
        finally:
            if process.poll() is None:
                process.kill()


def _banner(process: subprocess.Popen[str]) -> str:
    """Read what is printed at the start, up to the end of the line to paste."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.lstrip().startswith("-d "):
            return "".join(lines)
    return ""
