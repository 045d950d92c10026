"""Health, readiness, metrics and the description page."""

from tests.api.caller import refused
from tests.conftest import Gateway, Start

from infway.telemetry.metrics import DESCRIPTIONS


async def test_health_and_readiness_need_no_key(gateway: Gateway) -> None:
    assert (await gateway.get("/healthz", ())).json == {"status": "ok"}
    assert (await gateway.get("/health", ())).json == {"status": "ok"}
    assert (await gateway.get("/readyz", ())).json == {"status": "ready"}


async def test_a_gateway_that_is_not_open_is_not_ready(gateway: Gateway) -> None:
    gateway.app.is_ready = False
    heard = await gateway.get("/readyz", ())
    refused(heard, 503, "service_unavailable")
    assert heard.header("retry-after") == "1"
    assert (await gateway.get("/healthz", ())).status == 200


async def test_metrics_count_what_was_served_and_refused(gateway: Gateway) -> None:
    await gateway.chat()
    await gateway.chat(model="none")
    await gateway.app.settler.flush()
    heard = await gateway.get("/metrics", ())
    assert (heard.header("content-type") or "").startswith("text/plain; version=1.0.0")
    page = heard.body.decode()
    for name in DESCRIPTIONS:
        assert f"# HELP {name}" in page
    assert 'infway_requests_total{model="m1",outcome="ok"} 1.0' in page
    assert 'infway_errors_total{code="model_not_found"} 1.0' in page
    assert 'infway_tokens_total{kind="prompt",model="m1",upstream="one"} 11.0' in page


async def test_errors_of_the_rare_endpoints_are_counted_as_well(gateway: Gateway) -> None:
    await gateway.get("/nothing")
    page = (await gateway.get("/metrics", ())).body.decode()
    assert 'infway_errors_total{code="endpoint_not_found"} 1.0' in page


async def test_the_description_is_there_unless_it_is_switched_off(start: Start) -> None:
    gateway = await start()
    assert b"swagger" in (await gateway.get("/docs", ())).body
    assert (await gateway.get("/openapi.json", ())).json["info"]["title"] == "infway"
    silent = await start(server={"docs": False})
    refused(await silent.get("/openapi.json", ()), 404, "endpoint_not_found")
    refused(await silent.get("/docs", ()), 404, "endpoint_not_found")
