"""What a plan, an organisation, a project or a key may do.

The same words in the configuration, in the admin API and in the database.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from infway.accounts.capabilities import Capability

_T = TypeVar("_T")
_CONTROL = re.compile(r"[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def is_plain(text: str) -> bool:
    """Tell whether a number is written without what Python reads past: `1_000`, digits of others."""
    return text.isascii() and "_" not in text


def _number(value: object) -> object:
    """Refuse what Python takes for a number: true is no limit of one request."""
    if isinstance(value, bool):
        raise PydanticCustomError("switch", "Input should be a number, not true or false")
    if isinstance(value, str) and not is_plain(value):
        raise PydanticCustomError("digits", "Input should be a number, in the digits 0 to 9")
    if isinstance(value, float) and value.is_integer():
        return int(value)  # JSON does not tell 5.0 from 5
    return value


def _readable(value: str) -> str:
    """Refuse what not every database holds, and what breaks the lines of a log."""
    if _CONTROL.search(value):
        raise PydanticCustomError("control", "Input should have no control characters")
    return value


def _exact(value: object) -> object:
    """Return a number as a decimal, also where no type is taken for another."""
    number = _number(value)
    if not isinstance(number, int | float | str):
        return number
    try:
        return Decimal(str(number))
    except InvalidOperation as error:
        raise PydanticCustomError("decimal_parsing", "Input should be a valid decimal") from error


def _once(said: tuple[_T, ...]) -> tuple[_T, ...]:
    """Leave out what is there a second time."""
    return tuple(dict.fromkeys(said))


NUMBER = BeforeValidator(_number)
"""Stands behind the bounds of every number: `Annotated[int, Field(ge=1), NUMBER]`."""
MONEY = BeforeValidator(_exact)

Whole = Annotated[int, NUMBER]
Number = Annotated[float, NUMBER]
Count = Annotated[int, Field(ge=0, le=10**12), NUMBER]
Share = Annotated[float, Field(gt=0, le=1), NUMBER]
Weight = Annotated[float, Field(ge=0, le=1000), NUMBER]
Readable = Annotated[str, AfterValidator(_readable)]
Word = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_readable)]
Names = tuple[Readable, ...]
Words = tuple[str, ...]
NAME = r"^[A-Za-z0-9][A-Za-z0-9._@-]*$"
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=NAME)]


class Terms(BaseModel):
    """Frozen, and an unknown field is an error. Input never appears in messages."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        allow_inf_nan=False,
        defer_build=True,
        validate_default=False,
    )


class WeightTerms(Terms):
    """How much each quantity counts, 0 to 1000; null is the default of `routing.weights`."""

    price: Weight | None = Field(default=None, description="What the answer costs.")
    error: Weight | None = Field(default=None, description="How likely it fails.")
    start_latency: Weight | None = Field(default=None, description="Time to the first token.")
    end_latency: Weight | None = Field(default=None, description="Time to the last token.")
    quality: Weight | None = Field(
        default=None, description="Quality of the model, where it is open."
    )


class PlanTerms(Terms):
    """What a key, a project or an organisation may ask for in a time; null: no limit.

    Windows slide: the limit holds for any time of that length. Tries that are refused count.
    """

    requests_per_minute: Count | None = Field(default=None, description="Requests in 60 seconds.")
    requests_per_ten_minutes: Count | None = Field(
        default=None, description="Requests in 10 minutes."
    )
    requests_per_hour: Count | None = Field(default=None, description="Requests in 60 minutes.")
    tokens_per_minute: Count | None = Field(
        default=None, description="Tokens in 60 seconds, of prompts and answers."
    )
    characters_per_minute: Count | None = Field(
        default=None, description="Characters of prompts in 60 seconds."
    )
    characters_per_ten_minutes: Count | None = Field(
        default=None, description="Characters of prompts in 10 minutes."
    )
    characters_per_hour: Count | None = Field(
        default=None, description="Characters of prompts in 60 minutes."
    )
    concurrent_requests: Count | None = Field(default=None, description="Requests at once.")
    models: Names | None = Field(default=None, description="Models of this plan; null: all.")


class BudgetTerms(Terms):
    """How much money may be spent; the worst case of every request fits in before it is sent."""

    usd: Annotated[Decimal, Field(ge=0, le=10**9, decimal_places=6), MONEY] = Field(
        description="USD that may be spent."
    )
    per: Literal["day", "month", "total"] = Field(
        default="month", description="In which time: a day or a month of UTC, or in all."
    )
    alerts: Annotated[tuple[Share, ...], Field(max_length=10), AfterValidator(_once)] = Field(
        default=(0.8, 1.0), description="Shares of it at which somebody is told."
    )


class HolderTerms(Terms):
    """What organisations, projects and keys have in common."""

    plan: str | None = Field(default=None, description="One of `plans`; null: no limits.")
    budgets: tuple[BudgetTerms, ...] = Field(
        default=(), max_length=3, description="At most one for each kind of time."
    )


class OrganisationTerms(HolderTerms):
    """Whoever pays: its limits and budgets hold for all its projects together."""


class ProjectTerms(HolderTerms):
    """A part of an organisation: its limits and budgets hold for all its keys together."""

    organisation: str | None = Field(default=None, description="One of `organisations`.")


class KeyTerms(HolderTerms):
    """What callers may do who present a key."""

    project: str | None = Field(default=None, description="One of `projects`.")
    models: Names | None = Field(default=None, description="Models it may use; null: all.")
    upstreams: Names | None = Field(default=None, description="Upstreams it may use; null: all.")
    weights: WeightTerms | None = Field(default=None, description="Its own default weights.")
    rescue: bool = Field(
        default=True, description="Its answers may be finished by another offer if they break off."
    )
    tags: Annotated[tuple[Word, ...], Field(max_length=16), AfterValidator(_once)] = Field(
        default=(), description="Words to sum usage by."
    )
    unpriced: Names = Field(
        default=(),
        description="Models, or offers as `upstream/model`, that may be used under a budget although"
        " no price of theirs is known; they count nothing.",
    )


class AdminTerms(Terms):
    """What an administrator may do, and for whom."""

    capabilities: tuple[Capability, ...] = Field(
        min_length=1, max_length=32, description="What its holder may do, and may grant to others."
    )
    organisation: str | None = Field(
        default=None, description="Only in this organisation; null: in all of them."
    )


AnyTerms = PlanTerms | OrganisationTerms | ProjectTerms | KeyTerms | AdminTerms
