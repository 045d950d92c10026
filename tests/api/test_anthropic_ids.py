"""What a Messages request has beyond others: a second header for its id, and its tokens counted."""

from tests.conftest import Gateway

MESSAGES = [{"role": "user", "content": "Hi"}]


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
