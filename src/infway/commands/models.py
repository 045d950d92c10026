"""`infway models`: what can be asked for, where, and at what price."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import click
import httpx2

from infway.api.models import offered
from infway.commands import options
from infway.commands.addresses import address
from infway.commands.asking import ask
from infway.commands.configuration import configured, stock
from infway.commands.surroundings import Surroundings
from infway.commands.table import table
from infway.inventory import EVERYTHING
from infway.kernel.chat import Feature
from infway.providers.shapes import Object, as_list, as_object, as_objects, as_text

HEAD = ("MODEL", "UPSTREAM", "IN", "OUT", "CONTEXT", "QUALITY", "CAPABILITIES")
NUMBERS = frozenset({2, 3, 4, 5})
_EVERYTHING = {str(feature.name).lower() for feature in Feature if feature in EVERYTHING}
# What is paid where that is no token, and its word
_UNITS: Mapping[str, str] = {
    "request": "search",
    "image": "image",
    "character": "letter",
    "second": "second",
}


@click.command("models")
@options.stock
@options.url
@click.argument("part", required=False)
@click.pass_obj
def command(
    surroundings: Surroundings,
    /,
    config: Path | None,
    url: str | None,
    part: str | None,
    **said: object,
) -> None:
    """List the models, with upstreams and prices in USD per million tokens, or of what they name.

    PART is a piece of the name of a model or an upstream. The running gateway is asked. Where none
    runs, or an option says what is served, the list is what `infway serve` would offer.
    """
    is_told = config is not None or any(value is not None for value in said.values())
    if url and is_told:
        raise click.UsageError("--url asks a gateway that runs: leave out what would be served.")
    running = None if is_told else _running(surroundings, url)
    if running is None:
        inventory, _ = stock(surroundings, configured(surroundings, config, said).settings)
        lines = [(offer.model, offered(offer)) for offer in inventory.all_offers]
    else:
        lines = list(_listed(ask(surroundings, running, "/v1/models")))
    lines = [line for line in lines if part is None or part in f"{line[1]['name']}/{line[0]}"]
    if not lines:
        raise click.ClickException("There is no such model." if part else "There are no models.")
    by_price = sorted(lines, key=lambda line: (line[0], _usd(_pricing(line[1]).get("prompt")) or 0))
    click.echo(table(HEAD, (_row(*line) for line in by_price), NUMBERS))


def _running(surroundings: Surroundings, url: str | None) -> str | None:
    """Return where a gateway runs: the one that is named, or that of this machine if it answers."""
    named = url or surroundings.environment.get("INFWAY_URL")
    if named or not surroundings.data.gateways():
        return named
    left = address(surroundings, None)
    try:
        return left if httpx2.get(f"{left}/health", trust_env=False).is_success else None
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return None


def _listed(told: Object) -> Iterator[tuple[str, Object]]:
    """Yield each model's id with what each of its upstreams offers; policies have none."""
    for model in as_objects(told.get("data")):
        for upstream in as_objects(model.get("upstreams")):
            yield as_text(model.get("id")), upstream


def _row(model: str, told: Object) -> tuple[str, ...]:
    pricing = _pricing(told)
    context, quality = told.get("context_length"), told.get("quality")
    return (
        model,
        as_text(told.get("name")),
        _paid(pricing),
        _price(pricing.get("completion")),
        f"{context:,}" if isinstance(context, int) else "?",
        f"{quality:g}" if isinstance(quality, int | float) else "?",
        _words(told.get("capabilities")),
    )


def _pricing(told: Object) -> Object:
    return as_object(told.get("pricing"))


def _paid(pricing: Object) -> str:
    """Return the price of input, or of what else is paid where that is no token."""
    if pricing.get("prompt") is None:
        for name, word in _UNITS.items():
            if name in pricing:
                return f"{as_text(pricing[name])}/{word}"
    return _price(pricing.get("prompt"))


def _price(told: object) -> str:
    usd = _usd(told)
    return "?" if usd is None else f"{usd:.4g}"


def _usd(told: object) -> float | None:
    """Return USD per million tokens of a price per token, None where it is not known."""
    return None if told is None else float(Decimal(str(told)) * 1_000_000)


def _words(told: object) -> str:
    said = {as_text(word) for word in as_list(told)}
    words = [name for name in (str(feature.name).lower() for feature in Feature) if name in said]
    return "not known" if said == _EVERYTHING else " ".join(words)
