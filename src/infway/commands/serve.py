"""`infway serve`."""

from pathlib import Path

import click

from infway.commands.configuration import overrides
from infway.commands.surroundings import Surroundings
from infway.server import ServeOptions, run


@click.command("serve")
@click.option("--config", "-c", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
@click.option("--workers", type=int, help="Processes.")
@click.option("--log-level", help="debug, info, warning or error.")
@click.option("--sandbox", is_flag=True, default=None, help="Add simulated upstreams.")
@click.option("--no-discover", is_flag=True, default=None, help="Look for nothing by itself.")
@click.option("--no-local", is_flag=True, default=None, help="Look for no local model servers.")
@click.pass_obj
def command(surroundings: Surroundings, /, config: Path | None, **options: object) -> None:
    """Run the gateway.

    Without a configuration it uses the vendors whose keys are in the environment and the model
    servers on this machine.
    """
    off = None if options["no_discover"] is None else False
    said = {
        "--host=server.host": options["host"],
        "--port=server.port": options["port"],
        "--workers=server.workers": options["workers"],
        "--log-level=logs.level": options["log_level"],
        "--sandbox=sandbox": options["sandbox"],
        "--no-discover=discover.environment": off,
        "--no-discover=discover.local": off,
        "--no-local=discover.local": None if options["no_local"] is None else False,
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
