"""What a start comes to: settings, what was found by itself, and the default where nothing was."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from infway.beside import beside
from infway.datadir import DataDir
from infway.inventory import Inventory, build, packaged, with_found
from infway.kernel.clock import system_clock
from infway.kernel.errors import InfwayError
from infway.settings import KeySettings, Override, Settings, UpstreamSettings, read
from infway.upstream.signers import Signers

if TYPE_CHECKING:
    from pathlib import Path

    from infway.discover import Found

MADE_KEY = "first-start"
EMBEDDED = "embedded"
_CONTEXT = 2048  # tokens of the embedded model's window


class EmbeddedError(InfwayError):
    """The embedded model could not be started."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What `infway serve` was told."""

    config: "Path | None"
    overrides: tuple[Override, ...]
    environment: Mapping[str, str]
    data: DataDir


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be served. `made_key`: the key of the first start, where it is in use.

    `embedded`: the embedded model is started. `warnings`: what is unwise or was left out.
    """

    options: ServeOptions
    settings: Settings
    inventory: Inventory
    found: "Found | None"
    made_key: str | None
    embedded: bool
    warnings: tuple[str, ...]

    @property
    def url(self) -> str:
        """Where the gateway is reached from this machine."""
        return url_of(self.settings.server.host, self.settings.server.port)


def url_of(host: str, port: int) -> str:
    """Return where what listens at an address is reached from this machine."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def plan(options: ServeOptions, below: Callable[[int], int]) -> Plan:
    """Read, discover and build; raises SettingsError. `below`: randomness fit for secrets."""
    loaded = read(options.config, options.environment, options.overrides)
    settings = loaded.settings
    made_key = None
    if not settings.keys:
        made_key = options.data.make_key(below)
        key = KeySettings.model_validate({"name": MADE_KEY, "key": made_key, "admin": True})
        settings = settings.model_copy(update={"keys": (key,)})
    found = _found(settings, options.environment)
    if found is not None:
        settings = with_found(settings, found)
    alone = not (settings.upstreams or settings.sandbox)
    embedded = alone and _embeddable()
    if alone and not embedded:
        settings = settings.model_copy(update={"sandbox": True})
    inventory = build(settings, *packaged())
    check_credentials(inventory)
    warnings = (*loaded.warnings, *inventory.warnings)
    return Plan(options, settings, inventory, found, made_key, embedded, warnings)


def check_credentials(inventory: Inventory) -> None:
    """Raise SettingsError where a credential cannot be used."""
    Signers(system_clock()).of(inventory.credentials)


def _found(settings: Settings, environment: Mapping[str, str]) -> "Found | None":
    keys, local = settings.discovers_environment, settings.discovers_local
    if not keys and not local:
        return None
    from infway.discover import discover  # noqa: PLC0415 - only where it is used

    return discover(environment, keys=keys, local=local, own_port=settings.server.port)


def _embeddable() -> bool:
    from infway.embedded import available  # noqa: PLC0415 - only where nothing else is there

    return available()


def with_embedded(planned: Plan, url: str) -> Plan:
    """Return the plan with the embedded model as one more upstream."""
    settings = _with_model(planned.settings, url)
    return replace(planned, settings=settings, inventory=build(settings, *packaged()))


def with_stand_in(settings: Settings) -> Settings:
    """Return the settings with what is served where there are no upstreams at all."""
    if settings.upstreams or settings.sandbox:
        return settings
    if _embeddable():
        return _with_model(settings, "http://127.0.0.1")  # its port is known once it runs
    return settings.model_copy(update={"sandbox": True})


def _with_model(settings: Settings, url: str) -> Settings:
    from infway.embedded import Embedded  # noqa: PLC0415 - only where it is used

    model = {
        "id": Embedded.model,
        "input_price": 0,
        "output_price": 0,
        "context": _CONTEXT,
        "capabilities": ["json_object", "logprobs", "several"],
        "quality": 50,
    }
    upstream = UpstreamSettings.model_validate(
        {
            "name": EMBEDDED,
            "vendor": "llamacpp",
            "base_url": url,
            "models": [model],
        }
    )
    return settings.model_copy(update={"upstreams": (*settings.upstreams, upstream)})


def with_sandbox(planned: Plan) -> Plan:
    """Return the plan with the simulated upstreams in the place of the embedded model."""
    settings = planned.settings.model_copy(update={"sandbox": True})
    inventory = build(settings, *packaged())
    return replace(planned, settings=settings, inventory=inventory, embedded=False)


@asynccontextmanager
async def embedded_upstream() -> AsyncGenerator[str, None]:
    """Run the embedded model and watch over it; yields its base URL. Raises EmbeddedError."""
    from infway.embedded import Embedded, EmbeddedFailed  # noqa: PLC0415 - only where it is used

    child = Embedded(system_clock())
    try:
        await child.start()
    except EmbeddedFailed as failed:
        raise EmbeddedError(f"the embedded model: {failed.reason}") from failed
    async with beside(child.watch):
        try:
            yield child.base_url
        finally:
            await child.stop()
