"""`infway serve`."""

from pathlib import Path

import click

from infway.commands.configuration import overrides
from infway.commands.options import stock, stocked
from infway.commands.surroundings import Surroundings
from infway.server import ServeOptions, run


@click.command("serve")
@stock
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
@click.option("--workers", type=int, help="Processes.")
@click.option("--log-level", help="debug, info, warning or error.")
@click.pass_obj
def command(surroundings: Surroundings, /, config: Path | None, **options: object) -> None:
    """Run the gateway.

    Without a configuration it uses the vendors whose keys are in the environment and the model
    servers on this machine.
    """
    said = {
        "--host=server.host": options["host"],
        "--port=server.port": options["port"],
        "--workers=server.workers": options["workers"],
        "--log-level=logs.level": options["log_level"],
        **stocked(options),
    }
    environment = surroundings.environment
    run(
        ServeOptions(
            config=surroundings.config(config),
            overrides=tuple(overrides(environment, said)),
            environment=environment,
            data=surroundings.data,
        )
    )
