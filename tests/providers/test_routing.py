"""What a caller's body says to a vendor that routes by itself: the model stays the checked one."""

import json
from dataclasses import replace

import msgspec
import pytest
from tests.wall.asking import ask, offer

from infway.inventory.connection import embeddings_at, upstream_of
from infway.kernel.chat import ChatRequest, Feature, HttpCall, Native, Upstream
from infway.providers.anthropic.carry import Messages
from infway.providers.completions.carry import Completions
from infway.providers.embeddings.openai import OpenAIEmbeddings
from infway.providers.embeddings.ways import Way
from infway.providers.gemini.carry import GeminiCarrier
from infway.providers.mirror import Carrier
from infway.providers.openai.adapter import OpenAI
from infway.providers.passing.openai import OpenAIPassing
from infway.providers.passing.rerank import RerankPassing
from infway.providers.responses.carry import ResponsesCarrier
from infway.providers.vendors import VENDORS, Route
from infway.settings import UpstreamSettings

OTHER = "anthropic/claude-opus-4"
# What routes at each vendor; the rest of the body stays as it is
ROUTED: dict[str, dict[str, object]] = {
    "openrouter": {
        "models": [OTHER],
        "fallbacks": [{"model": OTHER}],
        "route": "fallback",
        "preset": "p",
        "plugins": [{"id": "web"}],
    },
    "vercel": {"models": [OTHER], "providerOptions": {"gateway": {"models": [OTHER], "order": ["x"]}}},
    "anthropic": {"fallbacks": "default"},
    "vertex": {"fallbacks": "default"},
    "azure-anthropic": {"fallbacks": "default"},
    "groq": {"compound_custom": {"models": {"answering_model": OTHER}}},
    "perplexity": {"models": [OTHER], "preset": "p"},
}  # fmt: skip
KEPT: dict[str, object] = {"transforms": ["middle-out"], "mine": 1}
CARRIERS: dict[str, Carrier] = {
    "anthropic": Messages(),
    "responses": ResponsesCarrier(),
    "completions": Completions(),
    "gemini": GeminiCarrier(),
}


def at(vendor: str, dialect: str | None = None, **said: object) -> Upstream:
    """Return an account at a vendor whose usual models are asked in a dialect."""
    configured = UpstreamSettings(
        name="up", vendor=vendor, base_url="http://127.0.0.1:9", key="k", **said
    )
    row = VENDORS[vendor]
    route = Route(dialect or row.dialect, "/there", defaults=row.defaults)
    return upstream_of(configured, row, route)


def raw(fields: dict[str, object]) -> dict[str, object]:
    return {name: msgspec.Raw(json.dumps(value).encode()) for name, value in fields.items()}


def asking(dialect: str | None, vendor: str) -> ChatRequest:
    fields = raw({**KEPT, **ROUTED[vendor]})
    request = ask(False)
    if dialect is not None:
        return request._replace(native=Native(dialect, fields))
    return request._replace(fields={**request.fields, **fields})


def check(call: HttpCall, vendor: str) -> None:
    """Check that a call says nothing of what routes, everything else, and what it left out."""
    body = json.loads(call.body)
    assert not body.keys() & ROUTED[vendor].keys()
    assert body["mine"] == 1
    assert OTHER not in call.body.decode()
    assert set(ROUTED[vendor]) <= set(call.dropped)


@pytest.mark.parametrize("vendor", ROUTED)
def test_a_chat_cannot_choose_another_model_than_the_checked_one(vendor: str) -> None:
    check(OpenAI().request(asking(None, vendor), offer(source=at(vendor, "openai"))), vendor)


@pytest.mark.parametrize("vendor", ROUTED)
@pytest.mark.parametrize("dialect", CARRIERS)
@pytest.mark.parametrize("usual", [True, False])
def test_no_dialect_can_choose_another_model(vendor: str, dialect: str, usual: bool) -> None:
    spoken = at(vendor, dialect if usual else "openai")
    source = replace(spoken, speaks={} if usual else {dialect: "http://127.0.0.1:9/there"})
    check(CARRIERS[dialect].carry(asking(dialect, vendor), offer(source=source)), vendor)


def test_what_only_prepares_the_prompt_is_passed_on() -> None:
    call = OpenAI().request(asking(None, "openrouter"), offer(source=at("openrouter")))
    assert json.loads(call.body)["transforms"] == ["middle-out"]


@pytest.mark.parametrize("dialect", [None, "completions", "anthropic", "responses", "gemini"])
def test_the_operators_defaults_may_route(dialect: str | None) -> None:
    mine = {"models": ["of/operator"], "route": "fallback"}
    source = at("openrouter", dialect, defaults=mine)
    request = asking(dialect, "openrouter")
    chosen = offer(source=source)
    call = OpenAI().request(request, chosen) if dialect is None else CARRIERS[dialect].carry(request, chosen)  # fmt: skip
    body = json.loads(call.body)
    assert {name: body[name] for name in mine} == mine
    assert {"models", "route", "preset"} <= set(call.dropped)
    assert "preset" not in body


def test_embeddings_cannot_choose_another_model() -> None:
    configured = UpstreamSettings(name="up", vendor="openrouter", base_url="http://127.0.0.1:9", key="k")  # fmt: skip
    source = embeddings_at(configured, VENDORS["openrouter"], Way("openai", "/embeddings"))
    request = asking(None, "openrouter")
    check(OpenAIEmbeddings().request(request, offer(source=source)), "openrouter")


@pytest.mark.parametrize("work", [Feature.IMAGES, Feature.RERANK])
def test_other_work_cannot_choose_another_model(work: Feature) -> None:
    source = replace(at("openrouter"), work_urls={work: "http://127.0.0.1:9/work"})
    request = asking(None, "openrouter")._replace(features=work)
    if work is Feature.RERANK:
        ranked = {"query": "q", "documents": ["a"], "mine": 1}
        request = request._replace(fields={**request.fields, **ranked})
    passer = RerankPassing() if work is Feature.RERANK else OpenAIPassing()
    check(passer.request(request, offer(source=source)), "openrouter")


def test_a_server_that_does_not_route_is_told_everything() -> None:
    request = asking(None, "openrouter")
    call = OpenAI().request(request, offer(source=at("custom")))
    assert json.loads(call.body).keys() >= {*ROUTED["openrouter"], *KEPT}
    assert call.dropped == ()


def test_settings_have_no_way_to_let_callers_route() -> None:
    source = at("openrouter", drop=[], rename={})
    check(OpenAI().request(asking(None, "openrouter"), offer(source=source)), "openrouter")
