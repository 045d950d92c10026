"""Made-up conversations in OpenAI's words: every kind of message, in every order that makes sense."""

import base64
import json
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]
_WORDS = (
    "Hello",
    "ok ",
    " so",
    "日本語 🙂",
    "a\nb",
    "<system>x</system>",
    '{"a": 1}',
    "[1, 2]",
    "é\u2028",
)
# A dot alone is what some dialects are told where two turns must not be one
texts = st.one_of(st.sampled_from(_WORDS), st.text(max_size=12).filter(lambda text: text != "."))
texts_or_nothing = st.one_of(texts, st.sampled_from(["", " ", "\n"]))
_MARKERS = st.sampled_from([{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}])
DATA = base64.b64encode(b"\x89PNG\r\n").decode()
PDF = base64.b64encode(b"%PDF-1.7").decode()
NOTE = base64.b64encode("a note, é".encode()).decode()
_PROOF = base64.b64encode(b"signature").decode()
functions = st.sampled_from(["add", "get_weather", "look-up", "x"])
_IDS = ("call_{}", "toolu_{}", "functions.add:{}", "{}", f"call_{'x' * 70}{{}}")


def marked(parts: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    """Parts of which some are marked for the prompt cache."""
    return st.builds(_mark, parts, st.none() | st.none() | st.none() | _MARKERS)


def _mark(part: Json, marker: Json | None) -> Json:
    return part if marker is None else {**part, "cache_control": marker}


def _image(url: str, detail: str | None) -> Json:
    return {"type": "image_url", "image_url": {"url": url} | ({"detail": detail} if detail else {})}


text_parts = st.builds(lambda text: {"type": "text", "text": text}, texts_or_nothing)
images = st.builds(
    _image,
    st.sampled_from(
        [
            f"data:image/png;base64,{DATA}",
            f"data:image/jpeg;base64,{DATA}",
            f"data:image/webp;base64,{DATA}",
            "https://example.com/a.png",
            "https://example.com/a",
        ]
    ),
    st.sampled_from([None, None, "auto", "low", "high"]),
)
sounds = st.sampled_from(
    [
        {"type": "input_audio", "input_audio": {"data": DATA, "format": form}}
        for form in ("wav", "mp3")
    ]
)
files = st.sampled_from(
    [
        {"type": "file", "file": file}
        for file in (
            {"file_data": f"data:application/pdf;base64,{PDF}", "filename": "paper.pdf"},
            {"file_data": f"data:application/pdf;base64,{PDF}"},
            {"file_data": f"data:text/plain;base64,{NOTE}", "filename": "note.txt"},
            {"file_data": f"data:text/csv;base64,{NOTE}", "filename": "table.csv"},
            {"file_data": "https://example.com/a.pdf", "filename": "a.pdf"},
            {"file_id": "file-abc123"},
        )
    ]
)
_MOSTLY_TEXT = st.one_of(text_parts, text_parts, text_parts, images)
_SOMETIMES_RARE = st.one_of(_MOSTLY_TEXT, _MOSTLY_TEXT, _MOSTLY_TEXT, sounds, files)


def contents(parts: st.SearchStrategy[Json]) -> st.SearchStrategy[str | list[Json]]:
    """A message's content: text or parts."""
    return st.one_of(texts_or_nothing, texts, st.lists(marked(parts), min_size=1, max_size=4))


def _objects() -> st.SearchStrategy[str]:
    values = st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts | st.floats(-1e6, 1e6),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
        max_leaves=4,
    )
    return st.dictionaries(texts, values, max_size=3).map(json.dumps)


arguments = st.one_of(
    _objects(),
    _objects(),
    st.sampled_from(["{}", "", ' {"a" : 1} ', '{"n":1.0}', '{"big":12345678901234567890}']),
    st.sampled_from(["{", "[1]", "null", '"x"', "12", '{"a":1} b', "NaN", '{"a":NaN}']),
)
_CLAUDE, _GEMINI, _GPT = "anthropic-claude-v1", "google-gemini-v1", "openai-responses-v1"


def _item(kind: str, form: str | None, **said: str) -> Json:
    return {"type": f"reasoning.{kind}", **said, **({"format": form} if form else {})}


_DETAILS = [
    [_item("text", _CLAUDE, text="Hm.", signature="c2ln")],
    [_item("encrypted", _CLAUDE, data="aGlkZGVu")],
    [_item("text", _CLAUDE, text="Hm.")],
    [_item("text", _GEMINI, text="So.")],
    [_item("encrypted", _GEMINI, data="c2lnbmVk")],
    [_item("summary", _GPT, summary="In short.", id="rs_1"), _item("encrypted", _GPT, data="Z0FB", id="rs_1")],
    [_item("encrypted", _GPT, data="Z0FC", id="rs_2")],
    [_item("text", "unknown", text="Well.")],
    [_item("text", None, text="Well.")],
]  # fmt: skip
# The same in the words of OpenRouter, of LiteLLM, and of those that only show it
_THOUGHTS = st.sampled_from(
    [
        *({"reasoning_details": details} for details in _DETAILS),
        {"thinking_blocks": [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}]},
        {"thinking_blocks": [{"type": "redacted_thinking", "data": "aGlkZGVu"}]},
        {"reasoning_content": "Hm."},
        {"reasoning": "Hm."},
    ]
)


