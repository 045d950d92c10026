"""Processes under measurement: started on a core of their own, read with psutil, always stopped."""

import contextlib
import subprocess
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from time import monotonic, sleep

import psutil  # type: ignore[import-untyped]  # psutil ships no types

from bench.failure import UnmeasuredError

STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of a process tree: resident, proportional share, and what it alone holds."""

    rss: int
    pss: int
    uss: int


@dataclass(frozen=True, slots=True)
class Running:
    """A started process with everything it started itself."""

    name: str
    pid: int
    log: Path

    def cpu_s(self) -> float:
        """User and system seconds of the tree so far."""
        times = [process.cpu_times() for process in self._tree()]
        return sum(float(spent.user) + float(spent.system) for spent in times)

    def memory(self) -> Memory:
        """What the tree holds now."""
        parts = [process.memory_full_info() for process in self._tree()]
        return Memory(
            rss=sum(int(part.rss) for part in parts),
            pss=sum(int(part.pss) for part in parts),
            uss=sum(int(part.uss) for part in parts),
        )

    def alive(self) -> bool:
        """False once it has ended, also when nobody has collected its exit code yet."""
        try:
            return bool(psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    def last_words(self) -> str:
        """The end of its output, for the message when it fails."""
        return self.log.read_text(errors="replace")[-2000:].strip()

    def _tree(self) -> list[psutil.Process]:
        try:
            top = psutil.Process(self.pid)
            return [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess as gone:
            raise UnmeasuredError(f"{self.name} ended: {self.last_words()}") from gone


def pinned(argv: Sequence[str], core: int | None) -> list[str]:
    """The command bound to one core; unchanged where there is no core to give or no taskset."""
    taskset = which("taskset")
    if core is None or taskset is None:
        return list(argv)
    return [taskset, "-c", str(core), *argv]


@contextlib.contextmanager
def running(
    name: str,
    argv: Sequence[str],
    *,
    core: int | None,
    folder: Path,
    env: Mapping[str, str] | None = None,
) -> Generator[Running]:
    """Runs a command for the length of the block; its output goes to `folder/name.log`.

    `env` is the whole environment of the command; None hands ours on.
    """
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            pinned(argv, core), stdout=output, stderr=subprocess.STDOUT, env=env
        )
        try:
            yield Running(name=name, pid=process.pid, log=log)
        finally:
            _stop(process)


def until(true: Callable[[], bool], process: Running, *, within_s: float, every_s: float) -> None:
    """Waits for a condition of a process; UnmeasuredError if it ends or takes too long."""
    give_up = monotonic() + within_s
    while not true():
        if not process.alive() or monotonic() > give_up:
            fault = "did not get ready" if process.alive() else "ended"
            raise UnmeasuredError(f"{process.name} {fault}: {process.last_words()}")
        sleep(every_s)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the tree: politely, then for certain."""
    try:
        children = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        children = []
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in psutil.wait_procs(children, timeout=1.0)[1]:
        child.kill()
