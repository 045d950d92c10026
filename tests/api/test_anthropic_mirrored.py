"""Upstreams that speak the Messages API themselves: asked and quoted in the caller's own words."""

import asyncio
import json
from dataclasses import replace

import anthropic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.anthropic_asking import (
    EPHEMERAL,
    HELLO,
    asked,
    assistant,
    result,
    text,
    thinking,
    use,
    user,
)
from tests.api.anthropic_talking import (
    CLAUDE,
    WEATHER,
    behind,
    both,
    claude,
    client,
    created,
)
from tests.api.caller import BEARER, JSON
from tests.api.upstream import Asked, Script, listening, stream, whole
from tests.conftest import Start, settled, upstream_settings
from tests.providers.anthropic_saying import block, end, frame
from tests.wall.asking import offer, upstream

from infway.api.anthropic.mirrored import renamed_start
from infway.api.withheld import before_failure
from infway.kernel.chat import HttpCall
from infway.providers.anthropic.carry import Messages
from infway.providers.anthropic.wrapped import wrap

USAGE = {"input_tokens": 5, "output_tokens": 1, "cache_read_input_tokens": 3, "service_tier": "standard"}  # fmt: skip
ROOT = {"id": "msg_upstream", "type": "message", "role": "assistant", "model": "claude-x"}
CONTENT = [
    {"type": "thinking", "thinking": "Hm.", "signature": "sig=="},
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
    {"type": "text", "text": "Yes \u2028 no.", "citations": [{"type": "char_location", "cited_text": "y", "document_index": 0, "start_char_index": 0, "end_char_index": 1}]},
]  # fmt: skip
ENDED = {"stop_reason": "pause_turn", "stop_sequence": None, "usage": {**USAGE, "output_tokens": 7}}
START = frame("message_start", message={**ROOT, "content": [], "stop_reason": None, "usage": USAGE})
REST = b"".join(
    (
        frame("ping"),
        block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "Hm."},
            {"type": "signature_delta", "signature": "sig=="},
        ),
        block(
            1,
            {**CONTENT[1], "input": {}},
            {"type": "input_json_delta", "partial_json": '{"query": "x"}'},
        ),
        block(
            2,
            {"type": "text", "text": "", "citations": []},
            {"type": "text_delta", "text": "Yes \u2028 no."},
            {"type": "citations_delta", "citation": CONTENT[2]["citations"][0]},  # type: ignore[index]  # it is a list
        ),
        end("pause_turn", {"output_tokens": 7}, stop_sequence=None),
    )
)
SAY = claude({**ROOT, "content": CONTENT, **ENDED}, [START, REST[:700], REST[700:]])
BODY = {"model": "m1", "max_tokens": 100, "messages": [HELLO]}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}


async def test_every_block_of_the_vendor_comes_through(start: Start) -> None:
    async with behind(start, SAY, CLAUDE, "claude-x") as gateway:
        said = await both(gateway, tools=[SEARCH])
        assert said.model == "m1"
        assert [block.type for block in said.content] == ["thinking", "server_tool_use", "text"]
        assert said.stop_reason == "pause_turn"
        assert said.usage.cache_read_input_tokens == 3
        row = (await gateway.rows())[-1]
        assert (row.outcome, row.prompt_tokens, row.cached_tokens, row.completion_tokens) == ("ok", 8, 3, 7)  # fmt: skip


async def test_frames_come_byte_for_byte_but_for_the_first(start: Start) -> None:
    async with behind(start, SAY, CLAUDE, "claude-x") as gateway:
        heard = await gateway.post("/v1/messages", {**BODY, "stream": True})
        first, rest = heard.body[: -len(REST)], heard.body[-len(REST) :]
        assert rest == REST
        own = {"id": f"msg_{heard.header('request-id')}", "model": "m1"}
        assert json.loads(first.split(b"data: ")[1])["message"] == {
            **json.loads(START.split(b"data: ")[1])["message"],
            **own,
        }
        whole_one = await gateway.post("/v1/messages", BODY)
        assert whole_one.json == {
            **ROOT,
            "content": CONTENT,
            **ENDED,
            "id": f"msg_{whole_one.header('request-id')}",
            "model": "m1",
        }


