"""The token counter, over real sockets: LiteLLM's request and its four fields."""

import json
from collections.abc import AsyncIterator

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.caller import BEARER, JSON, NARROW_KEY
from tests.api.upstream import either, listening
from tests.conftest import Gateway, Start, upstream_settings
from tests.providers.junk import junk_objects, junks

PATH = "/utils/token_counter"
NARROW = ("Authorization", f"Bearer {NARROW_KEY}")
USER = {"role": "user", "content": "Hello, how are you?"}  # 6 tokens of o200k
ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
    },
}


@pytest.fixture
async def gateway(start: Start) -> AsyncIterator[Gateway]:
    """A gateway with an OpenAI model under a name of its own, and a Claude."""
    models = [
        {"id": "fast", "native": "gpt-4o-mini-2024-07-18"},
        {"id": "m2", "native": "claude-sonnet-4-5"},
        {"id": "vectors", "native": "text-embedding-3-small", "mode": "embedding"},
    ]
    async with listening(either) as upstream:
        row = upstream_settings("one", upstream, *models, allow_unpriced=True)
        yield await start(upstream=upstream, upstreams=[row], aliases={"quick": "fast"})


async def counted(gateway: Gateway, **fields: object) -> dict:
    heard = await gateway.post(PATH, {"model": "fast", **fields})
    assert heard.status == 200, heard.body
    return heard.json


@pytest.mark.parametrize("path", [PATH, f"/v1{PATH}"])
async def test_a_conversation_is_counted_as_its_model_counts_it(
    gateway: Gateway, path: str
) -> None:
    heard = await gateway.post(path, {"model": "quick", "messages": [USER]})
    assert heard.json == {
        "total_tokens": 3 + 4 + 6,
        "request_model": "quick",
        "model_used": "gpt-4o-mini-2024-07-18",
        "tokenizer_type": "openai_tokenizer",
        "exact": True,
    }
    assert heard.header("x-request-id")
    assert not gateway.upstream.asked
    assert not await gateway.rows()


async def test_a_prompt_is_bare_text(gateway: Gateway) -> None:
    assert (await counted(gateway, prompt="Hello, how are you?"))["total_tokens"] == 6
    assert (await counted(gateway, prompt=""))["total_tokens"] == 0
    listed = await counted(gateway, prompt=["Hello", "you"])
    assert listed == {**listed, "total_tokens": 1 + 1, "exact": True}  # each is read by itself
    assert (await counted(gateway, prompt=[]))["total_tokens"] == 0
    said = await counted(gateway, prompt="Hello, how are you?", system="")
    assert said["total_tokens"] == 6


async def test_system_and_tools_and_pictures_are_counted_too(gateway: Gateway) -> None:
    alone = (await counted(gateway, messages=[USER]))["total_tokens"]
    system = await counted(gateway, messages=[USER], system="Be brief.")
    assert system == {**system, "total_tokens": alone + 4 + 3, "exact": True}
    blocks = await counted(gateway, messages=[USER], system=[{"type": "text", "text": "Be brief."}])
    assert blocks["total_tokens"] == system["total_tokens"]
    tools = await counted(gateway, messages=[USER], tools=[ADD])
    assert 20 < tools["total_tokens"] - alone < 40
    assert tools["exact"] is False
    url = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}}
    seen = [{"role": "user", "content": [{"type": "text", "text": "Hello, how are you?"}, url]}]
    assert (await counted(gateway, messages=seen))["total_tokens"] == alone + 2833
    asked = await counted(gateway, prompt="Hello, how are you?", tools=[ADD])
    assert asked["total_tokens"] == tools["total_tokens"]


async def test_contents_of_gemini_are_a_conversation(gateway: Gateway) -> None:
    contents = [{"role": "user", "parts": [{"text": "Hello, how are you?"}]}]
    assert (await counted(gateway, contents=contents))["total_tokens"] == 13
    refused = await gateway.post(PATH, {"model": "fast", "contents": [{"parts": [{"text": 1}]}]})
    assert (refused.status, refused.json["error"]["param"]) == (400, "contents[0].parts[0].text")


async def test_a_model_of_another_family_is_estimated(gateway: Gateway) -> None:
    claude = await counted(gateway, model="m2", messages=[USER])
    assert claude["model_used"] == "claude-sonnet-4-5"
    assert claude["exact"] is False
    assert 12 <= claude["total_tokens"] <= 16
    vectors = await counted(gateway, model="vectors", prompt="Hello, how are you?")
    assert (vectors["total_tokens"], vectors["exact"]) == (6, True)
    assert vectors["model_used"] == "text-embedding-3-small"


async def test_a_model_that_is_not_served_is_counted_by_its_name(gateway: Gateway) -> None:
    known = await counted(gateway, model="gpt-4", prompt="Hello, how are you?")
    assert known == {**known, "model_used": "gpt-4", "total_tokens": 6, "exact": True}
    unknown = await counted(gateway, model="nobodys", prompt="Hello, how are you?")
    assert unknown == {**unknown, "model_used": "nobodys", "exact": False}


