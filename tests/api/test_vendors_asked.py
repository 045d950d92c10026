"""Every vendor with a dialect of its own is asked at its address, in its way, with its credential."""

import json
from typing import NamedTuple

import pytest
from tests.api.caller import chat_body
from tests.api.upstream import Asked, Script, listening, whole
from tests.conftest import Start

CALL = {"input_price": "1", "output_price": "2"}
KEY = "the-key-of-the-vendor"
AWS = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "the-secret-of-aws"}


class Way(NamedTuple):
    """What is configured, and where and how the upstream is asked for a whole reply and a stream."""

    settings: dict[str, object]
    native: str
    paths: tuple[str, str]
    header: tuple[str, str]
    body: dict[str, object]


ANTHROPIC = {
    "max_tokens": 9,
    "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
}
MESSAGES = "/v1/messages", "/v1/messages"
WAYS = [
    Way({"vendor": "anthropic", "key": KEY}, "claude-x", MESSAGES, ("x-api-key", KEY), {"model": "claude-x", **ANTHROPIC}),
    Way({"vendor": "azure-anthropic", "key": KEY}, "mine", MESSAGES, ("x-api-key", KEY), {"model": "mine", **ANTHROPIC}),
    Way(
        {"vendor": "bedrock-invoke", "key": KEY}, "anthropic.claude-x-v1:0",
        ("/model/anthropic.claude-x-v1%3A0/invoke", "/model/anthropic.claude-x-v1%3A0/invoke-with-response-stream"),
        ("authorization", f"Bearer {KEY}"), {"anthropic_version": "bedrock-2023-05-31", **ANTHROPIC},
    ),
    Way(
        {"vendor": "bedrock", "key": KEY}, "amazon.nova-x-v1:0",
        ("/model/amazon.nova-x-v1%3A0/converse", "/model/amazon.nova-x-v1%3A0/converse-stream"),
        ("authorization", f"Bearer {KEY}"), {"inferenceConfig": {"maxTokens": 9}},
    ),
    Way(
        {"vendor": "bedrock", "aws": AWS, "region": "eu-west-1"}, "amazon.nova-x-v1:0",
        ("/model/amazon.nova-x-v1%3A0/converse", "/model/amazon.nova-x-v1%3A0/converse-stream"),
        ("authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), {},
    ),
    Way(
        {"vendor": "gemini", "key": KEY}, "gemini-x",
        ("/models/gemini-x:generateContent", "/models/gemini-x:streamGenerateContent?alt=sse"),
        ("x-goog-api-key", KEY), {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
    ),
    Way({"vendor": "cohere", "key": KEY}, "command-x", ("/v2/chat", "/v2/chat"), ("authorization", f"Bearer {KEY}"), {"model": "command-x", "max_tokens": 9}),
    Way({"vendor": "ollama-native"}, "llama", ("/api/chat", "/api/chat"), ("content-type", "application/json"), {"model": "llama"}),
    Way({"vendor": "openai", "key": KEY}, "o3-pro", ("/responses", "/responses"), ("authorization", f"Bearer {KEY}"), {"model": "o3-pro"}),
    Way({"vendor": "azure", "key": KEY, "dialect": "responses"}, "mine", ("/openai/v1/responses", "/openai/v1/responses"), ("api-key", KEY), {"model": "mine"}),
    Way({"vendor": "custom", "key": KEY, "dialect": "anthropic"}, "any", MESSAGES, ("authorization", f"Bearer {KEY}"), {"model": "any"}),
    Way({"vendor": "openai", "key": KEY}, "gpt-x", ("/chat/completions", "/chat/completions"), ("authorization", f"Bearer {KEY}"), {"model": "gpt-x"}),
]  # fmt: skip


def refuse(_: Asked) -> Script:
    return whole({"error": {"message": "no", "type": "invalid_request_error"}}, status=400)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.settings['vendor']}-{way.native}")
async def test_a_vendor_is_asked_in_its_own_way(start: Start, way: Way, streamed: bool):
    async with listening(refuse) as upstream:
        base = upstream.url.removesuffix("/v1")
        model = {"id": "m1", "native": way.native, **CALL}
        row = {"name": "one", "base_url": base, "models": [model], **way.settings}
        gateway = await start(upstream=upstream, upstreams=[row])
        messages = [{"role": "user", "content": "Hi"}]
        body = chat_body(messages=messages, max_tokens=9, stream=streamed)
        heard = await gateway.post("/v1/chat/completions", body)
        assert (heard.status, heard.code) == (400, "upstream_rejected")
        (asked,) = upstream.asked
        assert asked.path == way.paths[streamed]
        name, value = way.header
        assert asked.headers[name].startswith(value)
        said = json.loads(asked.body)
        assert {key: said.get(key) for key in way.body} == way.body
        if way.header[1].startswith("AWS4"):
            assert "/eu-west-1/bedrock/aws4_request" in asked.headers["authorization"]
            assert "x-amz-date" in asked.headers
