"""The command `infway`: the only reader of the environment, and the renderer of its own errors.

A command is imported when it is run, so that `infway --help` costs no more than its text.
"""

import gc
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import click

from infway import __version__
from infway.commands.surroundings import Surroundings
from infway.database import DatabaseError
from infway.kernel.errors import InfwayError, SettingsError

ENVIRONMENT: Mapping[str, str] = {
    "INFWAY_CONFIG": "Configuration file, where --config does not name one.",
    "INFWAY_DATA_DIR": "Folder of the first start's key, the ledger and the pid file.",
    "INFWAY_API_KEY": "A key that callers present, at least 32 characters (serve), or the key to"
    " present (chat, explain).",
    "INFWAY_HOST": "Address to listen on; overrides server.host.",
    "INFWAY_PORT": "Port to listen on; overrides server.port.",
    "PORT": "The same, as hosting platforms set it; INFWAY_PORT goes first.",
    "INFWAY_WORKERS": "Processes; overrides server.workers.",
    "INFWAY_REDIS_URL": "What replicas share; overrides state.redis.",
    "INFWAY_LOG_LEVEL": "debug, info, warning or error; overrides logs.level.",
    "INFWAY_LOG_FORMAT": "auto, json or text; overrides logs.format.",
    "INFWAY_SANDBOX": "true adds the simulated upstreams; overrides sandbox.",
    "INFWAY_URL": "The running gateway, for health, chat, models and explain --id.",
    "XDG_DATA_HOME": "Where Linux keeps users' data: the data folder is in it by default.",
}

COMMANDS: Mapping[str, str] = {
    "serve": "Run the gateway.",
    "check": "Check the configuration and say what would be served.",
    "models": "List the models, with upstreams and prices.",
    "explain": "Show how a request is routed, or was.",
    "keys": "Mint, list and change keys of callers.",
    "projects": "Make and change projects.",
    "organisations": "Make and change organisations: who pays.",
    "plans": "Make and change plans: limits by name.",
    "admins": "Mint, list and change keys of the admin API.",
    "audit": "Show who changed what of these.",
    "usage": "Show what was used, from the ledger.",
    "budgets": "Show what budgets have spent, and what is left.",
    "reconcile": "Compare a provider's usage export with the ledger.",
    "reload": "Let the running gateway read its configuration again.",
    "health": "Ask the running gateway whether it is well.",
    "chat": "Talk to the running gateway.",
    "version": "Show the version.",
}


class Lazy(click.Group):
    """Knows the commands by name, and imports the one that is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        gc.disable()  # what is imported stays, and looking through it is a tenth of the time
        try:
            command = import_module(f"infway.commands.{cmd_name}").command
        finally:
            gc.enable()
        assert isinstance(command, click.Command)  # noqa: S101 - every module of the table has one
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the table, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="infway", message="%(prog)s %(version)s")
def infway() -> None:
    """Infway routes every LLM request to the best upstream for it."""


def main() -> None:
    """Run the command line and leave with its exit code.

    2: a wrong configuration or usage. 78 (EX_CONFIG of sysexits.h): a database that is broken, half
    migrated or of a newer infway, which nobody repairs by starting again. 1: anything else.
    """
    surroundings = Surroundings(dict(os.environ), Path.home())
    try:
        infway.main(prog_name="infway", obj=surroundings)
    except SettingsError as error:
        click.echo("The configuration is wrong:", err=True)
        for problem in error.problems:
            click.echo(f"  {problem}", err=True)
        sys.exit(2)
    except InfwayError as error:
        click.echo(f"infway: {error}", err=True)
        broken = isinstance(error, DatabaseError) and not error.is_away
        sys.exit(78 if broken else 1)
