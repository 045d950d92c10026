"""Cuts connections whose servers say nothing: their own limits mean nothing once they are frozen."""

import math
import os
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from threading import Condition, Thread
from typing import NamedTuple

import psycopg


class _Held(NamedTuple):
    connection: psycopg.Connection[tuple[object, ...]]
    until: float


class Leash:
    """Watches statements in one thread, which is there as long as there are any.

    A thread for each statement would cost more than most of them: to start one takes two turns of
    the interpreter's lock, each of some milliseconds where the event loop is busy. `now`: seconds
    of a monotonic clock.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._changed = Condition()
        self._held: dict[int, _Held] = {}  # by connection
        self._until = math.inf  # when the thread looks next
        self._runs = False

    @contextmanager
    def hold(
        self, connection: psycopg.Connection[tuple[object, ...]], limit: float
    ) -> Generator[None, None, None]:
        """Cut a connection that is in the block for more than `limit` seconds."""
        held = _Held(connection, self._now() + limit)
        try:
            with self._changed:
                self._held[id(connection)] = held
                if not self._runs:
                    Thread(target=self._watch, name="infway-leash", daemon=True).start()
                    self._runs = True
                elif held.until < self._until:
                    self._changed.notify()
            yield
        finally:
            with self._changed:
                self._held.pop(id(connection), None)

    def _watch(self) -> None:
        """Look at each when its time is over, until there is none."""
        with self._changed:
            try:
                while self._held:
                    now = self._now()
                    self._cut(now)
                    self._until = min((held.until for held in self._held.values()), default=now)
                    self._changed.wait(self._until - now)
            finally:
                self._runs = False
                self._until = math.inf

    def _cut(self, now: float) -> None:
        for key, held in list(self._held.items()):
            if held.until <= now:
                del self._held[key]
                _cut(held.connection)


def _cut(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    if connection.closed:
        return
    with (
        suppress(OSError, psycopg.Error),
        socket.socket(fileno=os.dup(connection.fileno())) as line,
    ):
        line.shutdown(socket.SHUT_RDWR)
