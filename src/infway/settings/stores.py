"""Where records are kept, for how long, and what several replicas share."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic import SecretStr as Secret

from infway.accounts.terms import NUMBER, Number, Whole
from infway.settings.upstreams import Closed, Seconds


class ContentSettings(Closed):
    """Whether what was asked and answered is kept; it is not unless that is switched on."""

    store: bool = Field(default=False, description="Keep requests and replies as they were.")
    size: Whole = Field(
        default=65_536, ge=1, le=2**24, description="Bytes kept of each; the rest is left out."
    )
    keep: Number = Field(default=7.0, gt=0, le=3650, description="Days that they are kept.")


class LedgerSettings(Closed):
    """Where usage is recorded."""

    path: Path | None = Field(
        default=None, description="SQLite file; null: ledger.db in the data folder."
    )
    queue: Whole = Field(
        default=10_000,
        ge=1,
        description="Requests whose rows wait in memory; those of more wait in a file alone.",
    )
    spool_rows: Whole = Field(
        default=100_000,
        ge=1,
        description="Rows that wait in a file while the store is away; beyond, requests are refused.",
    )
    spool_time: Seconds = Field(
        default=300.0, description="Seconds that the store may be away before requests are refused."
    )
    keep: Annotated[float, Field(gt=0), NUMBER] | None = Field(
        default=None, description="Days that single rows are kept; null: for good. Sums stay."
    )
    contents: ContentSettings = Field(
        default_factory=ContentSettings, description="Prompts and answers."
    )


class ResponsesSettings(Closed):
    """Responses that infway keeps for their callers."""

    store: bool = Field(
        default=True, description="Keep responses, so that they can be read and followed."
    )
    keep: Number = Field(
        default=30.0, gt=0, le=36_500, description="Days after which a response is forgotten."
    )
    size: Whole = Field(
        default=2**30,
        ge=2**20,
        description="Bytes of all kept responses, beyond which the oldest of those that hold most are forgotten.",
    )


class StateSettings(Closed):
    """What several replicas share."""

    redis: Secret | None = Field(
        default=None, min_length=1, description="redis:// URL; null: no sharing."
    )
    replicas: Whole = Field(
        default=1,
        ge=1,
        le=1000,
        description="Gateways that share limits at least; more are seen in Redis. While it is away, or where none is, each keeps to its part.",
    )


class StoreSettings(Closed):
    """Where keys, usage and budgets are kept."""

    url: Secret | None = Field(
        default=None,
        min_length=1,
        description="postgresql:// URL; null: SQLite files in the data folder.",
    )


class IdempotencySettings(Closed):
    """Requests with an `Idempotency-Key`: delivered twice, they are answered and billed once."""

    keep: Annotated[float, Field(ge=0, le=86_400), NUMBER] = Field(
        default=86_400.0,
        description="Seconds that a reply is kept; 0: none is, and the header is ignored.",
    )
    size: Whole = Field(
        default=2**20, ge=1024, le=2**26, description="Bytes of a reply that is kept at most."
    )
    total: Whole = Field(
        default=2**30,
        ge=2**20,
        description="Bytes of all kept replies, beyond which the oldest of those that have most are forgotten.",
    )
    per_key: Whole = Field(
        default=2**27,
        ge=2**16,
        description="Bytes of those of one key, beyond which its oldest are.",
    )
