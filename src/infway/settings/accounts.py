"""Who may spend how much: plans, organisations, projects, budgets, and where that is kept."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field
from pydantic import SecretStr as Secret

from infway.accounts.terms import NUMBER, Name, OrganisationTerms, ProjectTerms
from infway.settings.upstreams import HOOK, Closed

Credit = Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=12), NUMBER]


class OrganisationSettings(OrganisationTerms):
    """Whoever pays: its limits and budgets hold for all its projects together."""

    name: Name = Field(description="Its name.")


class ProjectSettings(ProjectTerms):
    """A part of an organisation: its limits and budgets hold for all its keys together."""

    name: Name = Field(description="Its name.")


class AccountsSettings(Closed):
    """Keys that are made while the gateway runs."""

    pepper: Secret | None = Field(
        default=None,
        min_length=32,
        description="What the digests of keys are made with; null: a file in the data folder."
        " Replicas need the same one.",
    )
    refresh: Annotated[float, Field(gt=0, le=4), NUMBER] = Field(
        default=2.0,
        description="Seconds between two looks for keys that changed; at most 4, so that a revoked"
        " key is refused everywhere within 5.",
    )


class AdminSettings(Closed):
    """The listener of the admin API, apart from that of callers."""

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: Annotated[int, Field(ge=1, le=65535), NUMBER] | None = Field(
        default=None,
        description="TCP port of its own, which needs `key`; null: there is no admin API.",
    )
    key: Secret | None = Field(
        default=None,
        min_length=32,
        description="The secret of the first admin key, at least 32 characters.",
    )


class AlertSettings(Closed):
    """Who is told when a budget runs out, beside the log and the metrics."""

    webhook: str | None = Field(
        default=None,
        pattern=HOOK,
        description="Where a JSON message is posted; it needs `secret`.",
    )
    secret: Secret | None = Field(
        default=None, min_length=16, description="Signs the message: HMAC-SHA256 in a header."
    )


class BillingSettings(Closed):
    """What callers are charged, where that is not what their requests cost."""

    zero_completion_insurance: bool = Field(
        default=True,
        description="Charge nothing for an attempt that gave no token and no end, or ended in an"
        " error.",
    )
    max_rate: bool = Field(
        default=False,
        description="Charge the highest input and the highest output price among the offers that"
        " were considered, whichever answers.",
    )
    credit_usd: Credit = Field(
        default=Decimal(1), description="What one credit of `Infe-Unit-Cost` is worth, in USD."
    )
