"""The whole configuration: closed, frozen models, every field with what it means.

The descriptions below are what docs/configuration.md and config/infway.schema.json show.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic import SecretStr as Secret

from infway.settings.upstreams import Closed, Key, Percent, Seconds, UpstreamSettings, Weight, Words

Sort = Literal["price", "throughput", "latency"]


class ServerSettings(Closed):
    """Where infway listens, and how it treats every request."""

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8080, ge=1, le=65535, description="TCP port to listen on.")
    workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Processes. More than one need `state.redis` to share limits.",
    )
    body_limit: int = Field(
        default=20 * 2**20, ge=1024, le=2**30, description="Largest request body, in bytes."
    )
    docs: bool = Field(default=True, description="Serve the API description and its page.")
    region: str | None = Field(
        default=None, description="What replies name as the region, if anything."
    )
    require_model: bool = Field(
        default=False,
        description="Refuse requests that leave the model open instead of choosing one.",
    )
    always_usage_chunk: bool = Field(
        default=False, description="Streams end with a usage chunk even where nobody asked for it."
    )
    heartbeat: Seconds = Field(
        default=15.0, description="Seconds of silence before a stream's comment line."
    )
    socket_idle: Seconds = Field(
        default=600.0,
        description="Seconds after which a WebSocket is closed on which nothing is asked.",
    )
    drain: Seconds = Field(default=120.0, description="Seconds that running answers get at a stop.")
    proxy_headers: bool = Field(
        default=False, description="Believe X-Forwarded-For: only behind a proxy that sets it."
    )


class WeightSettings(Closed):
    """How much each quantity counts, 0 to 1000; null is the default of `routing.weights`."""

    price: Weight | None = Field(default=None, description="What the answer costs.")
    error: Weight | None = Field(default=None, description="How likely it fails.")
    start_latency: Weight | None = Field(default=None, description="Time to the first token.")
    end_latency: Weight | None = Field(default=None, description="Time to the last token.")
    quality: Weight | None = Field(
        default=None, description="Quality of the model, where it is open."
    )


class DefaultWeightSettings(Closed):
    """How much each quantity counts, 0 to 1000, where neither request nor key says otherwise."""

    price: Weight = Field(default=1.0, description="What the answer costs.")
    error: Weight = Field(default=1.0, description="How likely it fails.")
    start_latency: Weight = Field(default=0.25, description="Time to the first token.")
    end_latency: Weight = Field(default=0.25, description="Time to the last token.")
    quality: Weight = Field(default=2.0, description="Quality of the model, where it is open.")


class KeySettings(Closed):
    """One key that callers of infway present."""

    name: str = Field(min_length=1, max_length=64, description="Its name in logs and the ledger.")
    key: Key = Field(min_length=16, description="The key itself, at least 16 characters.")
    admin: bool = Field(default=False, description="It may also read decisions and reload.")
    models: Words | None = Field(default=None, description="Models it may use; null: all.")
    upstreams: Words | None = Field(default=None, description="Upstreams it may use; null: all.")
    weights: WeightSettings | None = Field(default=None, description="Its own default weights.")


class PolicySettings(Closed):
    """A name that stands for a choice among models."""

    models: Words | None = Field(default=None, description="The pool; null: all above the floor.")
    weights: WeightSettings | None = Field(default=None, description="What counts how much.")
    quality_floor: Percent | None = Field(default=None, description="No model below this quality.")
    max_input_cost: float | None = Field(
        default=None, ge=0, description="USD per million characters."
    )
    max_output_cost: float | None = Field(
        default=None, ge=0, description="USD per million characters."
    )
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
    short_half_life: Seconds = Field(
        default=30.0, description="How fast recent evidence fades, seconds."
    )
    long_half_life: Seconds = Field(
        default=300.0, description="How fast older evidence fades, seconds."
    )


class AttemptSettings(Closed):
    """How often infway tries again before it gives up."""

    max: int = Field(
        default=3, ge=1, le=10, description="Attempts of one request, the first included."
    )
    retry_share: float = Field(
        default=0.2, ge=0, le=1, description="Retries per request, on average."
    )
    retry_floor: int = Field(
        default=3, ge=0, description="Retries that are always allowed, per upstream."
    )
    backoff_base: Seconds = Field(
        default=0.25, description="First wait before the same offer again."
    )
    backoff_cap: Seconds = Field(default=5.0, description="Longest such wait, seconds.")
    patience: float = Field(
        default=3.0, ge=0, le=600, description="Longest Retry-After that is waited for, seconds."
    )


class QueueSettings(Closed):
    """Requests to `/queue/chat/completions`, which wait while every offer is busy."""

    timeout: Seconds = Field(default=300.0, description="Longest wait, in seconds.")
    size: int = Field(
        default=1000, ge=0, le=100_000, description="How many wait at once; more are refused."
    )


class LedgerSettings(Closed):
    """Where usage is recorded."""

    path: Path | None = Field(
        default=None, description="SQLite file; null: ledger.db in the data folder."
    )
    queue: int = Field(default=10_000, ge=1, description="Rows that may wait to be written.")


class ResponsesSettings(Closed):
    """Responses that infway keeps for their callers."""

    store: bool = Field(
        default=True, description="Keep responses, so that they can be read and followed."
    )
    keep: float = Field(
        default=30.0, gt=0, le=36_500, description="Days after which a response is forgotten."
    )
    size: int = Field(
        default=2**30,
        ge=2**20,
        description="Bytes of all kept responses, beyond which the oldest of those that hold most are forgotten.",
    )


class StateSettings(Closed):
    """What several replicas share."""

    redis: Secret | None = Field(
        default=None, min_length=1, description="redis:// URL; null: no sharing."
    )


class DecisionSettings(Closed):
    """Decisions kept in memory for `infway explain`."""

    keep: int = Field(
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
