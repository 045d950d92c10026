"""The endpoints of the Gemini API, a line each: which paths, and what answers them."""

from collections.abc import Callable
from typing import NamedTuple

from infway.accounts.keys import Keyring
from infway.api.errors import Header
from infway.api.gemini.counting import CountEndpoint
from infway.api.gemini.embeddings import EmbedEndpoint
from infway.api.gemini.endpoint import GenerateEndpoint
from infway.api.gemini.paths import COUNT, EMBED, EMBED_BATCH, GENERATE, STREAM
from infway.api.line import Rules
from infway.api.routes import Family
from infway.kernel.clock import Clock
from infway.pipeline.embedding import EmbeddingGateway
from infway.pipeline.gateway import Gateway

Served = tuple[Family, GenerateEndpoint | CountEndpoint | EmbedEndpoint]


class Lines(NamedTuple):
    """The lines that requests go down. `traces`: the headers of every reply."""

    gateway: Gateway
    embedding: EmbeddingGateway
    traces: Callable[[float], list[Header]]


def gemini_endpoints(
    lines: Lines, keyring: Keyring, rules: Rules, clock: Clock
) -> tuple[Served, ...]:
    """Return all of them, with one configuration."""
    gateway, embedding, traces = lines
    return (
        (GENERATE, GenerateEndpoint(gateway, keyring, rules, clock, stream=False)),
        (STREAM, GenerateEndpoint(gateway, keyring, rules, clock, stream=True)),
        (COUNT, CountEndpoint(gateway, keyring, rules, traces)),
        (EMBED, EmbedEndpoint(embedding, keyring, rules, traces, batch=False)),
        (EMBED_BATCH, EmbedEndpoint(embedding, keyring, rules, traces, batch=True)),
    )
