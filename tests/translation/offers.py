"""Offers of every translating dialect: models whose generations say the same things differently."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from tests.wall.asking import offer, upstream

from infway.kernel.chat import Feature, Offer
from infway.providers.dialects import DIALECTS, PATHS
from infway.providers.registry import ADAPTERS


class Served(NamedTuple):
    """A model: its native name, and what the row of its upstream adds to the body."""

    native: str
    defaults: Mapping[str, object] = {}
    path: str | None = None


_VERTEX = "/publishers/anthropic/models/{model}:{action}"
MODELS: Mapping[str, tuple[Served, ...]] = {
    "anthropic": (
        Served("claude-sonnet-4-5"),
        Served("claude-3-haiku-20240307"),
        Served("claude-opus-4-8"),
        Served("claude-sonnet-4-5", {"anthropic_version": "vertex-2023-10-16"}, _VERTEX),
    ),
    "gemini": (
        Served("gemini-2.5-flash"),
        Served("gemini-3-pro-preview"),
        Served("gemini-2.0-flash"),
    ),
    "bedrock": (
        Served("us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        Served("us.amazon.nova-pro-v1:0"),
        Served("meta.llama3-3-70b-instruct-v1:0"),
    ),
    "bedrock-invoke": (
        Served(
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            {"anthropic_version": "bedrock-2023-05-31"},
        ),
    ),
    "cohere": (Served("command-a-03-2025"), Served("command-a-reasoning-08-2025")),
    "ollama": (Served("qwen3:8b"), Served("gpt-oss:20b")),
    "responses": (Served("gpt-5.1"), Served("o3-pro"), Served("gpt-4.1")),
}


def offers(dialect: str) -> list[Offer]:
    """Return the offers of a dialect; each can do what the dialect has words for."""
    return [_offer(dialect, served) for served in MODELS[dialect]]


def _offer(dialect: str, served: Served) -> Offer:
    source = upstream(f"{dialect}-up", dialect=dialect, defaults=served.defaults)
    url = f"https://vendor.test{served.path or PATHS[dialect]}"
    source = replace(source, chat_url=url, takes=DIALECTS[dialect].takes)
    return offer(served.native, source, served.native, features=features(dialect), max_output=8192)


def features(dialect: str) -> Feature:
    """Return what a dialect has words for."""
    return DIALECTS[dialect].features


def translating() -> list[str]:
    """Return the dialects that the registry can translate to."""
    return [name for name in MODELS if name in ADAPTERS and name in DIALECTS]
