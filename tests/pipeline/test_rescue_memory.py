"""What was passed on is remembered exactly, in whatever frames it came."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infway.kernel.events import Annotation, Event, Finish, Logprobs, Reasoning, Text, ToolCall
from infway.pipeline.rescue_memory import MOST, Memory
from infway.providers.openai.stream import Decoder

TEXTS = st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=8), max_size=40)


def frame(delta: dict[str, object], ascii_only: bool = False, **more: object) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    root = {"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}
    said = json.dumps({**root, **more}, separators=(",", ":"), ensure_ascii=ascii_only)
    return f"data: {said}\n\n".encode()


def remembered(frames: list[bytes], size: int = 0) -> Memory:
    """Decode frames, in pieces of `size` bytes or one by one, and remember what is passed on."""
    memory, decoder = Memory(), Decoder()
    data = b"".join(frames)
    cuts = [data[i : i + size] for i in range(0, len(data), size)] if size else frames
    for piece in cuts:
        events = decoder.feed(piece)
        if events:
            memory.keep(events)
    return memory


@given(TEXTS, st.booleans(), st.booleans(), st.sampled_from([0, 1, 7, 100, 5000]))
def test_the_text_of_passed_frames_is_read_back(
    texts: list[str], escaped: bool, padded: bool, size: int
) -> None:
    frames = [frame({"role": "assistant", "content": ""}, escaped)]
    for place, text in enumerate(texts):
        more = {"obfuscation": "x" * (place % 5)} if padded else {}
        frames.append(frame({"content": text}, escaped, **more))
    said = remembered(frames, size).said()
    assert said is not None
    assert said.text == "".join(texts)
    assert said.choices == {0}


def test_a_long_answer_is_remembered_through_every_heap() -> None:
    words = [f' w{n} "quoted" \\ \u4e2d' for n in range(3000)]
    said = remembered([frame({"content": ""}), *(frame({"content": w}) for w in words)]).said()
    assert said is not None
    assert said.text == "".join(words)


def test_the_reasoning_is_kept_apart() -> None:
    frames = [frame({"reasoning_content": "hm "}), frame({"reasoning_content": "so"})]
    said = remembered([*frames, frame({"content": "yes"})]).said()
    assert said is not None
    assert (said.reasoning, said.text) == ("hm so", "yes")


@pytest.mark.parametrize(
    "delta",
    [
        {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{"}}]},
        {"refusal": "no"},
        {"annotations": [{"type": "url_citation"}]},
        {"images": [{"type": "image_url", "image_url": {"url": "data:,"}}]},
        {"reasoning_content": "too late"},
    ],
)
def test_what_is_more_than_words_is_not_gone_on_with(delta: dict[str, object]) -> None:
    frames = [frame({"content": "a"}), frame({"content": "b"})]
    assert remembered(frames).said() is not None
    assert remembered([*frames, frame(delta), frame({"content": "c"})]).said() is None


def kept(*events: Event) -> Memory:
    memory = Memory()
    memory.keep(list(events))
    return memory


@pytest.mark.parametrize(
    "make",
    [
        lambda: ToolCall(0, "{}", "c", "f"),
        lambda: Logprobs([]),
        lambda: Annotation({}),
        lambda: Text("b", 1),
    ],
)
def test_pieces_that_are_more_than_one_text_are_not_gone_on_with(make: Callable[[], Event]) -> None:
    assert kept(Text("a"), make()).said() is None


def test_pieces_of_translated_replies_are_remembered_too() -> None:
    said = kept(Reasoning("hm"), Text("a"), Text("b")).said()
    assert said is not None
    assert (said.reasoning, said.text) == ("hm", "ab")


def test_an_answer_is_finished_when_all_that_began_has_ended() -> None:
    end = Finish(0, "stop", None)
    assert kept(Text("a"), end).finished
    assert not kept(Text("a")).finished
    assert not kept(Text("a"), Text("b", 1), end).finished
    assert kept(Text("a"), end).said() is None


def test_an_answer_beyond_the_bound_is_given_up() -> None:
    assert kept(*(Text("a" * 2**18) for _ in range(4))).said() is not None
    assert kept(*(Text("a" * 2**18) for _ in range(6))).said() is None
    assert MOST == 2**20