async def test_the_body_and_the_betas_go_along_unchanged(start: Start) -> None:
    body = {
        **BODY,
        "system": [text("Rules.", cache_control=EPHEMERAL)],
        "tools": [{**WEATHER, "defer_loading": True}, SEARCH],
        "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
        "container": {"id": "c"},
        "metadata": {"user_id": "u" * 100},
        "made_up": {"b": 1, "a": [1.0, 1e2]},
    }
    beta = ("anthropic-beta", "context-management-2025-06-27")
    async with behind(start, SAY, CLAUDE, "claude-x") as gateway:
        heard = await gateway.post(
            "/v1/messages", {**body, "provider": {"only": ["one"]}}, (BEARER, JSON, beta)
        )
        assert heard.status == 200
        assert heard.header("x-gateway-dropped") is None
        (sent,) = gateway.upstream.asked
        assert sent.json == {**body, "model": "claude-x"}
        assert sent.headers["anthropic-beta"] == "context-management-2025-06-27"
        assert sent.headers["anthropic-version"] == "2023-06-01"
        assert sent.headers["x-api-key"] == "the-key-of-the-vendor"
        assert "authorization" not in sent.headers


def carried(*said: dict, native: str = "claude-x", url: str = "", **more: object) -> HttpCall:
    facts = {key: more.pop(key) for key in ("headers", "drop", "defaults") if key in more}
    place = upstream("up", dialect="anthropic", **facts)
    speaks = {"anthropic": url} if url else {}
    place = upstream("up", speaks=speaks) if url else place
    return Messages().carry(asked(*said, **more), offer(native, place))


def test_claude_on_vertex_is_named_in_the_address() -> None:
    source = upstream("up")
    url = "https://a.b/publishers/anthropic/models/{model}:{action}"
    place = replace(source, dialect="anthropic", chat_url=url, defaults={"anthropic_version": "v"})
    for streams, word in ((False, "rawPredict"), (True, "streamRawPredict")):
        ask = asked(stream=streams, headers=((b"anthropic-beta", b"x"),))
        call = Messages().carry(ask, offer("claude-x@1", place))
        assert call.url == f"https://a.b/publishers/anthropic/models/claude-x@1:{word}"
        sent = json.loads(call.body)
        assert "model" not in sent
        assert sent["anthropic_version"] == "v"
        assert call.headers["anthropic-beta"] == "x"
        assert "anthropic-version" not in call.headers


def test_what_a_row_leaves_out_is_left_out_and_told() -> None:
    call = carried(drop=frozenset({"top_k"}), defaults={"top_p": 0.5}, top_k=3)
    sent = json.loads(call.body)
    assert "top_k" not in sent
    assert sent["top_p"] == 0.5
    assert call.dropped == ("top_k",)


def test_a_vendor_that_speaks_it_beside_chats_is_asked_there() -> None:
    call = carried(native="gpt-x", url="https://a.b/v1/messages")
    assert call.url == "https://a.b/v1/messages"
    assert json.loads(call.body)["model"] == "gpt-x"


@pytest.mark.parametrize(
    ("vendor", "url"),
    [
        ("openrouter", "https://openrouter.ai/api/v1/messages"),
        ("vercel", "https://ai-gateway.vercel.sh/v1/messages"),
        ("anthropic", "https://api.anthropic.com/v1/messages"),
        ("openai", None),
    ],
)
def test_it_is_known_who_speaks_it(vendor: str, url: str | None) -> None:
    model = {"id": "m1", "input_price": "1", "output_price": "1"}
    _, inventory = settled({"upstreams": [{"name": "x", "vendor": vendor, "key": "k", "models": [model]}]})  # fmt: skip
    (found,) = {one.upstream.url_of("anthropic") for one in inventory.offers}
    assert found == url


FOREIGN = wrap([{"type": "reasoning.encrypted", "data": "x", "format": "openai-responses-v1"}])


@pytest.mark.parametrize("signature", ["", FOREIGN])
def test_claude_is_not_given_thoughts_that_it_did_not_sign(signature: str) -> None:
    said = [HELLO, assistant(thinking("Hm.", signature), text("Yes.")), HELLO]
    call = carried(*said)
    sent = json.loads(call.body)["messages"]
    assert sent[1]["content"] == [text("Yes.")]
    assert call.dropped == ("messages[1].content[0].thinking",)
    kept = carried(*said, native="kimi-x")
    dropped = (signature and "messages[1].content[0].thinking",)
    assert kept.dropped == tuple(filter(None, dropped))


def test_a_tool_loop_that_lost_its_thoughts_goes_on_without_thinking() -> None:
    hidden = {"type": "redacted_thinking", "data": FOREIGN}
    said = [
        HELLO,
        assistant(hidden, use()),
        user({"type": "tool_result", "tool_use_id": "toolu_1"}),
    ]
    call = carried(*said, thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=2000)
    assert call.dropped == ("messages[1].content[0].redacted_thinking", "thinking")
    assert "thinking" not in json.loads(call.body)


