"""The rows of the ledger and the protocol that every ledger keeps."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol


class Row(NamedTuple):
    """One attempt, or one whole request (`attempt` 0, the sum of its attempts).

    `at`: Unix seconds. `cost`: 10^-12 USD. `start_ms`, `end_ms`: milliseconds from the start of
    the attempt (or of the request) to the first token and to the end. `outcome`: `ok`, or the
    fault's name. `status`: what the caller got (request rows) or the upstream said (attempt rows).
    `rescue`: how it was to finish an answer that had broken off, or how the answer was finished:
    `prefill` or `splice`; empty for all others. `organisation`, `project`: of the key; empty where
    there is none. `tags`: of the key, as `tags_text` writes them. `native`: the upstream's own name
    for the model. `boot`: the run of the process that made the row, and `monotonic`: the seconds
    of its clock that does not jump, at `at`.
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
    organisation: str = ""
    project: str = ""
    tags: str = "[]"
    cache_write_tokens: int = 0
    native: str = ""
    boot: str = ""
    monotonic: float = 0.0


@lru_cache(maxsize=4096)
def tags_text(tags: tuple[str, ...]) -> str:
    """Return tags as a row holds them: a JSON list, each once, in order of the alphabet."""
    return json.dumps(sorted(set(tags)), ensure_ascii=False)


@lru_cache(maxsize=4096)
def tags_of(text: str) -> tuple[str, ...]:
    """Return the tags of a row."""
    return tuple(json.loads(text))


class Ledger(Protocol):
    """Where rows are kept. Called from background threads, any number at once."""

    def open(self) -> None:
        """Make the store ready; raises DatabaseError where that cannot be."""
        ...

    def append(self, rows: Sequence[Row], owner: str = "") -> None:
        """Keep the rows, all or none; a row that is there already is left as it is.

        What a request cost goes from the grants of `owner`, the process that admitted it, to what
        is spent; it is also the `boot` of its rows. A row that was there counts nowhere twice. Raises DatabaseError.
        """
        ...

    def rows_of(self, request: str) -> Sequence[Row]:
        """Return the rows of one request by attempt, none where it is unknown.

        Raises DatabaseError.
        """
        ...

    def sweep(self, before: float, most: int) -> int:
        """Forget rows from before a time (Unix seconds), at most so many; return how many it were.

        Sums keep them. Raises DatabaseError.
        """
        ...

    def hold(self, owner: str, since: float | None) -> None:
        """Note that the journal of a process may bring its rows from `since` (Unix seconds) again.

        What of them is forgotten counts no second time. None: it brings none any more. Raises
        DatabaseError.
        """
        ...

    def close(self) -> None:
        """Give everything back."""
        ...
