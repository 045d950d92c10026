"""Which gateways a command speaks to: the one that is named, or those that run from the data folder.

Where none runs, the one that the configuration would start on this machine.
"""

import click

from infway.commands.surroundings import Surroundings


def addresses(surroundings: Surroundings, url: str | None) -> list[str]:
    """Return where all of them are reached, at least one; raises SettingsError."""
    named = url or surroundings.environment.get("INFWAY_URL")
    if named:
        return [named.rstrip("/")]
    found = [one.url for one in surroundings.data.gateways()]
    return found or [_configured(surroundings)]


def address(surroundings: Surroundings, url: str | None) -> str:
    """Return where one of them is reached, and say which where there are several."""
    first, *others = addresses(surroundings, url)
    if others:
        click.echo(
            f"Several gateways run from {surroundings.data.path}: {first} is asked;"
            f" --url or INFWAY_URL names another one: {', '.join(others)}.",
            err=True,
        )
    return first


def _configured(surroundings: Surroundings) -> str:
    environment = surroundings.environment
    if surroundings.config(None) is None and not environment.get("INFWAY_HOST"):
        port = environment.get("INFWAY_PORT") or environment.get("PORT") or "8080"
        return f"http://127.0.0.1:{port}"
    # reading a configuration takes longer than asking a gateway, so only where it must be
    from infway.commands.configuration import configured  # noqa: PLC0415 - as said above
    from infway.serving import url_of  # noqa: PLC0415 - as said above

    server = configured(surroundings, None).settings.server
    return url_of(server.host, server.port)
