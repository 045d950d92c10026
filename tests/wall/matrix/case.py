"""What one case of the matrix says: what is played, and everything that must follow."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from tests.wall.matrix.stage import Stage

Play = Callable[["Stage"], Awaitable[None]]
_Any = TypeVar("_Any", bound=Play)
PLAYED: dict[int, list[Play]] = {}


@dataclass(frozen=True)
class Case:
    """One request to a gateway whose upstreams misbehave.

    `offers`: the scripts of the upstreams `one`, `two`, `three`, asked in this order for `m1`; a
    script may begin with a place (`refused!`, see places.py). `status`, `code`: what the caller
    gets; `code` None: an answer. `attempts`: each attempt as `upstream:outcome`, as the ledger
    has them. `outcome`: that of the request; left out, it is the last attempt's. `billed`: what
    each attempt was billed: `0`, `tokens` (25 + 60, as the wall said), `estimated` (some tokens,
    flagged), `unknown` (no tokens, flagged); left out, `tokens` for an attempt that is `ok` and
    `0` for all others. `seen`: how often each wall was asked; left out, as often as `attempts`
    name it. `headers`: of the reply; None: must not be there.

    `text`: what the caller read of the answer (default: all of it). `broken`: the code of the
    terminal error event of a stream that has begun, followed by `[DONE]`.

    `learned`: by upstream, what the breaker counted in a row (`1.0` one failure, `0.5` half of
    one, `0.0` nothing); left out, each attempt counts by the fault table. `rests`: the upstreams,
    or offers, that are left alone, and for how many seconds (within a second). `ceilings`: the
    upstreams of which a lower ceiling was learned.

    `body`: further fields of the request. `settings`: further settings. `limits`: timeouts of the
    upstreams beyond the quick ones of the stage. `stream` None: played both ways.
    """

    row: int
    offers: tuple[str, ...]
    status: int = 200
    code: str | None = None
    attempts: tuple[str, ...] = ()
    outcome: str | None = None
    billed: tuple[str, ...] | None = None
    seen: tuple[int, ...] | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    text: str | None = None
    broken: str | None = None
    learned: Mapping[str, float] | None = None
    rests: Mapping[str, float] = field(default_factory=dict)
    ceilings: tuple[str, ...] = ()
    body: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    stream: bool | None = None

    @property
    def ways(self) -> tuple[bool, ...]:
        """As a stream, in one piece, or both."""
        return (True, False) if self.stream is None else (self.stream,)


def scripted(*rows: int) -> Callable[[_Any], _Any]:
    """Add a coroutine that plays and asserts by itself to these rows."""

    def add(play: _Any) -> _Any:
        for row in rows:
            PLAYED.setdefault(row, []).append(play)
        return play

    return add
