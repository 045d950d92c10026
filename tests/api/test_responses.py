"""Responses over upstreams of other dialects, as OpenAI's SDK sees them."""

import json
from typing import Any

import pytest
from pydantic import BaseModel
from tests.api.responding import (
    WEATHER,
    called,
    claude,
    claude_stream,
    conforms,
    event_conforms,
    events_of,
    kinds,
    needs_schema,
    says,
    sdk,
    upstreams,
)
from tests.api.upstream import (
    DONE,
    USAGE,
    answer,
    chunk,
    listening,
    stream,
    whole,
)
from tests.conftest import Start


async def test_a_text_is_answered_with_a_whole_response(start: Start) -> None:
    gateway = await start()
    async with sdk(gateway) as client:
        response = await client.responses.create(
            model="m1",
            input="Hi",
            instructions="Be kind.",
            metadata={"who": "me"},
            max_output_tokens=100,
            temperature=0.5,
            top_p=0.9,
            user="u",
        )
    assert response.output_text == "Hello"
    assert (response.status, response.model, response.object) == ("completed", "m1", "response")
    assert response.id.startswith("resp_")
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (11, 7)
    assert response.metadata == {"who": "me"}
    assert (response.instructions, response.max_output_tokens) == ("Be kind.", 100)
    assert (response.temperature, response.top_p, response.user) == (0.5, 0.9, "u")
    sent = gateway.upstream.asked[0].json
    assert sent["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
    ]
    assert (sent["max_tokens"], sent["temperature"], sent["top_p"]) == (100, 0.5, 0.9)
    assert not {"metadata", "store", "input", "instructions"} & sent.keys()
    assert [row.outcome for row in await gateway.rows()] == ["ok", "ok"]


async def test_a_stream_tells_every_event_in_order(start: Start) -> None:
    gateway = await start(lambda _: stream(*called('{"city":', '"Oslo"}')))
    async with (
        sdk(gateway) as client,
        client.responses.stream(
            model="m1",
            input="Weather?",
            tools=[WEATHER],  # type: ignore[list-item]
        ) as events,
    ):
        kinds_heard = [event.type async for event in events]
        final = await events.get_final_response()
    assert kinds_heard == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ]
    call: Any = final.output[0]
    assert (call.type, call.name, call.call_id) == ("function_call", "weather", "call_1")
    assert json.loads(call.arguments) == {"city": "Oslo"}
    sent: Any = gateway.upstream.asked[0].json
    assert sent["tools"][0]["function"]["name"] == "weather"


async def test_a_schema_is_parsed_into_its_class(start: Start) -> None:
    class Place(BaseModel):
        city: str

    gateway = await start(lambda _: whole(answer('{"city": "Oslo"}')))
    async with sdk(gateway) as client:
        response = await client.responses.parse(model="m1", input="Where?", text_format=Place)
    assert response.output_parsed == Place(city="Oslo")
    sent: Any = gateway.upstream.asked[0].json
    assert sent["response_format"]["json_schema"]["name"] == "Place"
    assert sent["response_format"]["json_schema"]["strict"] is True


async def test_thoughts_come_back_to_claude_with_their_signature_over_the_store(
    start: Start,
) -> None:
    thinking = {"type": "thinking", "thinking": "Look it up.", "signature": "c2ln"}
    use = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}
    message = claude(thinking, {"type": "text", "text": "One moment."}, use, stop="tool_use")
    async with listening(says(message, claude_stream(message))) as behind:
        gateway = await start(
            upstream=behind, **upstreams("claude", f"{behind.url[:-3]}", "anthropic")
        )
        async with sdk(gateway) as client:
            for is_streamed in (False, True):
                given: dict[str, Any] = {"model": "m1", "input": "Weather?", "tools": [WEATHER]}
                if is_streamed:
                    async with client.responses.stream(**given) as events:
                        async for _ in events:
                            pass
                        first: Any = await events.get_final_response()
                else:
                    first = await client.responses.create(**given)
                assert [item.type for item in first.output] == [
                    "reasoning",
                    "message",
                    "function_call",
                ]
                assert first.output[0].content[0].text == "Look it up."
                result = {"type": "function_call_output", "call_id": "toolu_1", "output": "Rain"}
                await client.responses.create(
                    model="m1",
                    previous_response_id=first.id,
                    input=[result],  # type: ignore[list-item]
                    tools=[WEATHER],  # type: ignore[list-item]
                )
                sent: Any = behind.asked[-1].json
                assert sent["messages"][1] == {
                    "role": "assistant",
                    "content": [thinking, {"type": "text", "text": "One moment."}, use],
                }
                assert sent["messages"][2]["content"][0]["tool_use_id"] == "toolu_1"


