"""The listener: where it is, what it takes from callers, and how long it waits for them."""

from typing import Literal

from pydantic import Field

from infway.accounts.terms import Number, Whole, Words
from infway.settings.upstreams import Closed, Seconds, Some


class ServerSettings(Closed):
    """Where infway listens, and how it treats every request."""

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: Whole = Field(default=8080, ge=1, le=65535, description="TCP port to listen on.")
    workers: Whole = Field(
        default=1,
        ge=1,
        le=64,
        description="Processes. More than one need `state.redis` to share limits.",
    )
    body_limit: Whole = Field(
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
    grace: Number = Field(
        default=5.0,
        ge=0,
        le=3600,
        description="Seconds at a stop in which requests are still taken, while it is not ready.",
    )
    drain: Seconds = Field(default=120.0, description="Seconds that running answers get at a stop.")
    max_requests: Some | None = Field(
        default=None,
        description="Requests that a process answers at once; null: as many as it can.",
    )
    proxy_headers: bool = Field(
        default=False, description="Believe X-Forwarded-For: only behind a proxy that sets it."
    )
    hosts: Words = Field(
        default=(), description="Names that callers may ask for in `Host`, without port; none: any."
    )
    connections: Whole = Field(
        default=16_384,
        ge=0,
        description="Connections of callers that a process has open at once; 0: no limit.",
    )
    connections_per_address: Whole = Field(
        default=8_192,
        ge=0,
        description="Of these, from one address, unless `proxy_headers` is on; 0: no limit.",
    )
    wrong_keys_per_minute: Whole = Field(
        default=100,
        ge=0,
        description="Wrong keys that one address may present in a minute, before it is told to"
        " wait; a valid key always passes; 0: any number.",
    )
    head_timeout: Seconds = Field(
        default=10.0,
        description="Seconds in which a request's headers are here, from the connection's opening.",
    )
    body_timeout: Seconds = Field(
        default=30.0, description="Seconds in which a request's body is here, whatever its size."
    )
    idle_timeout: Seconds = Field(
        default=75.0, description="Seconds that a connection is kept between two requests."
    )
    write_timeout: Seconds = Field(
        default=30.0, description="Seconds in which a caller takes what waits to be sent to it."
    )
    http: Literal["httptools", "h11"] = Field(
        default="httptools", description="What parses requests; both behind the same checks."
    )