def test_ids_of_other_vendors_calls_are_written_as_claude_takes_them() -> None:
    said = [HELLO, assistant(use("weather:0"), use("fine_1")), user(result("x", "weather:0"))]
    _, answer, results = json.loads(carried(*said).body)["messages"]
    odd, fine = (block["id"] for block in answer["content"])
    assert fine == "fine_1"
    assert odd.replace("_", "").isalnum()
    assert results["content"][0]["tool_use_id"] == odd
    assert json.loads(carried(*said, native="kimi-x").body)["messages"] == said


def test_claudes_own_thoughts_are_left_as_they_came() -> None:
    said = [HELLO, assistant(thinking("Hm."), text("Yes.")), HELLO]
    call = carried(*said)
    assert json.loads(call.body)["messages"] == said
    assert call.dropped == ()


ERROR = frame("error", error={"type": "overloaded_error", "message": "Overloaded"})
HALF = block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hel"})


async def test_an_error_within_a_stream_is_told_in_our_words(start: Start) -> None:
    heard = asyncio.Event()
    async with behind(start, lambda _: stream(START + HALF, heard, ERROR), CLAUDE) as gateway:
        async with client(gateway) as one:
            said = {"model": "m1", "max_tokens": 9, "messages": [HELLO]}
            async with one.messages.stream(**said) as events:  # type: ignore[arg-type]  # it fits
                await anext(events)
                heard.set()
                with pytest.raises(anthropic.APIStatusError) as caught:
                    await events.until_done()
        body = caught.value.body
        assert isinstance(body, dict)
        assert body["error"]["type"] == "overloaded_error"
        assert body["error"]["code"] == "upstream_overloaded"
        assert body["request_id"] == caught.value.request_id


def test_the_vendors_own_error_is_not_told_as_well() -> None:
    assert before_failure(HALF + ERROR) == HALF
    assert before_failure(HALF + REST) == HALF + REST


async def test_a_refusal_of_the_vendor_keeps_its_meaning(start: Start) -> None:
    refused = {"type": "error", "error": {"type": "invalid_request_error", "message": "messages.0: odd"}}  # fmt: skip
    async with behind(start, lambda _: whole(refused, status=400), CLAUDE) as gateway:
        with pytest.raises(anthropic.BadRequestError) as caught:
            await created(gateway)
        assert "messages.0: odd" in str(caught.value)


async def test_of_two_upstreams_the_one_that_speaks_it_takes_what_only_it_can(start: Start) -> None:
    async with listening() as chats, listening(SAY) as speaks:
        cheap = upstream_settings("cheap", chats, {"id": "m1", "input_price": "0.1", "output_price": "0.1"})  # fmt: skip
        dear = upstream_settings("dear", speaks, {"id": "m1", "native": "claude-x", "input_price": "9", "output_price": "9"}, **CLAUDE)  # fmt: skip
        dear["base_url"] = f"http://127.0.0.1:{speaks.port}"
        gateway = await start(upstream=speaks, upstreams=[cheap, dear])
        plain = await gateway.post("/v1/messages", BODY)
        assert plain.header("x-gateway-provider") == "cheap"
        searched = await gateway.post("/v1/messages", {**BODY, "tools": [SEARCH]})
        assert searched.header("x-gateway-provider") == "dear"


async def test_a_client_that_leaves_stops_the_upstream(start: Start) -> None:
    def say(_: Asked) -> Script:
        half = block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hel"})
        return stream(START + half, 30.0)

    async with behind(start, say, CLAUDE) as gateway:
        said = {"model": "m1", "max_tokens": 9, "messages": [HELLO]}
        async with client(gateway) as one, one.messages.stream(**said) as events:  # type: ignore[arg-type]  # it fits
            async for _ in events.text_stream:
                break
        await gateway.upstream.gone.wait()
        assert [row.outcome for row in await gateway.rows()][-1] == "client_gone"


@given(
    st.binary(max_size=40),
    st.sampled_from([b"message_start", b'data: {"type":"message_start"', b""]),
)
def test_no_bytes_make_the_renaming_fail(noise: bytes, mark: bytes) -> None:
    block = b"event: message_start\ndata: " + noise + mark + noise + b"\n\n" + noise
    renamed, found = renamed_start(block, {"id": "a", "model": "b"})
    assert found or renamed == block