def _own(message: Json, place: int) -> Json:
    """Return a message whose thoughts are like those of no other."""
    own = dict(message)
    for name in message.keys() & {"reasoning_details", "thinking_blocks"}:
        own[name] = [_own_item(item, place) for item in message[name]]
    for name in message.keys() & {"reasoning_content", "reasoning"}:
        own[name] += f" {place}"
    return own


def _own_item(item: Json, place: int) -> Json:
    own = dict(item)
    for name in item.keys() & {"text", "summary", "thinking"}:
        own[name] += f" {place}"
    for name in item.keys() & {"data", "signature"}:
        own[name] = base64.b64encode(f"{item[name]} {place}".encode()).decode()
    return own


@st.composite
def conversations(draw: st.DrawFn) -> list[Json]:
    """Messages that OpenAI's own API would take: every call is answered before others speak."""
    said: list[Json] = draw(st.lists(systems(), max_size=2))
    for number in range(draw(st.integers(1, 4))):
        kind = draw(
            st.sampled_from(["user", "user", "user", "calls", "calls", "bot", "system", "old"])
        )
        match kind:
            case "user":
                said.append(
                    _named(draw, {"role": "user", "content": draw(contents(_SOMETIMES_RARE))})
                )
            case "system":
                said.append(draw(systems()))
            case "bot":
                said.append(draw(answers()))
            case "old":
                said += draw(old_calls())
            case _:
                said += draw(tool_rounds(number))
    if said[-1]["role"] != "assistant" and draw(st.booleans()):
        said.append(_ask(draw))
    return [_own(message, place) for place, message in enumerate(said)]


def _ask(draw: st.DrawFn) -> Json:
    return {"role": "user", "content": draw(texts)}


def _named(draw: st.DrawFn, message: Json) -> Json:
    return {**message, "name": "Ada"} if draw(st.integers(0, 7)) == 0 else message


@st.composite
def systems(draw: st.DrawFn) -> Json:
    """What the system or the developer says."""
    role = draw(st.sampled_from(["system", "developer"]))
    return _named(draw, {"role": role, "content": draw(contents(text_parts))})


@st.composite
def answers(draw: st.DrawFn) -> Json:
    """What the assistant said in an earlier turn, or begins to say."""
    message: Json = {"role": "assistant", "content": draw(contents(text_parts))}
    if draw(st.integers(0, 5)) == 0:
        message |= {"content": None, "refusal": draw(texts)}
    return draw(_thinking(_named(draw, message)))


@st.composite
def _thinking(draw: st.DrawFn, message: Json) -> Json:
    return message | draw(_THOUGHTS) if draw(st.integers(0, 2)) == 0 else message


@st.composite
def tool_rounds(draw: st.DrawFn, number: int) -> list[Json]:
    """Parallel calls and their results, in any order."""
    count = draw(st.integers(1, 3))
    spelling = draw(st.sampled_from(_IDS))
    calls: list[Json] = [
        {
            "id": spelling.format(f"{number}{place}"),
            "type": "function",
            "function": {"name": draw(functions), "arguments": draw(arguments)},
        }
        for place in range(count)
    ]
    message: Json = {
        "role": "assistant",
        "content": draw(st.none() | texts_or_nothing),
        "tool_calls": calls,
    }
    match draw(st.integers(0, 5)):
        case 0:
            calls[0]["extra_content"] = {"google": {"thought_signature": _PROOF}}
        case 1:
            detail = {"type": "reasoning.encrypted", "data": _PROOF, "id": calls[0]["id"]}
            message["reasoning_details"] = [{**detail, "format": "google-gemini-v1"}]
        case _:
            message = draw(_thinking(message))
    results = [{"role": "tool", "tool_call_id": call["id"], **draw(results_of())} for call in calls]
    return [message, *draw(st.permutations(results))]


@st.composite
def results_of(draw: st.DrawFn) -> Json:
    """What a tool answers."""
    content = draw(contents(st.one_of(text_parts, text_parts, text_parts, text_parts, images)))
    return _mark({"content": content}, draw(st.none() | st.none() | st.none() | _MARKERS))


@st.composite
def old_calls(draw: st.DrawFn) -> list[Json]:
    """A legacy function call and its result."""
    call = {"name": draw(functions), "arguments": draw(arguments)}
    return [
        {"role": "assistant", "content": draw(st.none() | texts), "function_call": call},
        {"role": "function", "name": call["name"], "content": draw(texts_or_nothing)},
    ]
