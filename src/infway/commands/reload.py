"""`infway reload`: a signal to the running gateway."""

import os
import signal
from pathlib import Path

import click

from infway.commands.configuration import configured
from infway.commands.surroundings import Surroundings
from infway.inventory import build, packaged
from infway.serving import check_credentials


@click.command("reload")
@click.option("--config", "-c", type=click.Path(path_type=Path), help="Configuration file.")
@click.pass_obj
def command(surroundings: Surroundings, config: Path | None) -> None:
    """Let the running gateway read its configuration again; all that run from the data folder.

    The configuration is checked first: a wrong one is never asked for. Requests that are under
    way are not disturbed.
    """
    check_credentials(build(configured(surroundings, config).settings, *packaged()))
    pids = [one.pid for one in surroundings.data.gateways()]
    if not pids:
        raise click.ClickException(f"No gateway is running from {surroundings.data.path}.")
    wrong = [said for pid in pids if (said := _tell(pid))]
    if wrong:
        raise click.ClickException("\n".join(wrong))


def _tell(pid: int) -> str:
    """Tell a process; return what went wrong, nothing where it heard."""
    try:
        os.kill(pid, signal.SIGHUP)
    except ProcessLookupError:
        return f"Process {pid} is gone: the gateway did not stop in order."
    except PermissionError:
        return f"Process {pid} belongs to somebody else."
    click.echo(f"Process {pid} was told to reload; its log says how that went.")
    return ""
