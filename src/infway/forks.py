"""Processes that are there at once: forked from one that has loaded the program and does nothing else.

What was loaded is in memory once for all of them. No signal to all ends the one that forks: whoever
keeps the others tells them, and it ends with the last of them.
"""

import os
import signal
from collections.abc import Callable
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.context import ForkServerProcess

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PROGRAM = ["__main__", "infway.served"]
_LATE = [
    "uvloop",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
]  # else loaded when it serves
_context = get_context("forkserver")

Forked = ForkServerProcess


def forked(work: Callable[..., None], *said: object) -> Forked:
    """Return a process that does something, with signals that it does not hear yet.

    What comes meanwhile is heard afterwards here.
    """
    _context.set_forkserver_preload([*_PROGRAM, *_LATE])
    process = _context.Process(target=work, args=said)
    resource_tracker.ensure_running()  # else it is started within, and lets signals through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process


def hear_signals() -> None:
    """Let signals through, in a forked process that has said what they mean to it."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def tell_owner(said: signal.Signals) -> None:
    """Send a signal to whoever has this process: its parent is another, which only forks."""
    owner = parent_process()
    if owner is not None and owner.pid is not None and owner.is_alive():
        os.kill(owner.pid, said)
