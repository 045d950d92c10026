"""`infway plans`: limits that keys, projects and organisations have by the plan's name."""

from pathlib import Path

import click

from infway.accounts.entries import Kind
from infway.commands import options
from infway.commands.making import add_making
from infway.commands.registered import opened, verbs
from infway.commands.surroundings import Surroundings
from infway.commands.termed import plan_options

command = verbs(
    Kind.PLAN,
    "Make, list and change plans.",
    ("requests_per_minute", "tokens_per_minute", "concurrent_requests"),
)
add_making(command, Kind.PLAN, plan_options, plan_options)


@command.command("remove")
@click.argument("ref", metavar="NAME")
@options.config
@click.pass_obj
def remove(surroundings: Surroundings, ref: str, config: Path | None) -> None:
    """Take a plan away that nothing has any more."""
    with opened(surroundings, config) as there:
        there.office.remove_plan(there.actor, ref)
    click.echo(f"plan `{ref}`: removed.")