async def test_thoughts_come_back_to_claude_from_a_client_that_keeps_them_itself(
    start: Start,
) -> None:
    thinking = {"type": "thinking", "thinking": "Look it up.", "signature": "c2ln"}
    use = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
    message = claude(thinking, use, stop="tool_use")
    async with listening(says(message, claude_stream(message))) as behind:
        gateway = await start(
            upstream=behind, **upstreams("claude", f"{behind.url[:-3]}", "anthropic")
        )
        async with sdk(gateway) as client:
            given: Any = [{"role": "user", "content": "Weather?"}]
            first = await client.responses.create(model="m1", input=given, store=False)
            given += [item.model_dump(exclude_unset=True) for item in first.output]
            given.append({"type": "function_call_output", "call_id": "toolu_1", "output": "Rain"})
            await client.responses.create(model="m1", input=given, store=False)
    sent: Any = behind.asked[-1].json
    assert sent["messages"][1]["content"] == [thinking, use]


async def test_a_summary_is_told_as_one_where_it_was_asked_for(start: Start) -> None:
    said = stream(
        chunk({"role": "assistant", "content": "", "reasoning_content": "First "}),
        chunk({"reasoning_content": "this."}),
        chunk({"content": "Done"}),
        chunk({}, "stop"),
        chunk(None, usage=USAGE),
        DONE,
    )
    gateway = await start(lambda _: said)
    body = {"model": "m1", "input": "Hi", "stream": True, "reasoning": {"summary": "auto"}}
    events = events_of(await gateway.post("/v1/responses", body))
    assert kinds(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    reasoning = events[-1]["response"]["output"][0]
    assert reasoning["summary"] == [{"type": "summary_text", "text": "First this."}]


@needs_schema
async def test_every_event_is_what_openai_publishes(start: Start) -> None:
    tokens = [{"token": "No", "logprob": -0.1, "bytes": None, "top_logprobs": []}]
    source = {"url": "http://a.example", "title": "A", "start_index": 0, "end_index": 2}
    said = stream(
        chunk({"role": "assistant", "content": "", "reasoning_content": "Hm."}),
        chunk({"content": "No", "annotations": [{"type": "url_citation", "url_citation": source}]}),
        _weighed(tokens),
        chunk({"refusal": "I may not."}),
        chunk(
            {"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]}
        ),
        *called("{}")[1:-3],
        chunk({}, "length"),
        chunk(None, usage=USAGE),
        DONE,
    )
    gateway = await start(lambda _: said)
    body = {
        "model": "m1",
        "input": "Hi",
        "stream": True,
        "include": ["message.output_text.logprobs"],
    }
    events = events_of(await gateway.post("/v1/responses", body))
    for event in events:
        event_conforms(event)
    response = events[-1]["response"]
    assert events[-1]["type"] == "response.incomplete"
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    assert [item["type"] for item in response["output"]] == [
        "reasoning",
        "message",
        "image_generation_call",
        "function_call",
    ]
    text, refusal = response["output"][1]["content"]
    assert (text["text"], refusal["refusal"]) == ("No", "I may not.")
    assert text["annotations"] == [{"type": "url_citation", **source}]
    assert text["logprobs"][0]["token"] == "No"
    assert response["output"][2]["result"] == "AA=="


def _weighed(tokens: list[dict[str, Any]]) -> bytes:
    frame = json.loads(chunk({"content": ""})[6:])
    frame["choices"][0]["logprobs"] = {"content": tokens, "refusal": None}
    return b"data: " + json.dumps(frame).encode() + b"\n\n"


@needs_schema
@pytest.mark.parametrize("fields", [{}, {"tools": [WEATHER], "tool_choice": "required"}])
async def test_a_whole_response_is_what_openai_publishes(
    start: Start, fields: dict[str, Any]
) -> None:
    gateway = await start()
    heard = await gateway.post("/v1/responses", {"model": "m1", "input": "Hi", **fields})
    conforms(heard.json, "Response")
    assert heard.header("x-gateway-provider") == "one"
