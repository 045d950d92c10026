"""Upstreams of three dialects that say the same, and Google's own SDK as their reader."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from google import genai
from google.genai import types
from tests.api.caller import KEY
from tests.api.upstream import DONE, Asked, Say, Script, chunk, listening, stream, whole
from tests.conformance.small_words import sse
from tests.conftest import Gateway, Start, upstream_settings

DIALECTS = ("gemini", "openai", "anthropic")
THOUGHT, TEXTS, CITY = "They ask for the weather.", ("It is 21 °C ", "in Kraków…"), "Kraków"
TEXT = "".join(TEXTS)
PROOF = b64encode(b"a proof of thinking \xff\xfe").decode()
USAGE = {"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42,
         "prompt_tokens_details": {"cached_tokens": 10},
         "completion_tokens_details": {"reasoning_tokens": 5}}  # fmt: skip
_GOOGLE_USAGE = {"promptTokenCount": 30, "cachedContentTokenCount": 10, "candidatesTokenCount": 7,
                 "thoughtsTokenCount": 5, "totalTokenCount": 42}  # fmt: skip
_CLAUDE_USAGE = {"input_tokens": 20, "cache_read_input_tokens": 10, "output_tokens": 12}
TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="weather",
            description="The weather of a city.",
            parameters=types.Schema(
                type=types.Type.OBJECT,
                properties={"city": types.Schema(type=types.Type.STRING)},
                required=["city"],
            ),
        )
    ]
)


def _calls(asked: Asked) -> bool:
    """Whether the model calls a function: it may, and has no result yet."""
    body = asked.body
    answered = any(
        word in body for word in (b"functionResponse", b'"tool_result"', b'"role":"tool"')
    )
    return b'"tools"' in body and not answered


def googles(asked: Asked) -> Script:
    """Answer as Google does."""
    call = {"functionCall": {"name": "weather", "args": {"city": CITY}}, "thoughtSignature": PROOF}
    thought = [{"text": THOUGHT, "thought": True}] if b"include_thoughts" in asked.body else []
    last = [call] if _calls(asked) else []
    if "stream" not in asked.path:
        return whole(_google([*thought, {"text": TEXT}, *last], finishReason="STOP"))
    objects = [_google([one]) for one in [*thought, *({"text": text} for text in TEXTS)]]
    return stream(sse(*objects, _google(last or [{"text": ""}], finishReason="STOP")))


def _google(parts: list[dict[str, object]], **more: object) -> dict[str, object]:
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0, **more}
    return {"candidates": [candidate], "usageMetadata": _GOOGLE_USAGE,
            "modelVersion": "native-version", "responseId": "google-1"}  # fmt: skip


def openais(asked: Asked) -> Script:
    """Answer as OpenAI does, arguments in pieces."""
    arguments = json.dumps({"city": CITY})
    call = {"id": "call_7", "type": "function",
            "function": {"name": "weather", "arguments": arguments}}  # fmt: skip
    calls = _calls(asked)
    finish = "tool_calls" if calls else "stop"
    if b'"stream":true' not in asked.body:
        message = {"role": "assistant", "content": TEXT, "reasoning_content": THOUGHT}
        choice = {"index": 0, "message": message | ({"tool_calls": [call]} if calls else {}),
                  "finish_reason": finish}  # fmt: skip
        return whole({"id": "x", "object": "chat.completion", "created": 1, "model": "native",
                      "choices": [choice], "usage": USAGE})  # fmt: skip
    deltas: list[dict[str, object]] = [{"role": "assistant", "reasoning_content": THOUGHT}]
    deltas += [{"content": text} for text in TEXTS]
    if calls:
        first = {**call, "index": 0, "function": {"name": "weather", "arguments": ""}}
        pieces = [{"index": 0, "function": {"arguments": one}} for one in arguments]
        deltas += [{"tool_calls": [one]} for one in [first, *pieces]]
    frames = [chunk(delta) for delta in deltas]
    return stream(*frames, chunk({}, finish), chunk(None, usage=USAGE), DONE)


def claudes(asked: Asked) -> Script:
    """Answer as Claude does, with signed thinking where it was asked for."""
    thinks = b'"thinking"' in asked.body
    thinking = {"type": "thinking", "thinking": THOUGHT, "signature": PROOF}
    call = {"type": "tool_use", "id": "toolu_7", "name": "weather", "input": {"city": CITY}}
    blocks: list[dict[str, object]] = [thinking] if thinks else []
    blocks += [{"type": "text", "text": TEXT}, *([call] if _calls(asked) else [])]
    reason = "tool_use" if _calls(asked) else "end_turn"
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "native",
               "content": blocks, "stop_reason": reason, "stop_sequence": None,
               "usage": _CLAUDE_USAGE}  # fmt: skip
    if b'"stream":true' not in asked.body:
        return whole(message)
    begun = {**message, "content": [], "stop_reason": None,
             "usage": {**_CLAUDE_USAGE, "output_tokens": 1}}  # fmt: skip
    ended = {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None},
             "usage": {"output_tokens": 12}}  # fmt: skip
    events = [{"type": "message_start", "message": begun}]
    for index, block in enumerate(blocks):
        events += _claude_block(index, block)
    return stream(*(sse(one) for one in [*events, ended, {"type": "message_stop"}]))


def _claude_block(index: int, block: Mapping[str, object]) -> list[dict[str, object]]:
    empty = {"thinking": {"thinking": "", "signature": ""}, "text": {"text": ""},
             "tool_use": {"input": {}}}  # fmt: skip
    match block["type"]:
        case "thinking":
            deltas = [{"type": "thinking_delta", "thinking": THOUGHT},
                      {"type": "signature_delta", "signature": PROOF}]  # fmt: skip
        case "text":
            deltas = [{"type": "text_delta", "text": text} for text in TEXTS]
        case _:
            text = json.dumps(block["input"])
            deltas = [
                {"type": "input_json_delta", "partial_json": one} for one in (text[:5], text[5:])
            ]
    start = {**block, **empty[str(block["type"])]}
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": one} for one in deltas),
        {"type": "content_block_stop", "index": index},
    ]


_OPEN: dict[int, list[genai.Client]] = {}  # by the port they talk to
SAYS: Mapping[str, Say] = {"gemini": googles, "openai": openais, "anthropic": claudes}


@asynccontextmanager
async def talking(
    start: Start, dialect: str, say: Say | None = None, *, native: str = "native-m1", **more: object
) -> AsyncIterator[Gateway]:
    """Start a gateway in front of one upstream of a dialect, which offers `m1` and `org/m3`."""
    models = [{"id": one, "native": native, "input_price": "2.5", "output_price": "10"}
              for one in ("m1", "org/m3")]  # fmt: skip
    async with listening(say or SAYS[dialect]) as behind:
        row = upstream_settings("one", behind, *models, dialect=dialect)
        gateway = await start(upstream=behind, upstreams=[row], **more)
        async with closing(gateway):
            yield gateway


@asynccontextmanager
async def closing(gateway: Gateway) -> AsyncIterator[None]:
    """Close the clients of a gateway at the end of the block."""
    try:
        yield
    finally:
        for one in _OPEN.pop(gateway.port, []):
            await one.aio.aclose()
            one.close()


def client(
    gateway: Gateway, key: str = KEY, *, vertexai: bool = False, **more: object
) -> genai.Client:
    """Google's client of the Gemini API; `talking` closes it."""
    told = types.HttpOptions(base_url=gateway.url, **more)  # type: ignore[arg-type]
    made = genai.Client(vertexai=vertexai, api_key=key, http_options=told)
    _OPEN.setdefault(gateway.port, []).append(made)
    return made


def thoughtful(**more: object) -> types.GenerateContentConfig:
    """A configuration that wants to see thoughts."""
    thinking = types.ThinkingConfig(include_thoughts=True, thinking_budget=2000)
    return types.GenerateContentConfig(thinking_config=thinking, **more)  # type: ignore[arg-type]
