"""The whole configuration: closed, frozen models, every field with what it means.

The descriptions below are what docs/configuration.md and config/infway.schema.json show.
"""

from typing import Annotated, Literal

from pydantic import Field

from infway.accounts.terms import (
    NUMBER,
    KeyTerms,
    Number,
    PlanTerms,
    Weight,
    WeightTerms,
    Whole,
    Words,
)
from infway.settings.accounts import (
    AccountsSettings,
    AdminSettings,
    AlertSettings,
    BillingSettings,
    OrganisationSettings,
    ProjectSettings,
)
from infway.settings.server import ServerSettings
from infway.settings.stores import (
    IdempotencySettings,
    LedgerSettings,
    ResponsesSettings,
    StateSettings,
    StoreSettings,
)
from infway.settings.upstreams import Closed, Key, Percent, Seconds, UpstreamSettings

Sort = Literal["price", "throughput", "latency"]
Cost = Annotated[float, Field(ge=0), NUMBER]


class DefaultWeightSettings(Closed):
    """How much each quantity counts, 0 to 1000, where neither request nor key says otherwise."""

    price: Weight = Field(default=1.0, description="What the answer costs.")
    error: Weight = Field(default=1.0, description="How likely it fails.")
    start_latency: Weight = Field(default=0.25, description="Time to the first token.")
    end_latency: Weight = Field(default=0.25, description="Time to the last token.")
    quality: Weight = Field(default=2.0, description="Quality of the model, where it is open.")


class KeySettings(KeyTerms):
    """One key that callers of infway present."""

    name: str = Field(min_length=1, max_length=64, description="Its name in logs and the ledger.")
    key: Key = Field(
        min_length=16, description="The key itself, at least 16 characters; 32 with `admin`."
    )
    admin: bool = Field(
        default=False,
        description="It also reads decisions, and every caller's `/v1/generation`.",
    )


class PolicySettings(Closed):
    """A name that stands for a choice among models."""

    models: Words | None = Field(default=None, description="The pool; null: all above the floor.")
    weights: WeightTerms | None = Field(default=None, description="What counts how much.")
    quality_floor: Percent | None = Field(default=None, description="No model below this quality.")
    max_input_cost: Cost | None = Field(default=None, description="USD per million characters.")
    max_output_cost: Cost | None = Field(default=None, description="USD per million characters.")
    sort: Sort | None = Field(default=None, description="One objective instead of weights.")
    only: Words = Field(default=(), description="No upstreams or vendors but these.")
    ignore: Words = Field(default=(), description="Not these upstreams or vendors.")


class RoutingSettings(Closed):
    """How an upstream is chosen."""

    weights: DefaultWeightSettings = Field(
        default_factory=DefaultWeightSettings, description="What counts how much by default."
    )
    exploration: bool = Field(default=True, description="Try uncertain offers now and then.")
    quality_floor: Percent = Field(
        default=40.0, description="Models below this quality are not chosen unless they are named."
    )
    stickiness: bool = Field(default=True, description="Count what a warm prompt cache saves.")
    larger_context: bool = Field(
        default=True,
        description="Where a prompt is too long for an offer, try one with a larger window, if the"
        " request allows any.",
    )
    reroute_filtered: bool = Field(
        default=False,
        description="Try other offers where a content filter refuses; else the refusal is passed on.",
    )
    short_half_life: Seconds = Field(
        default=30.0, description="How fast recent evidence fades, seconds."
    )
    long_half_life: Seconds = Field(
        default=300.0, description="How fast older evidence fades, seconds."
    )


class AttemptSettings(Closed):
    """How often infway tries again before it gives up."""

    max: Whole = Field(
        default=3, ge=1, le=10, description="Attempts of one request, the first included."
    )
    retry_share: Number = Field(
        default=0.2, ge=0, le=1, description="Retries per request of the last ten seconds."
    )
    retry_floor: Whole = Field(
        default=3, ge=0, description="Retries that are always allowed in ten seconds."
    )
    backoff_base: Seconds = Field(
        default=0.25, description="First wait before the same offer again."
    )
    backoff_cap: Seconds = Field(default=5.0, description="Longest such wait, seconds.")
    patience: Number = Field(
        default=3.0,
        ge=0,
        le=600,
        description="Longest Retry-After that is waited for before another model is tried, seconds.",
    )
    lone_patience: Number = Field(
        default=5.0, ge=0, le=600, description="The same where nothing else is left to try."
    )
    hedge: Annotated[float, Field(ge=0, le=600), NUMBER] | Literal["p95"] | None = Field(
        default=None,
        description="Seconds without a first token after which a second offer is asked too; `p95`:"
        " what 19 of 20 replies take; null: never.",
    )
    hedge_share: Number = Field(
        default=0.05, ge=0, le=1, description="Requests that may be asked twice so."
    )
    rescue: bool = Field(
        default=True,
        description="Finish an answer that breaks off after it has begun by another attempt.",
    )


