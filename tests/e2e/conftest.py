"""The stage of the end-to-end tests: scripted upstream, gateway in front of it, clients' reports."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.gateway import CLIENTS, OTHER_PYTHON, Gateway, reported, serving
from tests.e2e.upstream import REFUSALS, Upstream, running_upstream

KEY = "sk-e2e-7d2f90c4e1a85b36d0f48c27a9"
TAGS = ("current", "oldest")  # the two OpenAI SDKs, so that neither spoils the other's upstreams
SEED_MODELS = (
    "infe-pulse",
    "infe-titan",
    "gpt-5.4",
    "claude-3-5-sonnet@20240620",
    "Mixtral-8x7B-Instruct-v0.1",
)
TALKERS = ("teller", "quiet", "slow", "endless", "breaking", "lamenting", "moody")

Report = Mapping[str, Any]


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    with running_upstream() as server:
        yield server


@pytest.fixture(scope="session")
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose models are the scripted ones."""
    folder = tmp_path_factory.mktemp("gateway")
    with serving(folder, "-c", write_config(folder, upstream.url)) as running:
        yield running
        assert running.stop() == 0
        assert '"level":"error"' not in running.log.read_text()


@pytest.fixture(scope="session", params=TAGS)
def sdk(request: pytest.FixtureRequest, gateway: Gateway) -> Report:
    """What one of the two OpenAI SDKs made of the gateway."""
    script = CLIENTS / "openai_sdk.py"
    return {
        **reported(python(request.param), script, gateway.url, KEY, request.param),
        "tag": request.param,
    }


def python(tag: str) -> Path:
    """Return the interpreter that has a client."""
    if tag == "current":
        return Path(sys.executable)
    assert OTHER_PYTHON.exists(), f"{OTHER_PYTHON} is missing: make install-dev"
    return OTHER_PYTHON


def write_config(folder: Path, url: str, **more: object) -> Path:
    """Write a configuration whose upstreams all are the scripted one."""
    rows = [_upstream("seeds", url, [_model(name, "teller-seeds") for name in SEED_MODELS])]
    rows.append(_upstream("infuzu", url, [_model(f"{n}-infuzu") for n in ("teller", "second")]))
    rows += [_upstream(n, url, [_model(n)]) for n in ("failing-infuzu", "limited-infuzu")]
    rows.append(_upstream("agent", url, [_model("teller-agent")]))
    vectors = {"id": "vectors-frameworks", "mode": "embedding", "input_price": 1}
    rows.append(_upstream("frameworks", url, [_model("teller-frameworks"), vectors]))
    for tag in TAGS:
        names = [f"{name}-{tag}" for name in (*TALKERS, *REFUSALS)]
        rows += [_upstream(name, url, [_model(name)]) for name in names]
        for name, behaviour in (("first", "failing"), ("second", "teller")):
            model = _model(f"shared-{tag}", f"{behaviour}-shared-{tag}")
            rows.append(_upstream(f"{name}-{tag}", url, [model]))
    settings = {
        "server": {"heartbeat": 0.2, "region": "test", "grace": 0},
        "keys": [{"name": "e2e", "key": {"file": "key"}, "admin": True}],
        "discover": {"environment": False, "local": False},
        "attempts": {"backoff_base": 0.01, "retry_floor": 1000},
        "upstreams": rows,
        **more,
    }
    (folder / "key").write_text(KEY)
    (folder / "upstream-key").write_text("sk-mock-0123456789abcdef")
    path = folder / "infway.yaml"
    path.write_text(json.dumps(settings))
    return path


def _upstream(name: str, url: str, models: list[object]) -> object:
    key = {"file": "upstream-key"}
    return {"name": name, "vendor": "custom", "base_url": url, "key": key, "models": models}


def _model(name: str, native: str | None = None) -> object:
    prices = {"input_price": 1, "output_price": 2}  # USD per million tokens
    # What misbehaves, and what attempts are counted of, is below the floor: only its name finds it.
    quality = 60 if native == "teller-seeds" else 10
    return {"id": name, "native": native or name, "quality": quality, **prices}
