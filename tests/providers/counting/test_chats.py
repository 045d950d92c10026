"""Chats counted: by OpenAI's published rule where it holds, by reason elsewhere."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infway.kernel.chat import ChatRequest, Feature, Selection
from infway.providers.counting import Count, count_chat, count_texts, knows
from infway.providers.counting.families import family_of
from infway.providers.counting.functions import declared, formed

HELLO = "Hello, how are you?"  # 6 tokens in both vocabularies


def counted(model: str, **fields: object) -> Count:
    ask = ChatRequest("r-1", fields, False, Selection(), Feature(0), 0, 0, None, None)
    return count_chat(ask, model)


def user(*content: object) -> list[object]:
    return [{"role": "user", "content": list(content)}]


@pytest.mark.parametrize(
    ("text", "model", "tokens"),
    [
        # counted by OpenAI's own tokenizer, tiktoken 0.14
        ("tiktoken is great!", "gpt-4", 6),
        ("tiktoken is great!", "gpt-4o", 6),
        ("お誕生日おめでとう", "gpt-4", 9),
        ("お誕生日おめでとう", "gpt-4o", 8),
        ("2 + 2 = 4", "gpt-3.5-turbo", 7),
        ("<|endoftext|>", "gpt-4", 7),
        ("antidisestablishmentarianism", "text-embedding-3-small", 6),
        ("antidisestablishmentarianism", "o3-mini", 6),
        ("", "gpt-4o", 0),
        ("a\ud800b", "gpt-4o", 3),
    ],
)
def test_a_text_is_counted_as_tiktoken_counts_it(text: str, model: str, tokens: int) -> None:
    assert count_texts([text], model) == (tokens, True)


def test_a_long_text_needs_no_more_than_its_size() -> None:
    assert count_texts(["many words and " * 100_000], "gpt-4o").tokens == 300_001


@pytest.mark.parametrize(
    ("model", "tokens"),
    [("gpt-4o", 3 + 3 * 4 + 18), ("gpt-4", 3 + 3 * 4 + 18), ("gpt-5", 2 + 3 * 4 + 2 + 18)],
)
def test_messages_add_what_openai_says(model: str, tokens: int) -> None:
    messages = [{"role": role, "content": HELLO} for role in ("developer", "user", "assistant")]
    assert counted(model, messages=messages) == (tokens, True)


def test_a_name_is_its_tokens_and_one() -> None:
    plain = [{"role": "user", "content": HELLO}]
    named = [{**plain[0], "name": "example_user"}]  # two tokens
    assert counted("gpt-4o", messages=named).tokens == counted("gpt-4o", messages=plain).tokens + 3


def test_parts_and_text_count_the_same() -> None:
    parts = user({"type": "text", "text": HELLO})
    assert counted("gpt-4o", messages=parts) == (13, True)
    assert counted("gpt-4o", messages=[{"role": "user", "content": HELLO}]) == (13, True)


ADD = {
    "name": "add",
    "description": "Adds numbers",
    "parameters": {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "title": "A", "description": "The first\nnumber"},
            "unit": {"enum": ["m", "ft"], "default": "m"},
            "list": {"type": "array", "items": {"type": ["string", "null"]}},
            "deep": {"type": "object", "properties": {"x": {"anyOf": [{"type": "number"}, {}]}}},
        },
        "required": ["a"],
    },
}


def test_functions_are_read_as_types() -> None:
    text = declared([ADD, {"name": "now"}])
    assert (
        "// Adds numbers\ntype add = (_: {\n// A\n//\n// The first\n// number\na: number,\n" in text
    )
    assert 'unit?: "m" | "ft", // default: "m"\n' in text
    assert "list?: string | null[],\n" in text
    assert "deep?: {\nx?: number | any,\n},\n" in text
    assert "type now = () => any;" in text


def test_a_form_is_read_without_what_closes_it() -> None:
    schema = {"type": "object", "additionalProperties": False}
    text = formed({"name": "answer", "description": "All of it", "schema": schema})
    assert text.endswith('## answer\n\n// All of it\n{"type":"object"}')


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5", "claude-sonnet-5", "deepseek-chat", "x"])
def test_tools_calls_and_forms_add_tokens_and_make_it_an_estimate(model: str) -> None:
    messages: list[object] = [{"role": "user", "content": HELLO}]
    plain = counted(model, messages=messages)
    tools = counted(model, messages=messages, tools=[{"type": "function", "function": ADD}])
    assert tools.tokens > plain.tokens + 50
    assert not tools.exact
    call = {"id": "1", "function": {"name": "add", "arguments": '{"a":1}'}}
    said = [*messages, {"role": "assistant", "tool_calls": [call]}]
    answered = [*said, {"role": "tool", "tool_call_id": "1", "content": "1"}]
    assert counted(model, messages=answered).tokens > counted(model, messages=said).tokens
    assert counted(model, messages=said).tokens > plain.tokens
    assert not counted(model, messages=said).exact


def test_media_are_counted_by_kind() -> None:
    def tokens(model: str, part: object) -> int:
        return counted(model, messages=user(part)).tokens - counted(model, messages=user()).tokens

    def file(kind: str, content: bytes) -> object:
        data = f"data:{kind};base64,{base64.b64encode(content).decode()}"
        return {"type": "file", "file": {"filename": "f", "file_data": data}}

    pages = b"%PDF-1.4 /Type /Pages /Kids ... /Type/Page ... /Type /Page ..."
    assert tokens("claude-sonnet-4-5", file("application/pdf", pages)) == 2 * 1600
    assert tokens("gemini-2.5-pro", file("application/pdf", b"/Count 7")) == 7 * 258
    assert tokens("gpt-4o", file("text/plain", HELLO.encode())) == 6
    wav = b"RIFF....WAVEfmt " + bytes(12) + (16_000).to_bytes(4, "little") + bytes(32_000 - 32)
    sound = {"data": base64.b64encode(wav).decode(), "format": "wav"}
    assert tokens("gemini-2.5-pro", {"type": "input_audio", "input_audio": sound}) == 64
    video = {"url": f"data:video/mp4;base64,{base64.b64encode(bytes(125_000)).decode()}"}
    assert tokens("gemini-2.5-pro", {"type": "video_url", "video_url": video}) == 263
    far = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    assert tokens("gpt-4o", far) == 765
    assert tokens("gpt-4o", {"type": "hologram"}) == 0


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("openai/gpt-4o-2024-08-06", "gpt-4o"),
        ("chatgpt-4o-latest", "gpt-4o"),
        ("gpt-35-turbo", "gpt-4, gpt-3.5"),
        ("o3", "o1, o3"),
        ("openai/o1-preview", "o1, o3"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude 4.5"),
        ("anthropic/claude-4.6-sonnet-20260217", "claude 4.5"),
        ("claude-opus-4-1", "claude"),
        ("claude-opus-4-8", "claude 5"),
        ("claude-sonnet-4-20250514", "claude"),
        ("models/gemini-3-flash-preview", "gemini 3"),
        ("accounts/fireworks/models/llama-v3p1-8b-instruct", "llama 3.1"),
        ("meta-llama/Llama-4-Scout-17B", "llama 3.1"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mistral"),
        ("openai.gpt-oss-20b-1:0", "gpt-oss"),
        ("grok-4-1-fast-non-reasoning", "grok, plain"),
        ("foo3-bar", "others"),
    ],
)
def test_a_family_is_found_by_any_name(model: str, family: str) -> None:
    assert family_of(model).name == family
    assert knows(model) is (family != "others")


def test_the_vocabulary_of_a_family_counts_for_it() -> None:
    greeting = "Ich wünsche Ihnen einen schönen Tag und viel Erfolg bei der Arbeit."
    gpt = count_texts([greeting], "gpt-4o").tokens
    assert count_texts([greeting], "gpt-4").tokens > gpt
    claude = count_texts([greeting], "claude-sonnet-5")
    assert claude.tokens > gpt
    assert not claude.exact


NAMES = st.sampled_from(
    [
        "role",
        "content",
        "type",
        "text",
        "function",
        "parameters",
        "properties",
        "name",
        "enum",
        "items",
        "anyOf",
        "tool_calls",
        "image_url",
        "file",
        "input_audio",
    ]
)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
BESIDE = ("tools", "functions", "response_format", "reasoning")
FIELDS = st.fixed_dictionaries({"messages": JSONS}, optional=dict.fromkeys(BESIDE, JSONS))


@given(FIELDS, st.sampled_from(["gpt-4o", "gpt-5", "claude-sonnet-5", "gemini-3-pro", "nobodys"]))
def test_no_fields_make_it_fail(fields: dict[str, object], model: str) -> None:
    assert counted(model, **fields).tokens >= 0