class QueueSettings(Closed):
    """Requests to `/queue/chat/completions`, which wait while every offer is busy."""

    timeout: Seconds = Field(default=300.0, description="Longest wait, in seconds.")
    size: Whole = Field(
        default=1000, ge=0, le=100_000, description="How many wait at once; more are refused."
    )


class DecisionSettings(Closed):
    """Decisions kept in memory for `infway explain`."""

    keep: Whole = Field(
        default=1000, ge=0, le=1_000_000, description="How many of the latest are kept."
    )


class LogSettings(Closed):
    """What infway says about itself."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="From where on."
    )
    format: Literal["auto", "json", "text"] = Field(
        default="auto", description="`auto`: text on a terminal, JSON elsewhere."
    )


class DiscoverSettings(Closed):
    """Upstreams that are found rather than configured."""

    environment: bool | None = Field(
        default=None,
        description="From vendors' key variables; null: where no upstreams are configured.",
    )
    local: bool | None = Field(
        default=None,
        description="Model servers on this machine; null: where no upstreams are configured, nor"
        " the sandbox.",
    )


class Settings(Closed):
    """The whole configuration."""

    server: ServerSettings = Field(default_factory=ServerSettings, description="The listener.")
    keys: tuple[KeySettings, ...] = Field(
        default=(), description="Who may ask; none: one key is made."
    )
    plans: dict[str, PlanTerms] = Field(
        default_factory=dict[str, PlanTerms], description="Limits, by the name of the plan."
    )
    organisations: tuple[OrganisationSettings, ...] = Field(default=(), description="Who pays.")
    projects: tuple[ProjectSettings, ...] = Field(default=(), description="What keys are for.")
    accounts: AccountsSettings = Field(
        default_factory=AccountsSettings, description="Keys made at run time."
    )
    admin: AdminSettings = Field(default_factory=AdminSettings, description="The admin API.")
    alerts: AlertSettings = Field(default_factory=AlertSettings, description="Who is told.")
    billing: BillingSettings = Field(
        default_factory=BillingSettings, description="What callers are charged."
    )
    store: StoreSettings = Field(default_factory=StoreSettings, description="The database.")
    upstreams: tuple[UpstreamSettings, ...] = Field(default=(), description="Where models are.")
    aliases: dict[str, str] = Field(
        default_factory=dict[str, str],
        description="Other names: of a model, or of `upstream/model`.",
    )
    policies: dict[str, PolicySettings] = Field(
        default_factory=dict[str, PolicySettings],
        description="Names that stand for a choice among models.",
    )
    routing: RoutingSettings = Field(default_factory=RoutingSettings, description="The choice.")
    attempts: AttemptSettings = Field(default_factory=AttemptSettings, description="The retries.")
    queue: QueueSettings = Field(default_factory=QueueSettings, description="The queue.")
    ledger: LedgerSettings = Field(default_factory=LedgerSettings, description="The records.")
    responses: ResponsesSettings = Field(
        default_factory=ResponsesSettings, description="The kept responses."
    )
    idempotency: IdempotencySettings = Field(
        default_factory=IdempotencySettings, description="Requests that come twice."
    )
    state: StateSettings = Field(default_factory=StateSettings, description="The shared state.")
    decisions: DecisionSettings = Field(
        default_factory=DecisionSettings, description="The reasons."
    )
    logs: LogSettings = Field(default_factory=LogSettings, description="The log.")
    discover: DiscoverSettings = Field(
        default_factory=DiscoverSettings, description="What is found by itself."
    )
    sandbox: bool = Field(
        default=False, description="Add three simulated upstreams of `sandbox-chat`."
    )

    @property
    def discovers_environment(self) -> bool:
        """Tell whether vendors' key variables are looked at."""
        said = self.discover.environment
        return not self.upstreams if said is None else said

    @property
    def discovers_local(self) -> bool:
        """Tell whether model servers on this machine are looked for."""
        said = self.discover.local
        return not (self.upstreams or self.sandbox) if said is None else said
