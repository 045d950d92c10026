"""Several processes behind one listening socket, and the one that keeps them.

The keeper answers nothing: it starts workers, starts another where one dies, and passes on what it
is told. A worker hears it over a pipe, so that a signal that also reaches every process of a
group, as terminals and service managers send them, counts once.
"""

import logging
import multiprocessing
import signal
import socket
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Generic, NamedTuple, Protocol, TypeVar

from infway.forks import SIGNALS, Forked, forked
from infway.kernel.errors import InfwayError

_log = logging.getLogger(__name__)
_Plan = TypeVar("_Plan")
STARTUP_FAILURE = 3  # uvicorn's exit code of an app that could not be opened, and ours
_HUNG = 10.0  # seconds without a sign of life after which a worker is killed
_UNBORN = 60.0  # seconds until its first one: a busy machine takes long to load the program
BEAT = 1.0  # seconds between two signs of life
_SHORT = 1.0  # seconds; what lived no longer is not started again before they are over
_LONGEST = 8.0  # seconds between two starts while none succeeds


class WorkerError(InfwayError):
    """A worker cannot start, and no other could."""


class Ready(NamedTuple):
    """What a worker says once it takes requests."""


class Refused(NamedTuple):
    """What a worker says that cannot start."""

    reason: str


class Hears(Protocol):
    """What a worker is told."""

    def stop(self, *, grace: bool, by: str) -> None:
        """Begin to stop; told again by the same, end at once."""
        ...

    def reload(self) -> None:
        """Read the configuration again."""
        ...


class Pipe:
    """A worker's end of its pipe. Several threads speak, one after the other."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._turn = threading.Lock()

    def say(self, said: object) -> bool:
        """Tell the keeper: a sign of life (None), Ready, Refused, or another plan.

        Return whether it is there to hear it.
        """
        with self._turn:
            try:
                self.connection.send(said)
            except OSError:
                return False
        return True


Work = Callable[[_Plan, socket.socket, Connection], None]


@dataclass(slots=True)
class _Worker:
    """A worker's process, and the keeper's end of its pipe. Times in monotonic seconds.

    `reason`: why it could not start, where it could not.
    """

    process: Forked
    pipe: Connection
    began: float
    heard: float
    reason: str = "its log above says why"


class Keeper(Generic[_Plan]):
    """Keeps `number` workers alive. `work` is what each of them runs.

    One that cannot start ends them all as long as none ever could: then it is the configuration,
    or the machine. Later on it is a store that is away or full, with which the others go on, so it
    is tried again, after longer and longer pauses.

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
        self._due: list[float] = []  # when others are started
        self._served = False
        self._pause = 0.0  # seconds until the next start, where the last one failed
        self._said = ""
        self._failed = ""
        self._wake, self._told = socket.socketpair()

    def run(self) -> None:
        """Return once it was told to stop and all workers have ended; raises WorkerError."""
        self._told.setblocking(False)
        before = {one: signal.signal(one, self._note) for one in SIGNALS}
        try:
            self._workers = [self._start() for _ in range(self._number)]
            while self._workers or self._due:
                self._turn()
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
            self._wake.close()
            self._told.close()
        if self._failed:
            raise WorkerError(f"a worker could not start: {self._failed}")

    def _note(self, sig: int, _: FrameType | None) -> None:
        self._told.send(bytes([sig]))

    def _start(self) -> _Worker:
        ours, theirs = multiprocessing.Pipe()
        process = forked(self._work, self._plan, self._listener, theirs)
        theirs.close()
        now = self._now()
        return _Worker(process, ours, now, now + _UNBORN - _HUNG)  # pyright: ignore[reportArgumentType]  # the stubs mix the systems' classes up

    def _turn(self) -> None:
        """Wait for whatever happens next, and deal with it."""
        ends = [one.process.sentinel for one in self._workers]
        patience = min((BEAT, *(max(0.0, due - self._now()) for due in self._due)))
        ready = wait([self._wake, *ends, *(one.pipe for one in self._workers)], patience)
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
        for due in [one for one in self._due if one <= self._now()]:
            self._due.remove(due)
            self._workers.append(self._start())

    def _listen(self, worker: _Worker) -> None:
        """Hear all that a worker has said."""
        try:
            while worker.pipe.poll():
                self._hear(worker, worker.pipe.recv())
        except (EOFError, OSError):
            worker.process.join(BEAT)
        worker.heard = self._now()

    def _hear(self, worker: _Worker, said: _Plan | Ready | Refused | None) -> None:
        match said:
            case None:
                pass  # it lives
            case Ready():
                if self._said:
                    _log.warning("workers can start again")
                self._served, self._pause, self._said = True, 0.0, ""
            case Refused(reason):
                worker.reason = reason
            case plan:
                self._plan = plan

    def _obey(self, sig: int) -> None:
        if sig != signal.SIGHUP:
            self._stops += 1
            self._kill_at = min(self._kill_at, self._now() + self._patience)
            self._due.clear()
        for worker in self._workers:
            self._tell(worker, sig)

    def _tell(self, worker: _Worker, sig: int) -> None:
        try:
            worker.pipe.send(sig)
        except OSError:
            _log.debug("worker %d ends by itself", worker.process.pid)

    def _bury(self, worker: _Worker) -> None:
        """Have another worker started in the place of one that has ended, unless all are to end."""
        self._listen(worker)  # its last words
        self._workers.remove(worker)
        worker.process.join()
        worker.pipe.close()
        if worker.process.exitcode == STARTUP_FAILURE:
            self._refuse(worker.reason)
        elif not self._stops:
            _log.warning("worker %d ended (%s)", worker.process.pid, worker.process.exitcode)
        if not self._stops:
            lived = self._now() - worker.began
            self._due.append(self._now() + (self._pause or (_SHORT if lived < _SHORT else 0.0)))

    def _refuse(self, reason: str) -> None:
        """Note that a worker could not start: end them all, or wait for longer than the last time."""
        if not self._served:
            self._failed = self._failed or reason
            self._obey(signal.SIGTERM)
            return
        self._pause = min(max(_SHORT, 2 * self._pause), _LONGEST)
        if self._said != reason:
            _log.error("a worker cannot start, it is tried again and the others go on: %s", reason)
        self._said = reason


def listen_to_keeper(loop: AbstractEventLoop, pipe: Pipe, hears: Hears) -> None:
    """Read the pipe of a worker whenever there is something to be read.

    Where the keeper is gone, nobody would pass a stop on any more: that is one.
    """
    connection = pipe.connection

    def read() -> None:
        try:
            sig: int = connection.recv()
        except (EOFError, OSError):
            loop.remove_reader(connection.fileno())
            sig = signal.SIGTERM
        if sig == signal.SIGHUP:
            hears.reload()
        else:
            hears.stop(grace=sig != signal.SIGINT, by="keeper")

    loop.add_reader(connection.fileno(), read)


def show_life(pipe: Pipe) -> None:
    """Give signs of life from a thread as long as the process runs."""

    def beat() -> None:
        over = threading.Event()
        while not over.wait(BEAT) and pipe.say(None):
            pass

    threading.Thread(target=beat, name="heartbeat", daemon=True).start()
