"""Paths and methods that nobody serves: refused in the words of those who ask there."""

import pytest
from tests.conftest import Gateway


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/messages/batches", 404, "endpoint_not_found"),
        ("POST", "/v1/messages/nope", 404, "endpoint_not_found"),
        ("POST", "/anthropic/v1/complete", 404, "endpoint_not_found"),
        ("GET", "/v1/messages", 405, "method_not_allowed"),
        ("GET", "/v1/messages/count_tokens", 405, "method_not_allowed"),
        ("POST", "/v1/messages", 400, "missing_required_field"),
        ("POST", "/v1/messages/count_tokens", 400, "missing_required_field"),
    ],
)
async def test_anthropics_clients_read_anthropics_errors_with_the_id_in_all_three_places(
    gateway: Gateway, method: str, path: str, status: int, code: str
) -> None:
    heard = await gateway.send(method, path, body=b"{}" if method == "POST" else b"")
    assert heard.status == status
    told = heard.json
    assert (told["type"], told["error"]["code"]) == ("error", code)
    assert told["request_id"]
    assert told["request_id"] == heard.header("request-id") == heard.header("x-request-id")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1beta/files", 404),
        ("DELETE", "/v1beta/models", 405),
        ("GET", "/v1beta/models?pageSize=x", 400),
    ],
)
async def test_googles_clients_read_googles_errors(
    gateway: Gateway, method: str, path: str, status: int
) -> None:
    heard = await gateway.send(method, path)
    assert heard.status == status
    assert heard.json["error"]["code"] == status
    assert heard.json["error"]["details"][0]["domain"] == "infway"


async def test_all_others_read_the_one_error_body(gateway: Gateway) -> None:
    heard = await gateway.get("/v1/nope")
    assert heard.status == 404
    assert heard.json["errors"][0]["code"] == "endpoint_not_found"


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/messages"])
async def test_several_models_are_refused_before_any_is_asked(gateway: Gateway, path: str) -> None:
    said = {"input": "Hi", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}
    wanted = {"model": {"llms": ["m1", "m2"], "imsn": 2}}
    heard = await gateway.post(path, {**said, **wanted})
    assert heard.status == 400
    assert gateway.upstream.asked == []
