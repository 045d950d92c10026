"""Times as people write them at the command line: spans like `24h`, and dates."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import click

from infway.kernel.clock import system_clock

_SECONDS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"([0-9]{1,8})([smhdw])")


class Span(click.ParamType[float]):
    """A span of time like `90s`, `24h` or `7d`; becomes seconds."""

    name = "span"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read it."""
        found = _SPAN.fullmatch(str(value))
        if found is None:
            self.fail("write a span like 90s, 30m, 24h, 7d or 4w", param, ctx)
        return float(int(found[1]) * _SECONDS[found[2]])


class Moment(click.ParamType[float]):
    """A span from now like `30d`, or a date (UTC); becomes Unix seconds. `ago`: spans go back."""

    name = "span or date"

    def __init__(self, *, ago: bool = False) -> None:
        self._way = -1 if ago else 1

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read either form."""
        text = str(value)
        if _SPAN.fullmatch(text):
            return system_clock().wall() + self._way * Span().convert(text, param, ctx)
        try:
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            self.fail("write a span like 24h or 30d, or a date like 2027-01-31", param, ctx)
