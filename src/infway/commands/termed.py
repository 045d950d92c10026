"""Options that say what a key, a project, an organisation or a plan may do."""

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

import click

from infway.accounts.capabilities import Capability
from infway.accounts.terms import PlanTerms

_Command = TypeVar("_Command", bound=Callable[..., object])
_LISTS: Mapping[str, str] = {
    "model": "models",
    "upstream": "upstreams",
    "tag": "tags",
    "budget": "budgets",
    "capability": "capabilities",
}


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
            return name, float(number)
        except ValueError:
            self.fail("write a weight like price=2", param, ctx)


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
_CLEAR = click.option("--clear", multiple=True, help="A field that falls back to its default.")


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
        click.option(f"--{name.replace('_', '-')}", type=click.IntRange(0), help=field.description)
        for name, field in PlanTerms.model_fields.items()
        if name != "models"
    ]
    models = click.option("--model", multiple=True, help="A model of it; without any: all.")
    return _with(command, (*limits, models))


def clearing(command: _Command) -> _Command:
    """Add the option that takes something away."""
    return _with(command, (_CLEAR,))


def said_of(given: Mapping[str, object]) -> dict[str, object]:
    """Return the fields that options say, by their names in the configuration."""
    said: dict[str, object] = {}
    for name, value in given.items():
        if value is None or value == () or name == "clear":
            continue
        if name == "weight":
            said["weights"] = dict(cast("tuple[tuple[str, float], ...]", value))
        else:
            said[_LISTS.get(name, name)] = value
    return said


def _with(command: _Command, listed: tuple[Callable[[_Command], _Command], ...]) -> _Command:
    for option in reversed(listed):
        command = option(command)
    return command