async def test_a_key_counts_only_for_models_it_may_use(gateway: Gateway) -> None:
    body = {"model": "fast", "prompt": "a"}
    refused = await gateway.post(PATH, body, (NARROW, JSON))
    assert (refused.status, refused.code) == (403, "model_not_accessible")
    assert (await gateway.post(PATH, {**body, "model": "m2"}, (NARROW, JSON))).status == 200
    assert (await gateway.post(PATH, body, (JSON,))).status == 401


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "fast"}, "messages"),
        ({"model": "fast", "prompt": None, "messages": None}, "messages"),
        ({"prompt": "a"}, "model"),
        ({"model": " ", "prompt": "a"}, "model"),
        ({"model": "fast", "prompt": "a", "messages": [USER]}, "prompt"),
        ({"model": "fast", "messages": [USER], "contents": []}, "messages"),
        ({"model": "fast", "messages": ["a"]}, "messages[0]"),
        ({"model": "fast", "messages": USER}, "messages"),
        ({"model": "fast", "messages": [{}]}, "messages[0].role"),
        ({"model": "fast", "messages": [USER, {"content": "a"}]}, "messages[1].role"),
        ({"model": "fast", "messages": [{"role": "king", "content": "a"}]}, "messages[0].role"),
        ({"model": "fast", "messages": [{"role": "user"}]}, "messages[0].content"),
        ({"model": "fast", "messages": [{"role": "user", "content": 1}]}, "messages[0].content"),
        ({"model": 1, "prompt": "a"}, "model"),
    ],
)
async def test_what_cannot_be_counted_is_told_with_its_path(
    gateway: Gateway, body: dict, param: str
) -> None:
    heard = await gateway.post(PATH, body)
    assert (heard.status, heard.json["error"]["param"]) == (400, param)
    assert heard.json["detail"] == heard.json["error"]["message"]
    assert heard.json["errors"][0]["code"] == heard.code


@pytest.mark.parametrize("deep", [300, 900, 5000])
async def test_what_is_nested_too_deeply_is_no_error_of_the_server(
    gateway: Gateway, deep: int
) -> None:
    nested = b'{"parts":' * deep + b"[]" + b"}" * deep
    heard = await gateway.post(PATH, b'{"model":"fast","contents":[%b]}' % nested)
    assert (heard.status, heard.code) == (400, "invalid_request_body")
    for field in (b"messages", b"tools"):
        body = b'{"model":"fast","messages":[],"%b":[%b]}' % (field, nested)
        assert (await gateway.post(PATH, body)).status in (200, 400)


async def test_an_empty_conversation_is_what_begins_the_answer(gateway: Gateway) -> None:
    empty = await counted(gateway, messages=[])
    assert (empty["total_tokens"], empty["exact"]) == (3, True)
    assert (await counted(gateway, messages=[], system="Be brief."))["total_tokens"] == 3 + 4 + 3


async def test_what_a_chat_refuses_of_its_messages_is_refused_in_the_same_words(
    gateway: Gateway,
) -> None:
    for messages in ([{}], [{"role": "user"}], [{"role": "user", "content": [{"type": "text"}]}]):
        body = {"model": "fast", "messages": messages}
        heard, chat = [await gateway.post(path, body) for path in (PATH, "/v1/chat/completions")]
        assert heard.status == chat.status == 400
        assert heard.json["error"] == chat.json["error"]


async def test_litellms_sentence_says_that_there_is_nothing_to_count(gateway: Gateway) -> None:
    heard = await gateway.post(PATH, {"model": "fast"})
    assert heard.json["detail"] == "prompt or messages must be provided"


async def test_a_long_conversation_is_counted_whole(gateway: Gateway) -> None:
    words = "many words and " * 40_000
    long = await counted(gateway, prompt=words)
    assert long["total_tokens"] == 120_001
    limit = {"model": "fast", "prompt": "a" * (20 * 1024 * 1024)}
    assert (await gateway.post(PATH, limit)).status == 413


WORDS = ("role", "content", "type", "text", "image_url", "url", "tool_calls", "ü\u2028", "")
MESSAGES = junk_objects(WORDS, most=4)


async def test_no_message_makes_it_fail(gateway: Gateway) -> None:
    bodies: list[dict] = []

    @given(st.lists(MESSAGES, max_size=3), st.lists(MESSAGES, max_size=2), junks(WORDS))
    def collect(messages: list, tools: list, system: object) -> None:
        bodies.append({"model": "m2", "messages": messages, "tools": tools, "system": system})

    collect()
    for body in bodies:
        heard = await gateway.post(PATH, json.dumps(body).encode())
        assert heard.status in (200, 400), heard.body


async def test_the_description_holds_what_is_answered(gateway: Gateway) -> None:
    described = (await gateway.get("/openapi.json")).json
    operation = described["paths"][PATH]["post"]
    reply = operation["responses"]["200"]["content"]["application/json"]["schema"]
    schemas = {"components": described["components"], **reply}
    jsonschema.validate(await counted(gateway, prompt="a"), schemas)
    refused = operation["responses"]["400"]["content"]["application/json"]["schema"]
    heard = await gateway.post(PATH, {"model": "fast"}, (BEARER, JSON))
    jsonschema.validate(heard.json, {"components": described["components"], **refused})
