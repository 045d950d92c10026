"""The stage: how long, on which cores, against which ports, with which programs and key."""

import os
from dataclasses import dataclass
from pathlib import Path

from bench.payloads import chat_body, http_request

KEY = "ik-bench-7d2f90c4e1a85b36d0f48c27a9e5b316"
ENVIRONMENT = {"BENCH_KEY": KEY, "MOCK_KEY": "sk-mock", "PATH": os.defpath}
"""All that the gateway sees: nothing of the caller's own environment changes a figure."""

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Plan:
    """How long everything is measured."""

    rounds: int
    seconds: int
    latency_seconds: int
    streams: int
    repeats: int


FULL = Plan(rounds=5, seconds=4, latency_seconds=6, streams=1000, repeats=5)
QUICK = Plan(rounds=3, seconds=2, latency_seconds=3, streams=200, repeats=3)


@dataclass(frozen=True, slots=True)
class Upstream:
    """Ports of the mock; they differ in how a stream is paced, `other` also in its dialect.

    `vectors` answers with embeddings.
    """

    burst: int
    paced: int
    silent: int
    other: int
    vectors: int


@dataclass(frozen=True, slots=True)
class Cores:
    """One for nginx and the gateway, one for upstream and load; None where nothing is pinned."""

    under_test: int | None
    load: int | None


@dataclass(frozen=True, slots=True)
class Rig:
    """What every measurement is given; `infway` and `python` are the programs to run."""

    plan: Plan
    folder: Path
    upstream: Upstream
    infway: Path
    python: Path
    cores: Cores

    def request(self, *, stream: bool) -> bytes:
        """A chat request as raw HTTP."""
        return http_request(chat_body(stream=stream), key=KEY)
