"""`infway projects`: parts of organisations, each with its keys, limits and budgets."""

from collections.abc import Callable

import click

from infway.accounts.entries import Kind
from infway.commands.making import add_making
from infway.commands.registered import verbs
from infway.commands.termed import holder_options

command = verbs(
    Kind.PROJECT, "Make, list and change projects.", ("organisation", "plan", "budgets")
)


def _new(made: Callable[..., None]) -> Callable[..., None]:
    return click.option("--organisation", help="Whose it is, for good.")(holder_options(made))


add_making(command, Kind.PROJECT, _new, holder_options)
