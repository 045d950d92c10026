"""`infway budgets`: what every budget has spent and what is left of it; the gateway may be running."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from infway.commands import options
from infway.commands.registered import opened
from infway.commands.surroundings import Surroundings
from infway.commands.table import csv_text, json_text, table
from infway.commands.usage import FORMATS
from infway.kernel.clock import system_clock
from infway.kernel.money import usd_text
from infway.ledger.budgets import Stand, standing
from infway.ledger.spending import Spending

HEAD = ("OF", "NAME", "PER", "RESETS", "LIMIT", "SPENT", "GRANTED", "LEFT")
_COLUMNS = ("kind", "name", "per", "period", "resets_at", "limit", "spent", "granted", "left")


@click.command("budgets")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", help="How to say it."
)
@options.config
@click.pass_obj
def command(surroundings: Surroundings, form: str, config: Path | None) -> None:
    """Show budgets: what is spent, what running gateways hold of the rest, and what is left."""
    with opened(surroundings, config) as there:
        allowances = there.office.allowances(there.actor)
        spending = Spending(there.database)
        spending.open()
        found = standing(spending, allowances, system_clock().wall())
    click.echo(_SAID[form](found), nl=form != "csv")


def _in_table(found: Sequence[Stand]) -> str:
    if not found:
        return "There are no budgets."
    rows = [_cells(one) for one in found]
    return table(HEAD, rows, frozenset(range(4, len(HEAD))))


def _cells(one: Stand) -> tuple[str, ...]:
    kind, _, name = one.allowance.holder.partition(":")
    ends = "never" if one.ends is None else f"{datetime.fromtimestamp(one.ends, UTC):%Y-%m-%d}"
    amounts = (one.allowance.budget.most, one.spent, one.granted, one.left)
    per = one.allowance.budget.period.value
    return (kind, name, per, ends, *(usd_text(amount, 6) for amount in amounts))


def _in_csv(found: Sequence[Stand]) -> str:
    views = [one.view() for one in found]
    return csv_text(_COLUMNS, [[_plain(view[name]) for name in _COLUMNS] for view in views])


def _plain(value: object) -> str:
    if isinstance(value, msgspec.Raw):
        return bytes(value).decode()
    return "" if value is None else str(value)


def _in_json(found: Sequence[Stand]) -> str:
    return json_text([one.view() for one in found])


_SAID: Mapping[str, Callable[[Sequence[Stand]], str]] = {
    "table": _in_table,
    "csv": _in_csv,
    "json": _in_json,
}
