"""Responses that are kept for their callers, and the protocol that every store of them keeps."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from infway.kernel.errors import InfwayError

RUNNING = ("queued", "in_progress")
"""States of a response that is still being made."""


class TooLarge(InfwayError):
    """What was asked for is more than may be read at once."""


class Kept(NamedTuple):
    """One response. `key`: the name of the key whose it is; nobody else sees it.

    `created`, `touched`: Unix seconds; `touched` is when whoever makes it was last seen at it.
    `previous`: the response it follows. `response`: the object; `input`: its own items, a list;
    both JSON. `items`: the ids of the items in both.
    """

    id: str
    key: str
    created: float
    touched: float
    status: str
    previous: str | None
    response: bytes
    input: bytes
    items: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Its bytes, as all limits count them."""
        return len(self.response) + len(self.input)


class Responses(Protocol):
    """Where responses are kept. Called from one background thread at a time."""

    def open(self) -> None:
        """Make the store ready; raises LedgerError where that cannot be."""
        ...

    def write(self, kept: Sequence[Kept]) -> None:
        """Keep responses, all or none; one that is there already is replaced."""
        ...

    def finish(self, kept: Kept) -> bool:
        """Replace a response that is still being made; False where it is not (any more)."""
        ...

    def touch(self, id_: str, status: str, now: float) -> bool:
        """Say that somebody is at a response; False where it is no longer to be made."""
        ...

    def find(self, id_: str, key: str) -> Kept | None:
        """Return a response of a key."""
        ...

    def chain(self, id_: str, key: str, limit: int) -> list[Kept]:
        """Return a response and those before it, oldest first; empty where one is missing.

        Raises TooLarge where they have more than `limit` bytes, before any is read.
        """
        ...

    def holders(self, items: Sequence[str], key: str, limit: int) -> Mapping[str, Kept]:
        """Return the responses that hold items of these ids, each read once.

        Raises TooLarge where they have more than `limit` bytes, before any is read.
        """
        ...

    def remove(self, id_: str, key: str) -> bool:
        """Forget a response; False where there was none."""
        ...

    def sweep(self, before: float, size: int) -> int:
        """Forget what is older than `before`, and what is beyond `size` bytes; return how many.

        Room is shared fairly: the oldest of the keys that hold most go first.
        """
        ...

    def close(self) -> None:
        """Give everything back."""
        ...
