"""`infway usage`: what was used and what it cost, from the ledger; the gateway may be running."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import click

from infway.commands import options
from infway.commands.ledgered import ledger_read
from infway.commands.surroundings import Surroundings
from infway.commands.table import csv_text, json_text, table
from infway.commands.times import Moment
from infway.kernel.money import usd_text
from infway.ledger.answers import COUNTED, used
from infway.ledger.questions import NAMES, Line, Question, QuestionError, ask

HEAD = ("REQUESTS", "FAILED", "TOKENS IN", "TOKENS OUT", "USD", "UNPRICED")
FORMATS = ("table", "csv", "json")
_ONLY = tuple(name for name in NAMES if name != "day")
_Command = TypeVar("_Command", bound=Callable[..., object])


def _limits(command: _Command) -> _Command:
    """Add the options that limit usage to some values of a name."""
    for name in reversed(_ONLY):
        command = click.option(
            f"--{name}", multiple=True, help=f"Only this {name}; again: or that."
        )(command)
    return command


@click.command("usage")
@click.option(
    "--by",
    type=click.Choice(NAMES),
    multiple=True,
    default=("model",),
    help="What to sum by; twice: by both.",
)
@click.option(
    "--since", type=Moment(ago=True), default="30d", help="From when on: 24h, 7d, a date (UTC)."
)
@click.option(
    "--until", type=Moment(ago=True), help="Until when: 24h, a date (UTC), not with that day."
)
@_limits
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", help="How to say it."
)
@options.config
@click.pass_obj
def command(
    surroundings: Surroundings,
    /,
    by: tuple[str, ...],
    since: float,
    until: float | None,
    form: str,
    config: Path | None,
    **only: tuple[str, ...],
) -> None:
    """Show what was used, from the ledger. Times are rounded outwards to whole hours."""
    if len(set(by)) < len(by):
        raise click.UsageError("--by: must not name the same twice.")
    limits = {name: values for name, values in only.items() if values}
    question = Question(by, since, until, limits)
    with ledger_read(surroundings, config) as there:
        try:
            lines = ask(there.database, question)
        except QuestionError as error:
            raise click.UsageError(str(error)) from error
    click.echo(_SAID[form](lines, by), nl=form != "csv")


def _in_table(lines: Sequence[Line], by: Sequence[str]) -> str:
    if not lines:
        return "Nothing was used in that time."
    head = [name.upper() for name in by]
    rows = [
        (
            *(name or "-" for name in line.group),
            f"{line.requests:,}",
            f"{line.failed:,}",
            f"{line.prompt_tokens:,}",
            f"{line.completion_tokens:,}",
            usd_text(line.cost, 6),
            f"{line.unpriced:,}",
        )
        for line in lines
    ]
    right = frozenset(range(len(head), len(head) + len(HEAD)))
    return table((*head, *HEAD), rows, right)


def _in_csv(lines: Sequence[Line], by: Sequence[str]) -> str:
    rows: list[list[str | int]] = []
    for line in lines:
        counts: dict[str, str | int] = dict(zip(COUNTED, line[1:], strict=True))
        rows.append([*line.group, *{**counts, "cost": usd_text(line.cost)}.values()])
    return csv_text((*by, *COUNTED), rows)


def _in_json(lines: Sequence[Line], by: Sequence[str]) -> str:
    return json_text([used(line, by) for line in lines])


_SAID: Mapping[str, Callable[[Sequence[Line], Sequence[str]], str]] = {
    "table": _in_table,
    "csv": _in_csv,
    "json": _in_json,
}
