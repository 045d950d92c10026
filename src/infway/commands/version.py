"""`infway version`."""

import click

from infway import __version__


@click.command("version")
def command() -> None:
    """Show the version."""
    click.echo(f"infway {__version__}")
