"""Options that say what a key, a project, an organisation or a plan may do."""

from collections.abc import Callable, Mapping
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


class Budget(click.ParamType[dict[str, str]]):
    """An amount and its time, like `20/month`, `5/day` or `100/total`."""

    name = "USD/time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, str]:
        """Read it; the amount is checked with everything else."""
        usd, _, per = str(value).partition("/")
        if per not in ("", "day", "month", "total"):
            self.fail("write an amount of USD like 20/month, 5/day or 100/total", param, ctx)
        return {"usd": usd, "per": per or "month"}


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
    """A field of a kind, by its name or that of its option; becomes its name."""

    name = "field"

    def __init__(self, kind: Kind) -> None:
        # a project stays with its organisation
        self._fields = set(TERMS[kind].model_fields) - {"organisation"}

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
    click.option("--budget", type=Budget(), multiple=True, help="Like 20/month; several count."),
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
_ADMIN = (
    click.option(
        "--capability",
        type=click.Choice([one.value for one in Capability]),
        multiple=True,
        required=True,
        help="What it may do.",
    ),
    click.option("--organisation", help="Only in this organisation."),
)


def holder_options(command: _Command) -> _Command:
    """Add what projects, organisations and keys have in common."""
    return _with(command, _HOLDER)


def key_options(command: _Command) -> _Command:
    """Add what a key may do."""
    return _with(command, (*_KEY, *_HOLDER))


def admin_options(command: _Command) -> _Command:
    """Add what an admin key may do."""
    return _with(command, _ADMIN)


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
    """Return what adds the option that takes something away from one of a kind."""
    about = "An option whose field falls back to its default, like `budget`."
    return click.option("--clear", type=Field(kind), multiple=True, help=about)


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
