"""`infway usage`: what was used and what it cost, from the ledger; the gateway may be running."""

import re
from datetime import UTC, datetime
from pathlib import Path

import click

from infway.commands.configuration import configured
from infway.commands.surroundings import Surroundings
from infway.commands.table import table
from infway.kernel.clock import system_clock
from infway.kernel.money import usd_text
from infway.ledger.sqlite import GROUPS, summary

HEAD = ("REQUESTS", "FAILED", "TOKENS IN", "TOKENS OUT", "USD", "UNPRICED")
SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"(\d{1,6})([mhdw])")


class Since(click.ParamType[float]):
    """A span back from now, like `24h` or `7d`, or a date; becomes Unix seconds."""

    name = "span or date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read either form."""
        text = str(value)
        if span := _SPAN.fullmatch(text):
            return system_clock().wall() - int(span[1]) * SECONDS[span[2]]
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail("write a span like 30m, 24h, 7d or 4w, or a date like 2026-01-31", param, ctx)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@click.command("usage")
@click.option("--by", type=click.Choice(list(GROUPS)), default="model", help="What to sum by.")
@click.option("--since", type=Since(), default="30d", help="How far back: 24h, 7d, a date (UTC).")
@click.option("--config", "-c", type=click.Path(path_type=Path), help="Configuration file.")
@click.pass_obj
def command(surroundings: Surroundings, by: str, since: float, config: Path | None) -> None:
    """Show what was used, from the ledger."""
    settings = configured(surroundings, config).settings
    path = settings.ledger.path or surroundings.data.ledger
    if not path.exists():
        raise click.ClickException(f"There is no ledger yet at {path}: `infway serve` makes it.")
    lines = summary(path, by, since)
    if not lines:
        click.echo("Nothing was used in that time.")
        return
    rows = [
        (
            line.group,
            f"{line.requests:,}",
            f"{line.failed:,}",
            f"{line.prompt_tokens:,}",
            f"{line.completion_tokens:,}",
            usd_text(line.cost, 6),
            f"{line.unpriced:,}",
        )
        for line in lines
    ]
    click.echo(table((by.upper(), *HEAD), rows, frozenset(range(1, 7))))
