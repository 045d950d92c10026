"""Responses over upstreams that speak Responses themselves: bytes come through as they were sent."""

import json
from typing import Any

import openai
import pytest
from tests.api.responding import sdk, upstreams
from tests.api.upstream import Asked, Script, listening, stream, whole
from tests.conftest import Gateway, Start

from infway.api.responses.mirrored import Mirrored
from infway.providers.mirror import Mirror
from infway.providers.responses.carry import ResponsesCarrier
from infway.providers.sse import frames

SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
TEXT = {"type": "output_text", "text": "Rain", "annotations": [], "logprobs": []}
MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "status": "completed",
    "role": "assistant",
    "content": [TEXT],
}


def response(**more: Any) -> dict[str, Any]:
    """Return a response as the upstream makes it."""
    details = {"input_tokens_details": {"cached_tokens": 3}, "output_tokens_details": {}}
    return {
        "id": "resp_upstream",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "native-2026",
        "output": [REASONING, SEARCH, MESSAGE],
        "usage": {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18, **details},
        "store": False,
        "tools": [{"type": "web_search"}],
        "previous_response_id": None,
        "of_their_own": {"a": 1.50},
        **more,
    }


def frame(kind: str, number: int, **fields: object) -> bytes:
    """Return one event, spelled as no encoder of ours would."""
    data = {"type": kind, **fields, "sequence_number": number}
    return f"event: {kind}\ndata: {json.dumps(data, indent=None, separators=(', ', ': '))}\n\n".encode()


DELTA = frame("response.output_text.delta", 5, item_id="msg_1", delta='R\u00e9 "response":')
FRAMES = [
    frame("response.created", 0, response=response(status="in_progress", output=[], usage=None)),
    frame("response.output_item.added", 1, output_index=1, item=SEARCH),
    frame("response.web_search_call.searching", 2, item_id="ws_1", output_index=1),
    frame("response.output_item.done", 3, output_index=1, item=SEARCH),
    frame("response.output_item.added", 4, output_index=2, item={**MESSAGE, "content": []}),
    DELTA,
    frame("response.output_item.done", 6, output_index=2, item=MESSAGE),
    frame("response.completed", 7, response=response()),
]
ASK: dict[str, Any] = {"model": "m1", "input": "Weather?", "tools": [{"type": "web_search"}]}


def say(asked: Asked) -> Script:
    """Answer as asked."""
    return stream(*FRAMES) if asked.json.get("stream") else whole(response())


async def mirroring(start: Start, behind: Any, **more: object) -> Gateway:
    """Start a gateway before an upstream of the dialect."""
    tree = upstreams("mirror", f"{behind.url}", "responses", **more)
    return await start(upstream=behind, **tree)


async def test_a_whole_response_stays_as_it_came_but_for_what_is_infways(start: Start) -> None:
    async with listening(say) as behind:
        gateway = await mirroring(start, behind)
        heard = await gateway.post("/v1/responses", {**ASK, "metadata": {"a": "b"}})
    own = {"id": heard.json["id"], "model": "m1", "store": True, "background": False}
    assert heard.json == {**response(), **own, "previous_response_id": None}
    assert b'"of_their_own":{"a": 1.5}' in heard.body
    asked = behind.asked[0]
    assert asked.path == "/v1/responses"
    assert asked.json == {**ASK, "model": "native-m1", "store": False, "metadata": {"a": "b"}}
    assert heard.header("x-gateway-dropped") is None
    assert [(row.prompt_tokens, row.cached_tokens) for row in await gateway.rows()] == [(11, 3)] * 2


async def test_a_streams_frames_stay_as_they_came_but_for_the_response(start: Start) -> None:
    async with listening(say) as behind:
        gateway = await mirroring(start, behind)
        heard = await gateway.post("/v1/responses", {**ASK, "stream": True})
        created, *middle, completed, done = heard.frames
        assert [one + b"\n\n" for one in middle] == FRAMES[1:-1]
        assert done == b"data: [DONE]"
        first = json.loads(created.partition(b"data: ")[2])["response"]
        last = json.loads(completed.partition(b"data: ")[2])["response"]
        assert first["id"] == last["id"] != "resp_upstream"
        assert (first["model"], first["store"], last["model"]) == ("m1", True, "m1")
        assert last["output"] == response()["output"]
        kept = await gateway.get(f"/v1/responses/{last['id']}")
        assert kept.json == last
        assert kept.json["usage"] == response()["usage"]


