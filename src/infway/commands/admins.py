"""`infway admins`: keys of the admin API, with what each of them may do there."""

from pathlib import Path

import click

from infway.accounts.capabilities import Capability
from infway.accounts.checking import checked_terms
from infway.accounts.entries import Kind
from infway.commands import options
from infway.commands.registered import Moment, as_json, hand_over, opened, verbs
from infway.commands.surroundings import Surroundings
from infway.commands.termed import said_of

_CAPABILITIES = click.Choice([one.value for one in Capability])

command = verbs(
    Kind.ADMIN,
    "Mint, list and change keys of the admin API.",
    ("organisation", "capabilities", "expires_at"),
)


@command.command("mint")
@click.argument("name", required=False)
@click.option(
    "--capability", type=_CAPABILITIES, multiple=True, required=True, help="What it may do."
)
@click.option("--organisation", help="Only in this organisation.")
@click.option("--expires", type=Moment(), help="When it ends: 30d, or a date (UTC).")
@options.config
@as_json
@click.pass_obj
def mint(
    surroundings: Surroundings,
    /,
    name: str | None,
    expires: float | None,
    config: Path | None,
    *,
    as_json: bool,
    **given: object,
) -> None:
    """Make an admin key and print it, this once."""
    terms = checked_terms(Kind.ADMIN, said_of(given))
    with opened(surroundings, config) as there:
        made = there.office.create(there.actor, Kind.ADMIN, name, terms, expires)
    hand_over(made, as_json=as_json)
