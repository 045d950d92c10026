"""Whatever comes: any body is read or refused by its field, any pieces are whole blocks."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.api.anthropic_asking import HELLO, message
from tests.api.caller import KEY
from tests.conftest import Gateway
from tests.providers.junk import junks

from infway.api.anthropic.blocks import Blocks
from infway.api.anthropic.message import Frames, Whole, stop_of, usage_object
from infway.api.anthropic.reading import read_counted, read_request
from infway.kernel.errors import CallerError
from infway.kernel.events import (
    Annotation,
    Detail,
    Finish,
    Image,
    Piece,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
)
from infway.providers.sse import frames

WORDS = ("type", "text", "source", "content", "id", "name", "input", "data", "schema", "ü\u2028")
JSON = junks(WORDS)
KINDS = st.sampled_from(
    [
        "text",
        "image",
        "document",
        "tool_use",
        "tool_result",
        "thinking",
        "redacted_thinking",
        "search_result",
        "server_tool_use",
        "made_up",
    ]
)
BLOCKS = st.builds(lambda kind, more: {**more, "type": kind}, KINDS, st.dictionaries(st.sampled_from(["text", "source", "content", "id", "name", "input", "data", "thinking", "signature", "tool_use_id", "cache_control"]), JSON, max_size=6))  # fmt: skip
FIELDS = st.sampled_from(
    [
        "model",
        "max_tokens",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "output_format",
        "cache_control",
        "metadata",
        "stop_sequences",
        "temperature",
        "stream",
        "provider",
        "fallback_models",
        "usage",
        "priority",
        "container",
        "made_up",
    ]
)
BODIES = st.builds(
    lambda roles, blocks, more: {**message(*({"role": role, "content": said} for role, said in zip(roles, blocks, strict=False))), **more},
    st.lists(st.sampled_from(["user", "assistant", "system"]), min_size=1, max_size=4),
    st.lists(st.lists(BLOCKS, max_size=3), min_size=4, max_size=4),
    st.dictionaries(FIELDS, JSON, max_size=3),
)  # fmt: skip


def check(body: bytes, headers: tuple = ()) -> None:
    """Read a body both ways: it is a request, or the caller's mistake."""
    refusals: list[CallerError] = []
    for read in (lambda: read_request(body, headers, "r-1"), lambda: read_counted(body, "r-1")):
        try:
            read()
        except CallerError as error:
            refusals.append(error)
    codes = {"invalid_field", "missing_required_field", "invalid_request_body"}
    assert {error.code for error in refusals} <= codes
    assert all(error.status == 400 for error in refusals)


@given(BODIES | JSON)
def test_any_body_is_read_or_refused_with_a_reason(body: object) -> None:
    check(json.dumps(body).encode())


@pytest.mark.parametrize("name", ["system", "tools", "output_format", "made_up"])
@pytest.mark.parametrize("depth", [200, 900, 5000, 100_000])
def test_any_depth_is_read_or_refused(name: str, depth: int) -> None:
    deep = '{"properties":{"a":' * depth + "{}" + "}}" * depth
    said = {"output_format": f'{{"type":"json_schema","schema":{deep}}}', "tools": f'[{{"name":"a","input_schema":{deep}}}]'}  # fmt: skip
    body = f'{{"model":"m","max_tokens":1,"messages":[{json.dumps(HELLO)}],"{name}":{said.get(name, deep)}}}'  # fmt: skip
    check(body.encode())


@settings(max_examples=60)
@given(data=st.binary(max_size=60))
def test_no_bytes_are_a_failure_of_ours(data: bytes) -> None:
    for body in (data, json.dumps(message()).encode().replace(b"Hello", data)):
        check(body, ((b"anthropic-beta", data),))


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"messages":1}', b"\xff", b'"\\ud800"'])
async def test_a_body_that_is_none_is_refused_in_anthropics_shape(
    gateway: Gateway, path: str, body: bytes
) -> None:
    heard = await gateway.post(
        path, body, (("X-Api-Key", KEY), ("Content-Type", "application/json"))
    )
    assert heard.status == 400
    assert heard.json["type"] == "error"
    assert heard.json["error"]["type"] == "invalid_request_error"
    assert heard.json["request_id"] == heard.header("x-request-id")


