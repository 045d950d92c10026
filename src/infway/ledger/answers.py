"""Answers about usage, as JSON tells them."""

from collections.abc import Mapping, Sequence

import msgspec

from infway.kernel.money import usd_text
from infway.ledger.questions import Line

COUNTED = Line._fields[1:]
"""What every line of an answer counts, in its order."""

View = Mapping[str, object]


def money(pico: int) -> msgspec.Raw:
    """Return an amount of 10^-12 USD as a JSON number in USD, without going through a float."""
    return msgspec.Raw(usd_text(pico).encode())


def used(line: Line, by: Sequence[str]) -> View:
    """Return one group of an answer; money in USD."""
    group = dict(zip(by, line.group, strict=True))
    counts = dict(zip(COUNTED, line[1:], strict=True))
    return {**group, **counts, "cost": money(line.cost)}
