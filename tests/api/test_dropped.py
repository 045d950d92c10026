"""What an upstream was not told is listed, and whoever minds can have such upstreams left out."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from tests.api.caller import ADMIN_KEY, chat_body
from tests.api.upstream import listening
from tests.conftest import Gateway, Start, upstream_settings

PATH = "/v1/chat/completions"


@pytest.fixture
async def without(start: Start) -> AsyncIterator[Callable[..., Awaitable[Gateway]]]:
    """A gateway whose upstream is never told these fields."""
    async with listening() as upstream:

        async def begin(*drop: str) -> Gateway:
            row = upstream_settings("one", upstream, "m1", drop=list(drop))
            return await start(upstream=upstream, upstreams=[row])

        yield begin


async def test_what_was_left_out_is_in_the_head_of_the_reply_and_with_the_decision(without):
    gateway = await without("seed", "logit_bias", "top_k")
    body = chat_body(seed=1, logit_bias={"1": 2}, temperature=0.5)
    heard = await gateway.post(PATH, body)
    assert heard.header("x-gateway-dropped") == "logit_bias, seed"
    sent = json.loads(gateway.upstream.asked[-1].body)
    assert not {"seed", "logit_bias"} & set(sent)
    bearer = (("Authorization", f"Bearer {ADMIN_KEY}"),)
    told = await gateway.get(f"/admin/decisions/{heard.header('x-request-id')}", bearer)
    assert told.json["attempts"][0]["dropped"] == ["logit_bias", "seed"]


async def test_a_reply_to_a_request_that_was_told_whole_has_no_such_header(without):
    gateway = await without("seed")
    heard = await gateway.post(PATH, chat_body(temperature=0.5))
    assert heard.header("x-gateway-dropped") is None


async def test_a_field_name_that_no_header_can_carry_is_tamed(without):
    odd = "a\r\nx-evil: 1\u2028é"
    gateway = await without(odd)
    heard = await gateway.post(PATH, chat_body(**{odd: 1}))
    assert heard.header("x-gateway-dropped") == "a??x-evil: 1??"
    assert heard.header("x-evil") is None


async def test_require_parameters_leaves_out_an_upstream_that_would_not_be_told(without):
    gateway = await without("seed")
    require = {"require_parameters": True}
    refused = await gateway.post(PATH, chat_body(seed=1, provider=require))
    assert (refused.status, refused.code) == (503, "no_available_provider")
    assert "provider.require_parameters" in refused.json["error"]["message"]
    assert (await gateway.post(PATH, chat_body(provider=require))).status == 200