FORMATS = st.sampled_from(["anthropic-claude-v1", "openai-responses-v1", "google-gemini-v1"])
DETAILS = st.fixed_dictionaries(
    {"type": st.sampled_from(["reasoning.text", "reasoning.summary", "reasoning.encrypted"]), "format": FORMATS},
    optional={"text": st.text(max_size=3), "data": st.text(max_size=3), "signature": st.text(max_size=3), "index": st.integers(0, 1), "id": st.just("c0")},
)  # fmt: skip
PIECES = st.lists(
    st.one_of(
        st.text(min_size=1, max_size=3).map(Text),
        st.text(min_size=1, max_size=3).map(Reasoning),
        DETAILS.map(Detail),
        st.builds(
            ToolCall,
            st.integers(0, 2),
            st.sampled_from(["", "{", "}", '"a":1', '{"a":1}', "[", " "]),
            st.sampled_from([None, "c0"]),
            st.just("weather"),
            signature=st.sampled_from([None, "s"]),
        ),
        st.dictionaries(st.text(max_size=3), JSON, max_size=2).map(Annotation),
        st.just(Image("data:,")),
        st.just(Refusal("no")),
    ),
    max_size=25,
)


@given(PIECES, st.booleans())
def test_any_pieces_are_whole_blocks_one_after_the_other(pieces: list[Piece], shows: bool) -> None:
    stream, whole = Frames(), Whole()
    for sink in (stream, whole):
        blocks = Blocks(sink, "toolu_r", shows_thoughts=shows)
        for piece in pieces:
            blocks.add(piece)
        blocks.end()
    said = [json.loads(one.data) for one in frames(stream.take())]
    opened = None
    for event in said:
        if event["type"] == "content_block_start":
            assert opened is None
            opened = event["index"]
        else:
            assert event["index"] == opened
            opened = None if event["type"] == "content_block_stop" else opened
    assert opened is None
    starts = [event for event in said if event["type"] == "content_block_start"]
    assert [event["index"] for event in starts] == list(range(len(starts)))
    assert [event["content_block"]["type"] for event in starts] == [one["type"] for one in whole.content]  # fmt: skip
    text = "".join(piece.text for piece in pieces if isinstance(piece, Text))
    told = "".join(str(one.get("text", "")) for one in whole.content).replace(
        "![image](data:,)", ""
    )
    assert told == text


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        (Finish(0, "stop", "stop"), "end_turn"),
        (Finish(0, "stop", "pause_turn"), "pause_turn"),
        (Finish(0, "stop", "stop_sequence"), "stop_sequence"),
        (Finish(0, "length", "max_tokens"), "max_tokens"),
        (Finish(0, "tool_calls", "end_turn"), "tool_use"),
        (Finish(0, "content_filter", None), "refusal"),
        (Finish(0, "error", None), None),
        (None, None),
    ],
)
def test_every_end_has_anthropics_word(finish: Finish | None, reason: str | None) -> None:
    assert stop_of(finish, "") == {"stop_reason": reason, "stop_sequence": None}


@given(*[st.integers(0, 10**6)] * 4)
def test_tokens_add_up_to_the_prompt(prompt: int, cached: int, written: int, long: int) -> None:
    prompt += cached + written
    usage = Usage(prompt, 5, prompt + 5, cached, written, cache_write_long=min(long, written))
    said = usage_object(usage, "default")
    parts = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    assert sum(int(str(said[name])) for name in parts) == prompt
    creation = said["cache_creation"]
    assert isinstance(creation, dict)
    assert sum(creation.values()) == written
    assert said["service_tier"] == "standard"
