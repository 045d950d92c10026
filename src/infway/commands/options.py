"""Options that several commands share: what is served, and which gateway is asked."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import click

_Command = TypeVar("_Command", bound=Callable[..., object])
Options = Mapping[str, object]


class Address(click.ParamType[str]):
    """Where a gateway is reached, like http://127.0.0.1:8080."""

    name = "address"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the address; what is none is a usage error."""
        text = str(value)
        try:
            parts = urlsplit(text)
            is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
            is_address = is_address and parts.port != 0
        except ValueError:
            is_address = False
        if not is_address:
            self.fail("write an address like http://127.0.0.1:8080", param, ctx)
        return text


config = click.option("--config", "-c", type=click.Path(path_type=Path), help="Configuration file.")
url = click.option("--url", type=Address(), help="The gateway; default: the one on this machine.")
_STOCK = (
    config,
    click.option("--sandbox", is_flag=True, default=None, help="Add simulated upstreams."),
    click.option("--no-discover", is_flag=True, default=None, help="Look for nothing by itself."),
    click.option("--no-local", is_flag=True, default=None, help="Look for no local model servers."),
)


def stock(command: _Command) -> _Command:
    """Add the options that say what is served, the same for `serve` and what tells of it."""
    for option in reversed(_STOCK):
        command = option(command)
    return command


def stocked(options: Options) -> dict[str, object]:
    """Return what those options override, `--name=section.field` -> value or None."""
    off = None if options["no_discover"] is None else False
    return {
        "--sandbox=sandbox": options["sandbox"],
        "--no-discover=discover.environment": off,
        "--no-discover=discover.local": off,
        "--no-local=discover.local": None if options["no_local"] is None else False,
    }
