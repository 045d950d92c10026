"""Several processes behind one listening socket, and the one that keeps them.

The keeper answers nothing: it starts workers, starts another where one dies, and passes on what it
is told. A worker hears it over a pipe, so that a signal that also reaches every process of a
group, as terminals and service managers send them, counts once.
"""

import logging
import signal
import socket
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Generic, Protocol, TypeVar

from infway.kernel.errors import InfwayError

_log = logging.getLogger(__name__)
_spawn = get_context("spawn")
_Plan = TypeVar("_Plan")
STARTUP_FAILURE = 3  # uvicorn's exit code of an app that could not be opened
_HUNG = 10.0  # seconds without a sign of life after which a worker is killed
_UNBORN = 60.0  # seconds until its first one: a busy machine takes long to load the program
BEAT = 1.0  # seconds between two signs of life
_SHORT = 1.0  # seconds; what lived no longer is not started again before they are over
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class WorkerError(InfwayError):
    """A worker cannot start, and no other could."""


class Hears(Protocol):
    """What a worker is told."""

    def stop(self, *, grace: bool, by: str) -> None:
        """Begin to stop; told again by the same, end at once."""
        ...

    def reload(self) -> None:
        """Read the configuration again."""
        ...


Pipe = Connection
Work = Callable[[_Plan, socket.socket, Pipe], None]


@dataclass(slots=True)
class _Worker:
    """A worker's process, and the keeper's end of its pipe. Times in monotonic seconds."""

    process: SpawnProcess
    pipe: Connection
    began: float
    heard: float


class Keeper(Generic[_Plan]):
    """Keeps `number` workers alive. `work` is what each of them runs.

    `plan`: what they serve, and those after them, until one of them says that it changed: who
    starts again after a crash must not depend on a file that may be wrong by now. `patience`:
    seconds that a worker has to stop in order.
    """

    def __init__(
        self,
        work: Work[_Plan],
        plan: _Plan,
        number: int,
        listener: socket.socket,
        patience: float,
        now: Callable[[], float],
    ) -> None:
        self._work = work
        self._plan = plan
        self._number = number
        self._listener = listener
        self._patience = patience
        self._now = now
        self._workers: list[_Worker] = []
        self._stops = 0
        self._kill_at = float("inf")
        self._failed = False
        self._wake, self._told = socket.socketpair()

    def run(self) -> None:
        """Return once it was told to stop and all workers have ended; raises WorkerError."""
        self._told.setblocking(False)
        before = {one: signal.signal(one, self._note) for one in SIGNALS}
        try:
            self._workers = [self._start() for _ in range(self._number)]
            while self._workers:
                self._turn()
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
            self._wake.close()
            self._told.close()
        if self._failed:
            raise WorkerError("a worker could not start; its log above says why")

    def _note(self, sig: int, _: FrameType | None) -> None:
        self._told.send(bytes([sig]))

    def _start(self) -> _Worker:
        ours, theirs = _spawn.Pipe()
        process = _spawn.Process(target=self._work, args=(self._plan, self._listener, theirs))
        process.start()
        theirs.close()
        now = self._now()
        return _Worker(process, ours, now, now + _UNBORN - _HUNG)  # pyright: ignore[reportArgumentType]  # the stubs mix the systems' classes up

    def _turn(self) -> None:
        """Wait for whatever happens next, and deal with it."""
        ends = [one.process.sentinel for one in self._workers]
        ready = wait([self._wake, *ends, *(one.pipe for one in self._workers)], BEAT)
        if self._wake in ready:
            for sig in self._wake.recv(64):
                self._obey(sig)
        for worker in list(self._workers):
            if worker.pipe in ready:
                self._listen(worker)
            if worker.process.exitcode is not None:
                self._bury(worker)
            elif self._now() - worker.heard > _HUNG or self._now() > self._kill_at:
                _log.error("worker %d gives no sign of life and is killed", worker.process.pid)
                worker.process.kill()
                worker.heard = self._now()

    def _listen(self, worker: _Worker) -> None:
        try:
            said: _Plan | None = worker.pipe.recv()
            self._plan = self._plan if said is None else said
        except (EOFError, OSError):
            worker.process.join(BEAT)
        worker.heard = self._now()

    def _obey(self, sig: int) -> None:
        if sig != signal.SIGHUP:
            self._stops += 1
            self._kill_at = min(self._kill_at, self._now() + self._patience)
        for worker in self._workers:
            self._tell(worker, sig)

    def _tell(self, worker: _Worker, sig: int) -> None:
        try:
            worker.pipe.send(sig)
        except OSError:
            _log.debug("worker %d ends by itself", worker.process.pid)

    def _bury(self, worker: _Worker) -> None:
        """Start another worker in the place of one that has ended, unless all are to end."""
        self._workers.remove(worker)
        worker.process.join()
        worker.pipe.close()
        if worker.process.exitcode == STARTUP_FAILURE:
            self._failed = True
            self._obey(signal.SIGTERM)
        if self._stops:
            return
        _log.warning("worker %d ended (%s)", worker.process.pid, worker.process.exitcode)
        if self._now() - worker.began < _SHORT:
            threading.Event().wait(_SHORT)
        self._workers.append(self._start())


def listen_to_keeper(loop: AbstractEventLoop, pipe: Connection, hears: Hears) -> None:
    """Read the pipe of a worker whenever there is something to be read.

    Where the keeper is gone, nobody would pass a stop on any more: that is one.
    """

    def read() -> None:
        try:
            sig: int = pipe.recv()
        except (EOFError, OSError):
            loop.remove_reader(pipe.fileno())
            sig = signal.SIGTERM
        if sig == signal.SIGHUP:
            hears.reload()
        else:
            hears.stop(grace=sig != signal.SIGINT, by="keeper")

    loop.add_reader(pipe.fileno(), read)


def show_life(pipe: Connection) -> None:
    """Give signs of life from a thread as long as the process runs."""

    def beat() -> None:
        over = threading.Event()
        while not over.wait(BEAT):
            try:
                pipe.send(None)
            except OSError:
                return

    threading.Thread(target=beat, name="heartbeat", daemon=True).start()