async def test_what_it_cost_the_upstream_is_never_told(start: Start) -> None:
    told = {**response()["usage"], "cost": 0.0021, "cost_details": {"upstream_inference_cost": 1}}
    ended = frame("response.completed", 7, response=response(usage=told))

    def costly(asked: Asked) -> Script:
        streams = bool(asked.json.get("stream"))
        return stream(*FRAMES[:-1], ended) if streams else whole(response(usage=told))

    async with listening(costly) as behind:
        gateway = await mirroring(start, behind)
        heard = await gateway.post("/v1/responses", ASK)
        assert heard.json["usage"] == response()["usage"]
        heard = await gateway.post("/v1/responses", {**ASK, "stream": True})
        last = json.loads(heard.frames[-2].partition(b"data: ")[2])["response"]
        assert last["usage"] == response()["usage"]
        assert (await gateway.get(f"/v1/responses/{last['id']}")).json == last


async def test_the_next_turn_goes_on_from_what_infway_kept(start: Start) -> None:
    async with listening(say) as behind:
        gateway = await mirroring(start, behind)
        async with sdk(gateway) as client:
            first = await client.responses.create(model="m1", input="Weather?")
            second = await client.responses.create(
                model="m1", input="And now?", previous_response_id=first.id
            )
            assert second.previous_response_id == first.id
            third = await client.responses.create(
                model="m1",
                input=[{"type": "item_reference", "id": "msg_1"}, {"role": "user", "content": "?"}],
            )
    assert third.output_text == "Rain"
    sent: Any = behind.asked[1].json
    assert "previous_response_id" not in sent
    asked, *output, now = sent["input"]
    assert (asked["content"], now["content"]) == ("Weather?", "And now?")
    assert "id" not in asked, "an id that infway made is none of the upstream's"
    assert output == response()["output"]
    assert behind.asked[2].json["input"] == [MESSAGE, {"role": "user", "content": "?"}]


async def test_reasoning_models_are_asked_for_what_they_thought(start: Start) -> None:
    async with listening(say) as behind:
        gateway = await mirroring(start, behind)
        tree = upstreams("mirror", behind.url, "responses")
        tree["upstreams"][0]["models"][0]["native"] = "gpt-5.1"  # type: ignore[index]
        gateway = await start(upstream=behind, **tree)
        await gateway.post("/v1/responses", ASK)
        await gateway.post("/v1/responses", {**ASK, "include": ["web_search_call.results"]})
    encrypted = "reasoning.encrypted_content"
    assert behind.asked[0].json["include"] == [encrypted]
    assert behind.asked[1].json["include"] == ["web_search_call.results", encrypted]


async def test_thoughts_of_another_vendor_are_left_out_and_listed(start: Start) -> None:
    from infway.providers.responses.sealed import sealed

    foreign = {"type": "reasoning", "id": "rs_abc-1_0", "summary": []}
    foreign["encrypted_content"] = sealed([{"type": "reasoning.text", "text": "Hm"}])
    items = [{"role": "user", "content": "Hi"}, foreign, {"role": "user", "content": "?"}]
    async with listening(say) as behind:
        gateway = await mirroring(start, behind)
        heard = await gateway.post("/v1/responses", {**ASK, "input": items})
    assert heard.header("x-gateway-dropped") == "input.encrypted_content"
    assert behind.asked[0].json["input"] == [items[0], items[2]]


async def test_a_servers_own_tool_goes_only_where_it_is_known(start: Start) -> None:
    gateway = await start()
    heard = await gateway.post("/v1/responses", ASK)
    assert (heard.status, heard.code) == (400, "unsupported_parameter")
    assert "tools[0].type" in heard.json["error"]["message"]
    assert gateway.upstream.asked == []


