"""The configuration a command works with: file, then environment, then options; and the stock."""

from collections.abc import Mapping
from pathlib import Path

from infway.commands.options import Options, stocked
from infway.commands.surroundings import Surroundings
from infway.discover import Found, discover
from infway.inventory import Inventory, build, packaged, with_found
from infway.serving import with_stand_in
from infway.settings import Loaded, Override, Settings, read

# The first variable of a setting that is set counts.
VARIABLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("INFWAY_HOST", ("server", "host")),
    ("INFWAY_PORT", ("server", "port")),
    ("PORT", ("server", "port")),
    ("INFWAY_WORKERS", ("server", "workers")),
    ("INFWAY_REDIS_URL", ("state", "redis")),
    ("INFWAY_LOG_LEVEL", ("logs", "level")),
    ("INFWAY_LOG_FORMAT", ("logs", "format")),
    ("INFWAY_SANDBOX", ("sandbox",)),
)


def overrides(environment: Mapping[str, str], options: Mapping[str, object]) -> list[Override]:
    """Return what variables and options say; `options` maps `--name=section.field` to values."""
    said: dict[tuple[str, ...], Override] = {}
    for name, path in VARIABLES:
        if environment.get(name):
            said.setdefault(path, Override(path, environment[name], name))
    for option, value in options.items():
        if value is not None:
            name, _, place = option.partition("=")
            path = tuple(place.split("."))
            said[path] = Override(path, value, name)
    if key := environment.get("INFWAY_API_KEY"):
        row = {"name": "INFWAY_API_KEY", "key": key, "admin": True}
        said["keys", "+"] = Override(("keys", "+"), row, "INFWAY_API_KEY")
    return list(said.values())


def configured(
    surroundings: Surroundings, config: Path | None, options: Options | None = None
) -> Loaded:
    """Return the configuration with its warnings; raises SettingsError.

    `options`: those that say what is served, where the command has them.
    """
    environment = surroundings.environment
    said = {} if options is None else stocked(options)
    return read(surroundings.config(config), environment, overrides(environment, said))


def stock(surroundings: Surroundings, settings: Settings) -> tuple[Inventory, Found | None]:
    """Return what would be served, with what is found by itself where that is switched on."""
    found = None
    if settings.discovers_environment or settings.discovers_local:
        found = discover(
            surroundings.environment,
            keys=settings.discovers_environment,
            local=settings.discovers_local,
            own_port=settings.server.port,
        )
        settings = with_found(settings, found)
    return build(with_stand_in(settings), *packaged()), found
