"""The words of all exports, and the checks of single values: what is wrong is an ExportError."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple, TypeGuard

from infway.kernel.errors import InfwayError
from infway.kernel.money import PICO_PER_USD

Tree = Mapping[str, object]
DAY = 86_400.0  # seconds
_MOST = 10**15  # of whatever is counted: more is a broken file
_DEAREST = 10**9  # USD
_LATEST = 7_258_118_400.0  # Unix seconds: the year 2200
_LONGEST = 200  # letters of a name


class ExportError(InfwayError):
    """A file is no export of a known kind, or what it says cannot be."""


class Counts(NamedTuple):
    """What was used. `prompt` has all that was sent, cached or not; `cost`: 10^-12 USD.

    None: nothing is said of it.
    """

    requests: int | None = None
    prompt: int | None = None
    completion: int | None = None
    cached: int | None = None
    cost: int | None = None

    def plus(self, more: "Counts") -> "Counts":
        """Return both together; what one of them does not say is what the other says."""
        return Counts(
            *(
                one if other is None else other if one is None else one + other
                for one, other in zip(self, more, strict=True)
            )
        )


class Used(NamedTuple):
    """One row of an export. `at`: Unix seconds of its beginning. `key`: the provider's name of a key.

    `model` and `key` are None where the export was not asked to tell them apart.
    """

    at: float
    model: str | None
    key: str | None
    counts: Counts


class Export(NamedTuple):
    """What a provider says was used, and the times that it speaks of (Unix seconds, begin and end).

    `vendor` is empty where nothing was used and nothing tells whose it is. `more`: where pages end
    behind which there is another one.
    """

    vendor: str
    spans: tuple[tuple[float, float], ...]
    rows: tuple[Used, ...]
    more: tuple[float, ...] = ()


def is_tree(value: object) -> TypeGuard[dict[str, object]]:
    """Tell whether a parsed value is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[object]]:
    """Tell whether a parsed value is a list."""
    return isinstance(value, list)


def trees(tree: Tree, name: str) -> list[dict[str, object]]:
    """Return the objects of a list; raises ExportError where there are others, or no list."""
    listed = tree.get(name)
    if not is_list(listed):
        raise ExportError(f"`{name}` is no list")
    found = [one for one in listed if is_tree(one)]
    if len(found) < len(listed):
        raise ExportError(f"`{name}` holds something else than objects")
    return found


def of_buckets(
    vendor: str,
    buckets: list[dict[str, object]],
    ends: tuple[str, str],
    read: Callable[[float, Tree], Used],
) -> Export:
    """Return what buckets say, each a time with `results`.

    `ends`: what names its begin and its end. `read` makes a row of the begin and a result.
    """
    begin, end = ends
    spans: list[tuple[float, float]] = []
    rows: list[Used] = []
    for bucket in buckets:
        at = moment(bucket, begin)
        spans.append((at, moment(bucket, end)))
        rows += [read(at, result) for result in trees(bucket, "results")]
    return Export(vendor, tuple(spans), tuple(rows))


def count(tree: Tree, name: str) -> int | None:
    """Return a whole number, None where nothing is said."""
    number = _number(tree, name)
    if number is None:
        return None
    if not 0 <= number <= _MOST or number != int(number):
        raise ExportError(f"`{name}` is no number that can be")
    return int(number)


def total(tree: Tree, *names: str) -> int | None:
    """Return the sum of whole numbers, None where nothing is said of any."""
    said = [found for name in names if (found := count(tree, name)) is not None]
    return sum(said) if said else None


def amount(tree: Tree, name: str, unit: int = 1) -> int | None:
    """Return money in 10^-12 USD, None where nothing is said. `unit`: how many make one USD."""
    number = _number(tree, name)
    if number is None:
        return None
    if abs(number) > _DEAREST * unit:
        raise ExportError(f"`{name}` is no amount of money that can be")
    return int((number * PICO_PER_USD / unit).to_integral_value())


def _number(tree: Tree, name: str) -> Decimal | None:
    said = tree.get(name)
    if said is None or said == "":
        return None
    if isinstance(said, bool) or not isinstance(said, str | int | Decimal):
        raise ExportError(f"`{name}` is no number")
    try:
        number = Decimal(said)
    except InvalidOperation as error:
        raise ExportError(f"`{name}` is no number") from error
    if not number.is_finite() or number.adjusted() > 30:
        raise ExportError(f"`{name}` is no number that can be")
    return number


def named(tree: Tree, name: str) -> str | None:
    """Return a name, None where nothing is said."""
    said = tree.get(name)
    if said is None or said == "":
        return None
    if not isinstance(said, str) or len(said) > _LONGEST:
        raise ExportError(f"`{name}` is no name")
    return said


def moment(tree: Tree, name: str) -> float:
    """Return a time in Unix seconds, from those or from ISO 8601; without a zone it is UTC."""
    said = tree.get(name)
    if isinstance(said, str) and not said.isdigit():
        try:
            read = datetime.fromisoformat(said.strip())
            at = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError) as error:
            raise ExportError(f"`{name}` is no time") from error
    else:
        number = _number(tree, name)
        at = -1.0 if number is None else float(number)
    if not 0 <= at <= _LATEST:
        raise ExportError(f"`{name}` is no time")
    return at