async def test_a_mirrored_stream_that_breaks_fails_with_what_was_there(start: Start) -> None:
    async with listening(lambda _: stream(*FRAMES[:6], cut=True)) as behind:
        gateway = await mirroring(start, behind)
        heard = await gateway.post("/v1/responses", {**ASK, "stream": True})
        *_, failed, error, done = heard.frames
        told = json.loads(failed.partition(b"data: ")[2])
        assert (told["type"], told["sequence_number"]) == ("response.failed", 6)
        assert told["response"]["status"] == "failed"
        assert json.loads(error.partition(b"data: ")[2])["code"] == "upstream_disconnected"
        assert done == b"data: [DONE]"
        kept = await gateway.get(f"/v1/responses/{told['response']['id']}")
        assert kept.json["status"] == "failed"
        async with sdk(gateway) as client:
            with pytest.raises(openai.APIError):
                async for _ in await client.responses.create(**ASK, stream=True):
                    pass


SECRET = "org-of-the-operator"
FAULT = {"code": "server_error", "message": SECRET}
ENDINGS = [
    frame("error", 0, code="server_error", message=SECRET, param=None),
    frame("error", 900, error=FAULT),
    frame("response.failed", 6, response=response(status="failed", error=FAULT)),
    frame("error", 6, **FAULT) + frame("response.failed", 7, response=response(status="failed", error=FAULT)),
    frame("response.completed", 6, response=response(error=FAULT)),
    b'event: error\ndata: {"error": {"message": "org-of-the-operator"}}\n\n',
    b"data: org-of-the-operator is out of order\n\n",
]  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("cut", [5, 6])
def test_a_servers_error_is_told_once_and_in_infways_words(ending: bytes, cut: int) -> None:
    kept: list[tuple[str, bytes]] = []
    writer = Mirrored({"id": "resp_own"}, dict, lambda *one: kept.append(one))
    decoder = Mirror(ResponsesCarrier()).decoder()
    told = b""
    for read in (b"".join(FRAMES[:cut]), b"".join([*FRAMES[cut:6], ending])):
        told += writer.encode(decoder.feed(read))
    *begun, failed, error = frames(told)
    assert DELTA.endswith(begun[-1].data + b"\n\n")
    assert len(begun) == 6
    said = [json.loads(one.data) for one in (failed, error)]
    assert [one["type"] for one in said] == ["response.failed", "error"]
    assert [one["sequence_number"] for one in said] == [6, 7]
    assert [status for status, _ in kept] == ["failed"]
    assert SECRET not in f"{told!r} {kept!r}"


async def test_a_caller_hears_one_failure_of_a_servers_error(start: Start) -> None:
    async with listening(lambda _: stream(*FRAMES[:6], 0.05, ENDINGS[3])) as behind:
        gateway = await mirroring(start, behind)
        heard = await gateway.post("/v1/responses", {**ASK, "stream": True})
        assert [b"event: error" in one for one in heard.frames].count(True) == 1
        assert [b"event: response.failed" in one for one in heard.frames].count(True) == 1
        assert SECRET.encode() not in heard.body


async def test_items_that_a_server_leaves_out_at_the_end_are_kept_all_the_same(
    start: Start,
) -> None:
    ending = frame("response.completed", 7, response=response(output=[]))
    async with listening(lambda _: stream(*FRAMES[:-1], ending)) as behind:
        gateway = await mirroring(start, behind)
        heard = await gateway.post("/v1/responses", {**ASK, "stream": True})
        last = json.loads(heard.frames[-2].partition(b"data: ")[2])["response"]
        assert last["output"] == []
        kept = await gateway.get(f"/v1/responses/{last['id']}")
    assert kept.json["output"] == [SEARCH, MESSAGE]


async def test_infways_own_fields_stay_here(start: Start) -> None:
    own = {"provider": {"only": ["mirror"]}, "fallback_models": ["m2"], "usage": {"include": True}}
    async with listening(say) as behind:
        gateway = await mirroring(start, behind)
        heard = await gateway.post("/v1/responses", {**ASK, **own, "store": None, "stream": None})
    assert heard.json["cost"] > 0
    assert behind.asked[0].json.keys() == {"model", "input", "tools", "store"}
