"""What all connections of one process share: how many there are, and who words refusals."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import uvicorn

from infway.door.limits import Limits
from infway.door.whole import CLOSE, head_of
from infway.kernel.errors import GatewayError

Words = Callable[[GatewayError, str], tuple[list[tuple[bytes, bytes]], bytes]]


class DoorConfig(uvicorn.Config):
    """uvicorn's configuration of one process, with what its door has to know.

    `words`: returns the headers and the body that say an error at a path.
    """

    def __init__(self, app: Any, limits: Limits, words: Words, **more: Any) -> None:
        super().__init__(app, **more)
        self.limits = limits
        self.hall = Hall(limits, words)


class Hall:
    """Who is in."""

    def __init__(self, limits: Limits, words: Words) -> None:
        self._limits = limits
        self._words = words
        self._by_address: Counter[str] = Counter()
        self.count = 0

    def enter(self, address: str) -> bool:
        """Count a connection in; tell whether there is room for it."""
        self.count += 1
        self._by_address[address] += 1
        most, each = self._limits.connections, self._limits.per_address
        is_full = 0 < most < self.count or 0 < each < self._by_address[address]
        return not is_full

    def leave(self, address: str) -> None:
        """Count a connection out."""
        self.count -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def refusal(
        self, error: GatewayError, path: str, always: Sequence[tuple[bytes, bytes]]
    ) -> bytes:
        """Return a whole reply that says `error`, after which the connection is closed.

        `always`: the headers of every reply.
        """
        headers, body = self._words(error, path)
        length = (b"content-length", b"%d" % len(body))
        return head_of(error.status, *always, *headers, length, CLOSE) + body
