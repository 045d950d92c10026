"""`infway audit`: who changed which key, project, organisation or plan, and when."""

import json
from pathlib import Path

import click

from infway.accounts.entries import iso
from infway.accounts.register import NEWEST
from infway.commands import options
from infway.commands.registered import as_json, opened
from infway.commands.surroundings import Surroundings
from infway.commands.table import table

HEAD = ("CHANGE", "AT", "WHO", "VERB", "KIND", "NAME")


@click.command("audit")
@click.option("--count", type=click.IntRange(1, 10_000), default=50, help="How many at most.")
@click.option("--before", type=click.IntRange(1, NEWEST), help="Only changes before this one.")
@options.config
@as_json
@click.pass_obj
def command(
    surroundings: Surroundings,
    count: int,
    before: int | None,
    config: Path | None,
    *,
    as_json: bool,
) -> None:
    """Show who changed what, the newest first; --json has what was before and after."""
    with opened(surroundings, config) as there:
        notes = there.office.audit(there.actor, before, count)
    if as_json:
        click.echo(json.dumps([note.view() for note in notes], indent=2))
        return
    rows = [
        (str(note.version), iso(note.at) or "", note.actor, note.verb, note.kind, note.name)
        for note in notes
    ]
    click.echo(table(HEAD, rows, frozenset({0})))
