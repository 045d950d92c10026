"""`infway health`: for container health checks, so it imports next to nothing."""

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

import click

from infway.commands.surroundings import Surroundings

PATIENCE = 3.0  # seconds: under the five that container engines usually give a check


@click.command("health")
@click.option("--url", help="The gateway; default: the one on this machine.")
@click.pass_obj
def command(surroundings: Surroundings, url: str | None) -> None:
    """Ask the running gateway whether it is well; leaves with code 1 if it is not."""
    where = url or surroundings.url
    try:
        status = _status(where)
    except (OSError, HTTPException, ValueError) as error:
        raise click.ClickException(f"{where} does not answer: {error}") from error
    if status != 200:
        raise click.ClickException(f"{where} answers {status}.")
    click.echo(f"{where} is well.")


def _status(url: str) -> int:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/health")
        return connection.getresponse().status
    finally:
        connection.close()
