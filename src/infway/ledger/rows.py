"""The rows of the ledger and the protocol that every ledger keeps."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Row(NamedTuple):
    """One attempt, or one whole request (`attempt` 0, the sum of its attempts).

    `at`: Unix seconds. `cost`: 10^-12 USD. `start_ms`, `end_ms`: milliseconds from the start of
    the attempt (or of the request) to the first token and to the end. `outcome`: `ok`, or the
    fault's name. `status`: what the caller got (request rows) or the upstream said (attempt rows).
    `rescue`: how it was to finish an answer that had broken off, or how the answer was finished:
    `prefill` or `splice`; empty for all others.
    """

    request: str
    attempt: int
    at: float
    key: str
    model: str
    upstream: str
    outcome: str
    status: int
    stream: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    cost: int
    estimated: int
    priced: int
    start_ms: int | None
    end_ms: int
    rescue: str = ""


class Ledger(Protocol):
    """Where rows are kept. All but `rows_of` is called from one background thread at a time."""

    def open(self) -> None:
        """Make the store ready; raises LedgerError where that cannot be."""
        ...

    def append(self, rows: Sequence[Row]) -> None:
        """Keep the rows, all or none; a row that is there already is left as it is."""
        ...

    def rows_of(self, request: str) -> Sequence[Row]:
        """Return the rows of one request by attempt, none where it is unknown.

        Called from any thread, also while rows are appended; raises LedgerError.
        """
        ...

    def close(self) -> None:
        """Give everything back."""
        ...
