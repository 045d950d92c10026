"""Options that say what a key, a project, an organisation or a plan may do."""

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar, cast

import click

from infway.accounts.capabilities import Capability
from infway.accounts.entries import TERMS, Kind
from infway.accounts.terms import PlanTerms, is_plain

_Command = TypeVar("_Command", bound=Callable[..., object])
_FIELDS: Mapping[str, str] = {
    "model": "models",
    "upstream": "upstreams",
    "tag": "tags",
    "budget": "budgets",
    "capability": "capabilities",
    "weight": "weights",
}
"""The fields of the configuration that options say, where their names differ."""


class Budget(click.ParamType[dict[str, object]]):
    """An amount and its time, like `20/month`, `5/day` or `100/total`; `:0.5,0.9` are its alerts."""

    name = "USD/time[:shares]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, object]:
        """Read it; the numbers are checked with everything else."""
        amount, colon, shares = str(value).partition(":")
        usd, _, per = amount.partition("/")
        if per not in ("", "day", "month", "total"):
            self.fail(
                "write an amount of USD like 20/month, 5/day or 100/total:0.5,0.9", param, ctx
            )
        alerts = {"alerts": shares.split(",")} if colon else {}
        return {"usd": usd, "per": per or "month", **alerts}


class Weight(click.ParamType[tuple[str, float]]):
    """How much a quantity counts, like `price=2`."""

    name = "NAME=NUMBER"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        """Read it; the name is checked with everything else."""
        name, _, number = str(value).partition("=")
        try:
            return name, float(number if is_plain(number) else "")
        except ValueError:
            self.fail("write a weight like price=2", param, ctx)


class Limit(click.IntRange):
    """A limit of a plan: no digits but 0 to 9, nothing between them."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read it."""
        if not is_plain(str(value)):
            self.fail("write a whole number in the digits 0 to 9", param, ctx)
        number: int = super().convert(cast("int", value), param, ctx)
        return number


class Field(click.ParamType[str]):
    """One of some fields, by its name or that of its option; becomes its name."""

    name = "field"

    def __init__(self, fields: Collection[str]) -> None:
        self._fields = fields

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Read it; one that there is not is a usage error."""
        said = str(value).removeprefix("--").replace("-", "_")
        field = _FIELDS.get(said, said)
        if field not in self._fields:
            options = {field: option for option, field in _FIELDS.items()}
            known = sorted(options.get(one, one).replace("_", "-") for one in self._fields)
            self.fail(f"there is no field '{value}'; there are {', '.join(known)}", param, ctx)
        return field


_HOLDER = (
    click.option("--plan", help="Its plan."),
    click.option(
        "--budget",
        type=Budget(),
        multiple=True,
        help="Like 20/month, or 20/month:0.5,0.9 with the shares to alert at; several count.",
    ),
)
_KEY = (
    click.option("--project", help="Its project."),
    click.option("--model", multiple=True, help="A model it may use; without any: all."),
    click.option("--upstream", multiple=True, help="An upstream it may use; without any: all."),
    click.option("--weight", type=Weight(), multiple=True, help="A default weight: price=2."),
    click.option("--tag", multiple=True, help="A word to sum usage by."),
    click.option("--rescue/--no-rescue", default=None, help="Finish answers that break off."),
    click.option(
        "--unpriced", multiple=True, help="A model without a price, allowed all the same."
    ),
)


def holder_options(command: _Command) -> _Command:
    """Add what projects, organisations and keys have in common."""
    return _with(command, _HOLDER)


def key_options(command: _Command) -> _Command:
    """Add what a key may do."""
    return _with(command, (*_KEY, *_HOLDER))


def admin_options(command: _Command) -> _Command:
    """Add what a new admin key may do, and where."""
    where = click.option("--organisation", help="Only in this organisation.")
    return _capabilities(required=True)(where(command))


def admin_changes(command: _Command) -> _Command:
    """Add what may change of an admin key."""
    return _capabilities(required=False)(command)


def _capabilities(*, required: bool) -> Callable[[_Command], _Command]:
    return click.option(
        "--capability",
        type=click.Choice([one.value for one in Capability]),
        multiple=True,
        required=required,
        help="What it may do.",
    )


def plan_options(command: _Command) -> _Command:
    """Add the limits of a plan."""
    limits = [
        click.option(f"--{name.replace('_', '-')}", type=Limit(0), help=field.description)
        for name, field in PlanTerms.model_fields.items()
        if name != "models"
    ]
    models = click.option("--model", multiple=True, help="A model of it; without any: all.")
    return _with(command, (*limits, models))


def clearing(kind: Kind) -> Callable[[_Command], _Command]:
    """Return what adds the option that takes something away from one of a kind, if anything can be."""
    known = TERMS[kind].model_fields
    # a project stays with its organisation, and an admin key may always do something
    fields = {name for name, one in known.items() if not one.is_required()} - {"organisation"}
    if not fields:
        return lambda command: command
    about = "An option whose field falls back to its default, like `budget`."
    return click.option("--clear", type=Field(fields), multiple=True, help=about)


def said_of(given: Mapping[str, object]) -> dict[str, object]:
    """Return the fields that options say, by their names in the configuration."""
    said: dict[str, object] = {}
    for name, value in given.items():
        if value is None or value == () or name == "clear":
            continue
        if name == "weight":
            said["weights"] = dict(cast("tuple[tuple[str, float], ...]", value))
        else:
            said[_FIELDS.get(name, name)] = value
    return said


def _with(command: _Command, listed: tuple[Callable[[_Command], _Command], ...]) -> _Command:
    for option in reversed(listed):
        command = option(command)
    return command
