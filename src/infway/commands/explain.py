"""`infway explain`: the order of offers for a request, and the numbers behind it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import BinaryIO, cast
from urllib.parse import quote

import click

from infway.api.choice import check_choice
from infway.api.reading import read_chat
from infway.commands import options
from infway.commands.addresses import address
from infway.commands.asking import advice, ask
from infway.commands.configuration import configured, stock
from infway.commands.surroundings import Surroundings
from infway.commands.table import table
from infway.ims.catalog import Catalog
from infway.ims.explain import explain
from infway.ims.health import Health
from infway.ims.rank import Router
from infway.ims.tuning import Tuning
from infway.inventory import Inventory
from infway.kernel.chat import Principal, Weights
from infway.kernel.errors import GatewayError
from infway.providers.vendors import VENDORS
from infway.settings import Settings

Facts = Mapping[str, object]
HEAD = ("", "OFFER", "USD", "START S", "END S", "FAILS", "VALUE", "STATE")
NUMBERS = frozenset({0, 2, 3, 4, 5, 6})


@click.command("explain")
@click.argument("request_file", metavar="[REQUEST.json]", type=click.File("rb"), required=False)
@options.stock
@click.option("--id", "request_id", help="A request that the running gateway has answered.")
@options.url
@click.option("--json", "as_json", is_flag=True, help="Print everything that is known, as JSON.")
@click.pass_obj
def command(surroundings: Surroundings, /, config: Path | None, **said: object) -> None:
    """Show how a request is routed, or was.

    REQUEST.json holds the body of a chat request (- is standard input). It is ranked as a fresh
    start would: nothing is sent, and nothing is known yet of how the upstreams do. With --id it
    is the decision as it was made, from the running gateway; that takes an admin key.
    """
    request_id = said["request_id"]
    request_file = cast("BinaryIO | None", said["request_file"])
    if (request_file is None) == (request_id is None):
        raise click.UsageError("Give a request in a file, or --id of one.")
    if request_file is None:
        url = cast("str | None", said["url"])
        facts = _asked(surroundings, address(surroundings, url), str(request_id))
    else:
        settings = configured(surroundings, config, said).settings
        inventory, _ = stock(surroundings, settings)
        facts = _ranked(request_file.read(), settings, inventory)
    click.echo(json.dumps(facts, indent=2) if said["as_json"] else _shown(facts))


def _ranked(body: bytes, settings: Settings, inventory: Inventory) -> Facts:
    routing = settings.routing
    tuning = replace(Tuning(), weights=Weights(**routing.weights.model_dump()), explore=0.0)
    chance = Random(0)  # noqa: S311 - not a secret; means are used, so it decides nothing
    catalog = Catalog(
        inventory.offers,
        aliases=settings.aliases,
        policies=inventory.policies,
        vendors=VENDORS,
        quality_floor=routing.quality_floor,
    )
    router = Router(catalog, Health(inventory.offers, tuning, chance), tuning, chance)
    try:
        ask, _ = read_chat(body, "explained", None)
        check_choice(ask)
        return explain(router.decide(ask, Principal("infway explain"), 0.0))
    except GatewayError as error:
        said = f"{error.status} {error.code}: {error.message}{advice(error.code)}"
        raise click.ClickException(said) from error


def _asked(surroundings: Surroundings, url: str, request_id: str) -> Facts:
    found = ask(surroundings, url, f"/admin/decisions/{quote(request_id, safe='')}")
    decision = cast("Facts", found["decision"])
    return {**decision, "attempts": found["attempts"], "outcome": found["outcome"]}


def _shown(facts: Facts) -> str:
    offers = cast("Sequence[Facts]", facts["offers"])
    weights = cast("Mapping[str, float | None]", facts["weights"])
    said = ", ".join(f"{name} {value:g}" for name, value in weights.items() if value is not None)
    return (
        f"{facts['input_tokens']} input tokens, {facts['output_tokens']:.0f} output tokens"
        f" expected; weights: {said}\n\n{table(HEAD, map(_row, offers), NUMBERS)}{_happened(facts)}"
    )


def _happened(facts: Facts) -> str:
    """Return what came of a past request, in the order it was tried."""
    if "attempts" not in facts:
        return ""
    attempts = cast("Sequence[Facts]", facts["attempts"])
    tried = ", ".join(f"{one['offer']}{_rescue(one)}: {one['outcome']}" for one in attempts)
    return f"\n\nTried: {tried}. Outcome: {facts['outcome']}."


def _rescue(attempt: Facts) -> str:
    """Return how an attempt was to finish an answer that had broken off."""
    return f" (rescue by {attempt['rescue']})" if "rescue" in attempt else ""


def _row(offer: Facts) -> tuple[str, ...]:
    if offer.get("removed_by"):
        return ("-", str(offer["offer"]), "", "", "", "", "", f"ruled out by {offer['removed_by']}")
    numbers = [_number(offer.get(name)) for name in ("cost_usd", "start_s", "end_s", "p_fail")]
    place = offer.get("place")
    return (
        "-" if place is None else str(place),
        str(offer["offer"]),
        *numbers,
        _number(offer.get("value")),
        str(offer.get("state") or ""),
    )


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, int | float) else ""
