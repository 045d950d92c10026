"""`infway keys`: keys that callers present, made and changed while the gateway runs."""

from pathlib import Path

import click

from infway.accounts.checking import checked_terms
from infway.accounts.entries import Kind
from infway.commands import options
from infway.commands.registered import Moment, as_json, hand_over, opened, show, verbs
from infway.commands.surroundings import Surroundings
from infway.commands.termed import clearing, key_options, said_of
from infway.kernel.clock import system_clock

command = verbs(
    Kind.KEY,
    "Mint, list and change keys; the gateway may be running.",
    ("project", "plan", "budgets", "expires_at"),
)


@command.command("mint")
@click.argument("name", required=False)
@key_options
@click.option("--expires", type=Moment(), help="When it ends: 30d, or a date (UTC).")
@options.config
@as_json
@click.pass_obj
def mint(
    surroundings: Surroundings,
    /,
    name: str | None,
    config: Path | None,
    expires: float | None,
    *,
    as_json: bool,
    **given: object,
) -> None:
    """Make a key and print it, this once; without NAME it is called as its id."""
    terms = checked_terms(Kind.KEY, said_of(given))
    with opened(surroundings, config) as there:
        made = there.office.create(there.actor, Kind.KEY, name, terms, expires)
    hand_over(made, as_json=as_json)


@command.command("edit")
@click.argument("ref", metavar="NAME")
@key_options
@clearing
@options.config
@as_json
@click.pass_obj
def edit(
    surroundings: Surroundings,
    /,
    ref: str,
    config: Path | None,
    clear: tuple[str, ...],
    *,
    as_json: bool,
    **given: object,
) -> None:
    """Change what is said, and nothing else; --clear takes a field away."""
    with opened(surroundings, config) as there:
        entry = there.office.edit(there.actor, Kind.KEY, ref, said_of(given), clear)
    show(entry.view(system_clock().wall()), as_json=as_json)
