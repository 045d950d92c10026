"""A small fuzzer: it changes inputs by chance and goes on from those that reach new code.

No library of the registry does that for pure Python without a compiler's help; this one asks the
interpreter itself which lines of infway follow which.
"""

import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import infway
from infway.kernel.clock import system_clock

SOURCE = str(Path(infway.__file__).parent)
LONGEST = 4096  # bytes of an input
Check = Callable[[bytes], None]
Edge = tuple[int, int, int]
_NUMBERS = (b"0", b"-1", b"1e999", b"9" * 20, b"0" * 20, b"1.5", b"\xff", b"\x00", b"\x80\x00")


@dataclass(frozen=True)
class Found:
    """An input that broke a promise, and how."""

    data: bytes
    error: BaseException

    @property
    def kind(self) -> tuple[str, int]:
        """What makes it another finding: the error's type, and the innermost line of it."""
        place = self.error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        return type(self.error).__name__, 0 if place is None else place.tb_lineno


@dataclass
class Hunt:
    """What came of it. `fresh`: inputs that reached new code, in the order they came."""

    executions: int = 0
    edges: set[Edge] = field(default_factory=set)
    fresh: list[bytes] = field(default_factory=list)
    found: dict[tuple[str, int], Found] = field(default_factory=dict)


def reached(check: Check, data: bytes) -> tuple[set[Edge], BaseException | None]:
    """Check an input; return the steps it took through infway's lines, and how it failed."""
    edges: set[Edge] = set()
    before: dict[int, int] = {}

    def line(frame: FrameType, event: str, _: object) -> object:
        code = id(frame.f_code)
        number = frame.f_lineno
        edges.add((code, before.get(code, 0), number))
        before[code] = number
        return line

    def call(frame: FrameType, event: str, arg: object) -> object:
        return line if frame.f_code.co_filename.startswith(SOURCE) else None

    earlier = sys.gettrace()
    sys.settrace(call)  # type: ignore[arg-type]
    try:
        check(data)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        return edges, error
    finally:
        sys.settrace(earlier)
    return edges, None


def hunt(
    check: Check,
    seeds: Sequence[bytes],
    words: Sequence[bytes],
    seconds: float,
    seed: int,
    most: int = sys.maxsize,
) -> Hunt:
    """Look for inputs that fail, the seeds first, for so long or in `most` executions."""
    chance, now = random.Random(seed), system_clock().monotonic
    result = Hunt()
    pool: list[bytes] = []
    for data in [*seeds, b""]:
        _try(check, data, result, pool)
    result.fresh.clear()
    until = now() + seconds
    while now() < until and result.executions < most:
        data = mutated(chance.choice(pool or [b""]), pool, words, chance)
        _try(check, data, result, pool)
    return result


def _try(check: Check, data: bytes, result: Hunt, pool: list[bytes]) -> None:
    edges, error = reached(check, data)
    result.executions += 1
    if error is not None:
        found = Found(data, error)
        earlier = result.found.get(found.kind)
        if earlier is None or len(data) < len(earlier.data):
            result.found[found.kind] = found
    if not edges <= result.edges:
        result.edges |= edges
        result.fresh.append(data)
        pool.append(data)


def mutated(
    data: bytes, pool: Sequence[bytes], words: Sequence[bytes], chance: random.Random
) -> bytes:
    """Return another input made of one, or of two."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5, 8))):
        at = chance.randint(0, len(out))
        size = chance.choice((1, 1, 2, 4, 8, 16, 64))
        match chance.randrange(8):
            case 0 if out:
                out[at % len(out)] ^= 1 << chance.randrange(8)
            case 1:
                out[at:at] = chance.choice(words)
            case 2:
                del out[at : at + size]
            case 3:
                out[at:at] = out[at : at + size] * chance.choice((1, 2, 50))
            case 4 if pool:
                other = chance.choice(pool)
                begin = chance.randint(0, len(other))
                out[at : at + size] = other[begin : begin + chance.randint(1, 200)]
            case 5:
                out[at : at + size] = chance.choice(_NUMBERS)
            case 6:
                out[at:] = b""
            case _:
                out[at:at] = chance.randbytes(size)
    return bytes(out[:LONGEST])


def smallest(check: Check, inputs: Sequence[bytes]) -> list[bytes]:
    """Return few and short inputs that together reach all that these do."""
    steps = {data: reached(check, data)[0] for data in inputs}
    chosen: list[bytes] = []
    left = set().union(*steps.values()) if steps else set()
    while left:
        best = max(steps, key=lambda data: (len(steps[data] & left), -len(data)))
        gain = steps[best] & left
        if not gain:
            break
        chosen.append(best)
        left -= gain
    return chosen
