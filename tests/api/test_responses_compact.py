"""Conversations made short: by upstreams that can, whose reply is passed on and billed; else refused."""

from typing import Any

import openai
import pytest
from tests.api.caller import NARROW_KEY, refused
from tests.api.responding import PUBLISHED, conforms, sdk
from tests.api.socketing import socket
from tests.api.test_responses_mirrored import FRAMES, response
from tests.api.upstream import Asked, Script, fault, listening, stream, whole
from tests.conftest import Gateway, Start, upstream_settings

PATH = "/v1/responses/compact"
USAGE = {
    "input_tokens": 120,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 30,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 150,
}
HELLO = {
    "id": "msg_u",
    "type": "message",
    "status": "completed",
    "role": "user",
    "content": [{"type": "input_text", "text": "Hello"}],
}
SHORT = {"id": "cmp_1", "type": "compaction", "encrypted_content": "gAAAA"}
COMPACTED = {
    "id": "resp_upstream",
    "object": "response.compaction",
    "created_at": 1_700_000_000,
    "output": [HELLO, SHORT],
    "usage": USAGE,
}


def _say(asked: Asked) -> Script:
    if asked.path.endswith("/compact"):
        return whole(COMPACTED)
    return stream(*FRAMES) if b'"stream":true' in asked.body else whole(response())


async def _openai(start: Start, behind: Any, vendor: str = "openai", **more: object) -> Gateway:
    row = upstream_settings("one", behind, "m1", "m2", vendor=vendor, key="upstream-key")
    return await start(upstream=behind, upstreams=[row], **more)


@pytest.mark.skipif(not PUBLISHED.exists(), reason="OpenAI's schema is not here")
def test_the_script_is_what_openai_describes() -> None:
    conforms(COMPACTED, "CompactResource")


async def test_openais_client_gets_what_the_upstream_made(start: Start) -> None:
    async with listening(_say) as behind:
        gateway = await _openai(start, behind)
        async with sdk(gateway) as client:
            made = await client.responses.compact(model="m1", input="Hi", instructions="Be brief")
    assert (made.object, made.usage.total_tokens) == ("response.compaction", 150)
    assert made.output[-1].to_dict() == SHORT
    asked = behind.asked[-1]
    assert asked.path == "/v1/responses/compact"
    assert asked.json == {"model": "native-m1", "input": "Hi", "instructions": "Be brief"}
    rows = [row for row in await gateway.rows() if row.attempt == 0]
    assert [(row.outcome, row.prompt_tokens, row.completion_tokens) for row in rows] == [
        ("ok", 120, 30)
    ]


async def test_azure_is_asked_at_its_own_address(start: Start) -> None:
    async with listening(_say) as behind:
        gateway = await _openai(start, behind, vendor="azure")
        heard = await gateway.post(PATH, {"model": "m1", "input": "Hi"})
    assert heard.json == COMPACTED
    assert behind.asked[-1].path.startswith("/v1/openai/v1/responses/compact")


async def test_a_kept_conversation_is_made_short_and_gone_on_from(start: Start) -> None:
    async with listening(_say) as behind:
        gateway = await _openai(start, behind)
        made = (await gateway.post("/v1/responses", {"model": "m1", "input": "Hello"})).json
        body = {"model": "m1", "previous_response_id": made["id"]}
        short = (await gateway.post(PATH, body)).json
        assert behind.asked[-1].json["input"][0]["content"] == "Hello"  # type: ignore[index]
        async with socket(gateway) as one:
            await one.made(input=[*short["output"], {"role": "user", "content": "Go on"}])
    said: Any = behind.asked[-1].json["input"]
    assert said == [*COMPACTED["output"], {"role": "user", "content": "Go on"}]


async def test_fields_that_only_a_response_has_are_left_out_and_listed(start: Start) -> None:
    async with listening(_say) as behind:
        gateway = await _openai(start, behind)
        body = {"model": "m1", "input": "Hi", "temperature": 0.5, "stream": True, "store": True}
        heard = await gateway.post(PATH, {**body, "usage": {"include": True}})
    assert heard.header("x-gateway-dropped") == "temperature"
    assert heard.header("content-type") == "application/json"
    assert heard.json["cost"] == pytest.approx((120 * 2.5 + 30 * 10) / 1e6)
    assert {name: heard.json[name] for name in COMPACTED} == COMPACTED


async def test_without_an_upstream_that_can_it_is_refused(gateway: Gateway) -> None:
    heard = await gateway.post(PATH, {"model": "m1", "input": "Hi"})
    refused(heard, 400, "unsupported_parameter", "model")
    async with sdk(gateway) as client:
        with pytest.raises(openai.BadRequestError, match="makes conversations short"):
            await client.responses.compact(model="m1", input="Hi")
    assert gateway.upstream.asked == []


@pytest.mark.parametrize("reply", [{}, {"output": []}, [], {"error": {"message": "no"}}])
async def test_what_is_no_such_reply_is_never_passed_on(start: Start, reply: object) -> None:
    async with listening(lambda _: whole(reply)) as behind:
        gateway = await _openai(start, behind, attempts={"max": 1})
        heard = await gateway.post(PATH, {"model": "m1", "input": "Hi"})
    assert heard.status >= 500


async def test_errors_are_those_of_any_request(start: Start) -> None:
    async with listening(lambda _: fault(429)) as behind:
        gateway = await _openai(start, behind, attempts={"max": 1})
        body = {"model": "m1", "input": "Hi"}
        heard = await gateway.post(PATH, body)
        assert (heard.status, heard.code) == (429, "upstream_rate_limited")
        narrow = (("Authorization", f"Bearer {NARROW_KEY}"),)
        refused(await gateway.post(PATH, body, narrow), 403, "model_not_accessible", "model")
        refused(await gateway.post(PATH, {"model": "m1"}), 400, "missing_required_field", "input")
        refused(await gateway.get(PATH), 405, "method_not_allowed")
