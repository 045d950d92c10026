"""`infway check`: the configuration's problems, or what would be served."""

import json
from pathlib import Path

import click

from infway.commands import options
from infway.commands.configuration import configured, stock
from infway.commands.surroundings import Surroundings
from infway.configured import database_of
from infway.database import DatabaseError
from infway.datadir import DataDir
from infway.kernel.errors import SettingsError
from infway.serving import check_credentials
from infway.settings import Settings, json_schema


@click.command("check")
@options.stock
@click.option("--schema", is_flag=True, help="Print the JSON schema of the file and stop.")
@click.pass_obj
def command(
    surroundings: Surroundings, /, config: Path | None, *, schema: bool, **said: object
) -> None:
    """Check the configuration and say what would be served.

    Prints every problem at once, each with its file, line and column, and leaves with code 2.
    """
    if schema:
        click.echo(json.dumps(json_schema(), indent=2))
        return
    loaded = configured(surroundings, config, said)
    settings = loaded.settings
    inventory, found = stock(surroundings, settings)
    check_credentials(inventory)
    _check_store(settings, surroundings.data)
    for warning in (*loaded.warnings, *(found.unusable if found else ()), *inventory.warnings):
        click.echo(f"warning: {warning}", err=True)
    folder = None if settings.ledger.path is None else settings.ledger.path.parent
    if folder is not None and not folder.exists():
        click.echo(f"note: ledger.path: the first start makes the folder {folder}", err=True)
    if not (settings.upstreams or settings.sandbox or (found and found.upstreams)):
        click.echo("No upstreams are configured or found. `infway serve` answers from:")
    offers = inventory.all_offers
    for upstream in inventory.upstreams:
        name = upstream.name
        models = len({offer.model for offer in offers if offer.upstream.name == name})
        click.echo(f"{name}: {_counted(models, 'model')}")
    models = len({offer.model for offer in offers})
    keys = _counted(len(settings.keys), "key") if settings.keys else "the first start makes a key"
    click.echo(f"The configuration is right: {_counted(models, 'model')}, {keys}.")


def _check_store(settings: Settings, data: DataDir) -> None:
    """Raise SettingsError where the store cannot be used as it is configured; nobody is called."""
    try:
        database_of(settings, data)
    except DatabaseError as error:
        raise SettingsError((f"store.url: {error}",)) from error


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
