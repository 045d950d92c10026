"""What a model's thinking has to bring back: through `thoughtSignature` there and back again."""

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from google.genai import types
from tests.api.gemini_talking import (
    PROOF,
    THOUGHT,
    TOOL,
    client,
    googles,
    openais,
    talking,
    thoughtful,
)
from tests.api.upstream import Asked, Script, whole
from tests.conftest import Start
from tests.translation.offers import offers

from infway.api.gemini.reading import read_generate
from infway.providers.gemini.carry import GeminiCarrier

QUIET = types.GenerateContentConfig(
    tools=[TOOL], thinking_config=types.ThinkingConfig(thinking_budget=2000)
)
RESULT = types.Part.from_function_response(name="weather", response={"output": "sun"})


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("shown", [True, False])
async def test_claudes_signed_thinking_comes_back_to_claude(
    start: Start, shown: bool, streamed: bool
) -> None:
    async with talking(start, "anthropic", native="claude-sonnet-4-5") as gateway:
        chat = client(gateway).aio.chats.create(
            model="m1", config=thoughtful(tools=[TOOL]) if shown else QUIET
        )
        if streamed:
            async for _ in await chat.send_message_stream("How is it?"):
                pass
        else:
            await chat.send_message("How is it?")
        await chat.send_message([RESULT])
        messages: Any = gateway.upstream.asked[-1].json["messages"]
        blocks = messages[1]["content"]
        assert blocks[0] == {"type": "thinking", "thinking": THOUGHT, "signature": PROOF}
        assert [one["type"] for one in blocks] == ["thinking", "text", "tool_use"]
        assert messages[2]["content"][0]["tool_use_id"] == "toolu_7"


DETAILS: tuple[dict[str, object], ...] = (
    {
        "type": "reasoning.summary",
        "summary": THOUGHT,
        "id": "rs_1",
        "format": "openai-responses-v1",
    },
    {"type": "reasoning.encrypted", "data": "abc", "id": "rs_1", "format": "openai-responses-v1"},
)


def reasons(asked: Asked) -> Script:
    """Answer as a vendor of the OpenAI dialect whose reasoning comes back encrypted."""
    body = json.loads(b"".join(one for one in openais(asked).pieces if isinstance(one, bytes)))
    body["choices"][0]["message"]["reasoning_details"] = DETAILS
    return whole(body)


@pytest.mark.parametrize("config", [thoughtful(), None], ids=["shown", "hidden"])
async def test_encrypted_reasoning_comes_back_item_for_item(
    start: Start, config: types.GenerateContentConfig | None
) -> None:
    async with talking(start, "openai", reasons) as gateway:
        chat = client(gateway).aio.chats.create(model="m1", config=config)
        await chat.send_message("Hello")
        await chat.send_message("And now?")
        messages: Any = gateway.upstream.asked[-1].json["messages"]
        assert messages[1]["reasoning_details"] == [*DETAILS]


def signs(asked: Asked) -> Script:
    """Answer as Google's endpoint in the OpenAI dialect does: the call is signed."""
    body = json.loads(b"".join(one for one in openais(asked).pieces if isinstance(one, bytes)))
    for call in body["choices"][0]["message"].get("tool_calls", ()):
        call["extra_content"] = {"google": {"thought_signature": PROOF}}
    return whole(body)


async def test_googles_signature_stands_there_as_it_is(start: Start) -> None:
    async with talking(start, "openai", signs) as gateway:
        chat = client(gateway).aio.chats.create(model="m1", config=QUIET)
        said = await chat.send_message("How is it?")
        signed = [part.thought_signature for part in said.parts or () if part.function_call]
        assert signed == [b64decode(PROOF)]
        await chat.send_message([RESULT])
        messages: Any = gateway.upstream.asked[-1].json["messages"]
        (call,) = messages[1]["tool_calls"]
        again = call["extra_content"]["google"]["thought_signature"].translate(
            str.maketrans("-_", "+/")
        )
        assert again == PROOF
        assert messages[2]["tool_call_id"] == "call_7"


async def test_at_google_itself_a_conversation_goes_on_word_for_word(start: Start) -> None:
    async with talking(start, "gemini", googles) as gateway:
        chat = client(gateway).aio.chats.create(model="m1", config=thoughtful(tools=[TOOL]))
        said = await chat.send_message("How is it?")
        assert said.parts is not None
        assert said.parts[-1].thought_signature == b64decode(PROOF)
        await chat.send_message([RESULT])
        contents: Any = gateway.upstream.asked[-1].json["contents"]
        last = contents[1]["parts"][-1]
        proof = last.get("thought_signature") or last["thoughtSignature"]
        assert proof.translate(str.maketrans("-_", "+/")) == PROOF


def _carried(contents: object, native: int = 1) -> tuple[Any, tuple[str, ...]]:
    ask, _ = read_generate(json.dumps({"contents": contents}).encode(), "r", "m1", stream=False)
    call = GeminiCarrier().carry(ask, offers("gemini")[native])
    return json.loads(call.body)["contents"], call.dropped


def _wrapped(*items: dict[str, object]) -> str:
    return b64encode(b'{"infway":' + json.dumps(items).encode() + b"}").decode()


def test_google_never_sees_a_wrapper() -> None:
    wrapped = _wrapped(
        {"type": "reasoning.text", "signature": "x", "format": "anthropic-claude-v1"}
    )
    parts = [
        {"text": "", "thought": True, "thoughtSignature": wrapped},
        {"text": "Words", "thought_signature": wrapped},
        {"functionCall": {"name": "f", "args": {}}},
    ]
    contents, dropped = _carried([{"parts": [{"text": "a"}]}, {"role": "model", "parts": parts}])
    assert contents[1]["parts"] == [
        {"text": "Words"},
        {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "skip_thought_signature_validator"},
    ]  # fmt: skip
    assert dropped == (
        "contents[1].parts[0].thoughtSignature",
        "contents[1].parts[1].thought_signature",
    )


def test_googles_own_signature_is_taken_out_of_a_wrapper() -> None:
    own = {"type": "reasoning.text", "text": "t", "signature": PROOF, "format": "google-gemini-v1"}
    part = {"text": "Words", "thoughtSignature": _wrapped(own)}
    contents, dropped = _carried([{"role": "model", "parts": [part]}])
    assert contents[0]["parts"] == [{"text": "Words", "thoughtSignature": PROOF}]
    assert dropped == ()


@pytest.mark.parametrize("damage", ["A", "!!!!", "e30=", ""])
def test_a_damaged_wrapper_is_listed_and_no_failure(damage: str) -> None:
    wrapped = _wrapped({"type": "reasoning.text"})[:14] + damage
    body = {"contents": [{"parts": [{"text": "a"}]},
                         {"role": "model", "parts": [{"text": "b", "thoughtSignature": wrapped}]}]}  # fmt: skip
    ask, _ = read_generate(json.dumps(body).encode(), "r", "m1", stream=False)
    assert ask.native is not None
    assert ask.native.lost == ("contents[1].parts[0].thoughtSignature",)
