"""Responses that are kept for their callers, and the protocol that every store of them keeps."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

RUNNING = ("queued", "in_progress")
"""States of a response that is still being made."""


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

    def chain(self, id_: str, key: str) -> list[Kept]:
        """Return a response and those before it, oldest first; empty where one is missing."""
        ...

    def holders(self, items: Sequence[str], key: str) -> Mapping[str, Kept]:
        """Return the responses that hold items of these ids."""
        ...

    def remove(self, id_: str, key: str) -> bool:
        """Forget a response; False where there was none."""
        ...

    def sweep(self, before: float, size: int) -> int:
        """Forget what is older than `before`, and the oldest beyond `size` bytes; return how many."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...
