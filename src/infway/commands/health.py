"""`infway health`: for container health checks, so it imports next to nothing."""

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

import click

from infway.commands.addresses import addresses
from infway.commands.surroundings import Surroundings

PATIENCE = 3.0  # seconds: under the five that container engines usually give a check


@click.command("health")
@click.option("--url", help="The gateway; default: those that run on this machine.")
@click.pass_context
def command(context: click.Context, url: str | None) -> None:
    """Ask the running gateway whether it is well; leaves with code 1 if it is not.

    Where several run from the data folder, all of them are asked.
    """
    surroundings: Surroundings = context.obj
    faults = {where: _fault(where) for where in addresses(surroundings, url)}
    for where, fault in faults.items():
        if fault is None:
            click.echo(f"{where} is well.")
        else:
            click.echo(f"Error: {where} {fault}", err=True)
    if any(faults.values()):
        context.exit(1)


def _fault(where: str) -> str | None:
    """Return what is wrong with the gateway at an address, None where it is well."""
    try:
        status = _status(where)
    except (OSError, HTTPException, ValueError) as error:
        return f"does not answer: {error}"
    return None if status == 200 else f"answers {status}."


def _status(url: str) -> int:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/health")
        return connection.getresponse().status
    finally:
        connection.close()
