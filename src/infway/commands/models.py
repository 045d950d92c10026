"""`infway models`: what can be asked for, where, and at what price."""

from pathlib import Path

import click

from infway.commands.configuration import configured, stock
from infway.commands.surroundings import Surroundings
from infway.commands.table import table
from infway.inventory import EVERYTHING
from infway.kernel.chat import Feature, Offer, Prices
from infway.kernel.money import PICO_PER_USD_PER_MILLION, usd_text

HEAD = ("MODEL", "UPSTREAM", "IN", "OUT", "CONTEXT", "QUALITY", "CAPABILITIES")
NUMBERS = frozenset({2, 3, 4, 5})


@click.command("models")
@click.option("--config", "-c", type=click.Path(path_type=Path), help="Configuration file.")
@click.argument("part", required=False)
@click.pass_obj
def command(surroundings: Surroundings, config: Path | None, part: str | None) -> None:
    """List the models, with upstreams and prices in USD per million tokens, or of what they name.

    PART is a piece of the name of a model or an upstream. No gateway needs to be running.
    """
    inventory, _ = stock(surroundings, configured(surroundings, config).settings)
    stocked = inventory.all_offers
    offers = [offer for offer in stocked if part is None or part in offer.id]
    if not offers:
        raise click.ClickException("There is no such model." if part else "There are no models.")
    by_price = sorted(offers, key=lambda offer: (offer.model, offer.prices.input or 0))
    click.echo(table(HEAD, map(_row, by_price), NUMBERS))


def _row(offer: Offer) -> tuple[str, ...]:
    return (
        offer.model,
        offer.upstream.name,
        _paid(offer.prices),
        _price(offer.prices.output),
        f"{offer.context:,}" if offer.context else "?",
        f"{offer.quality:g}",
        _words(offer.features),
    )


def _paid(prices: Prices) -> str:
    """Return the price of input, or of what else is paid where that is no token."""
    units = (
        (prices.query, "search"),
        (prices.image, "image"),
        (prices.character, "letter"),
        (prices.second, "second"),
    )
    if prices.input is None:
        for pico, word in units:
            if pico is not None:
                return f"{usd_text(pico)}/{word}"
    return _price(prices.input)


def _price(pico: int | None) -> str:
    return "?" if pico is None else f"{pico / PICO_PER_USD_PER_MILLION:.4g}"


def _words(features: Feature) -> str:
    words = [feature.name.lower() for feature in Feature if feature in features and feature.name]
    return "not known" if features == EVERYTHING else " ".join(words)
