"""The id of a Messages request, told with every refusal; and what is counted only where it is taken."""

import pytest
from tests.conftest import Gateway

MESSAGES = [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/messages", 405),
        ("GET", "/v1/messages/count_tokens", 405),
        ("POST", "/v1/messages", 400),
        ("POST", "/v1/messages/count_tokens", 400),
        ("POST", "/v1/messages/nope", 404),
    ],
)
async def test_every_refusal_tells_the_id_in_all_three_places(
    gateway: Gateway, method: str, path: str, status: int
) -> None:
    heard = await gateway.send(method, path, body=b"{}" if method == "POST" else b"")
    assert heard.status == status
    assert heard.json["request_id"]
    assert heard.json["request_id"] == heard.header("request-id") == heard.header("x-request-id")


async def test_others_have_one_header_for_the_id(gateway: Gateway) -> None:
    for path in ("/v1/nope", "/v1/chat/completions"):
        heard = await gateway.get(path)
        assert heard.header("x-request-id")
        assert heard.header("request-id") is None


async def test_a_block_that_no_upstream_takes_is_not_counted(gateway: Gateway) -> None:
    messages = [{"role": "user", "content": [{"type": "wat"}]}]
    body = {"model": "m1", "max_tokens": 5, "messages": messages}
    made = await gateway.post("/v1/messages", body)
    counted = await gateway.post("/v1/messages/count_tokens", body)
    assert (made.status, counted.status) == (400, 400)
    assert made.json["error"] == counted.json["error"]


async def test_a_request_of_plain_words_is_counted(gateway: Gateway) -> None:
    body = {"model": "m1", "messages": MESSAGES}
    assert (await gateway.post("/v1/messages/count_tokens", body)).status == 200
