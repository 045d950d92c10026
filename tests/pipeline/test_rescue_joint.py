"""The joint of two attempts: text comes once, whole, whatever the cuts."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wall.asking import offer

from infway.kernel.begun import Prefill, Said
from infway.kernel.events import (
    Broken,
    Event,
    Finish,
    Held,
    Joint,
    Reasoning,
    Text,
    ToolCall,
    Usage,
)
from infway.kernel.faults import Failure, Fault
from infway.pipeline.rescue_joint import Joiner, Prefilled, Splice, behind, loops

END = Finish(0, "stop", "stop")
ANSWER = "Once upon a time there was a miller who had three sons, a mill, a donkey and a cat."
TRIMS = Prefill(trims=True)
LETTERS = st.text(alphabet="ab \n", max_size=12)


class Played:
    """A decoder that says these events, one for each feed, and then is done."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._left = list(events)

    @property
    def done(self) -> bool:
        return not self._left

    def feed(self, _: bytes) -> list[Event]:
        return [self._left.pop(0)]

    def close(self) -> list[Event]:
        self._left = []
        return [Broken(Failure(Fault.STREAM_CUT, 200))]


def joined(joiner: Joiner) -> list[Event]:
    events: list[Event] = []
    while not joiner.done:
        events += joiner.feed(b"x")
    return events


def splice(said: Said, *events: Event) -> list[Event]:
    return joined(Splice(Played(events), said, offer()))


def prefilled(said: Said, *events: Event, way: Prefill = TRIMS) -> list[Event]:
    return joined(Prefilled(Played(events), said, offer(prefill=way)))


def text(events: Iterable[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


def diverged(events: list[Event]) -> bool:
    last = events[-1]
    return isinstance(last, Broken) and last.failure.fault is Fault.DIVERGED


@given(st.integers(0, len(ANSWER)), st.lists(st.integers(0, len(ANSWER)), max_size=8))
def test_an_answer_that_is_said_again_goes_on_behind_the_cut(cut: int, at: list[int]) -> None:
    places = sorted({0, len(ANSWER), *at})
    pieces = [Text(ANSWER[a:b]) for a, b in pairwise(places)]
    events = splice(Said(ANSWER[:cut]), *pieces, END)
    assert text(events) == ANSWER[cut:]
    assert [type(event) for event in events].count(Joint) == 1
    assert events[-1] == END
    held = sum(event.chars for event in events if isinstance(event, Held))
    assert held == cut


@given(LETTERS, LETTERS)
def test_another_answer_is_never_spliced(said: str, again: str) -> None:
    events = splice(Said(said), *map(Text, again), END)
    if again.startswith(said):
        assert said + text(events) == again
    else:
        assert diverged(events)
        assert text(events) == ""


def test_an_answer_that_ends_before_all_was_said_again_is_no_answer() -> None:
    assert diverged(splice(Said("abc"), Text("ab"), END))


def test_a_tool_call_is_no_part_of_the_same_text() -> None:
    assert diverged(splice(Said("abc"), Text("ab"), ToolCall(0, "{}", "c1", "f")))


def test_reasoning_has_to_be_the_same_too() -> None:
    said = Said("abc", "why")
    same = splice(said, Reasoning("wh"), Reasoning("y"), Text("abcd"), END)
    assert text(same) == "d"
    assert not [event for event in same if isinstance(event, Reasoning)]
    assert diverged(splice(said, Reasoning("how"), Text("abcd"), END))
    assert diverged(splice(said, Reasoning("why?"), Text("abcd"), END))
    assert diverged(splice(said, Text("abcd"), END))


def test_reasoning_that_was_cut_goes_on() -> None:
    events = splice(Said("", "wh"), Reasoning("why"), Text("abc"), END)
    assert [e for e in events if isinstance(e, Reasoning)] == [Reasoning("y")]
    assert text(events) == "abc"


def test_reasoning_that_was_not_shown_at_first_is_not_shown_in_the_middle() -> None:
    events = splice(Said("ab"), Reasoning("hm"), Text("abc"), END)
    assert text(events) == "c"
    assert not [event for event in events if isinstance(event, Reasoning)]


def test_where_nothing_was_said_everything_is_passed_on() -> None:
    call = ToolCall(0, "{}", "c1", "f")
    assert splice(Said(), call, END)[1:] == [call, END]


def test_a_break_before_the_joint_is_told_and_passes_nothing() -> None:
    joiner = Splice(Played([Text("ab"), Text("c")]), Said("abcd"), offer())
    assert text(joiner.feed(b"x")) == ""
    (broken,) = joiner.close()
    assert isinstance(broken, Broken)


def test_a_beginning_that_is_not_repeated_is_gone_on_with() -> None:
    events = prefilled(Said(ANSWER[:40]), Text(ANSWER[40:50]), Text(ANSWER[50:]), END)
    assert text(events) == ANSWER[40:]
    assert isinstance(events[0], Joint)


@given(st.integers(33, len(ANSWER)), st.integers(1, 9))
def test_a_beginning_that_is_repeated_is_left_out(cut: int, size: int) -> None:
    pieces = [Text(ANSWER[i : i + size]) for i in range(0, len(ANSWER), size)]
    way = Prefill(repeats=True)
    assert text(prefilled(Said(ANSWER[:cut]), *pieces, END, way=way)) == ANSWER[cut:]


def test_a_beginning_that_nobody_repeats_may_come_twice_in_a_text() -> None:
    refrain = "Row, row, row your boat, gently down the stream."
    assert text(prefilled(Said(refrain), Text(refrain), END)) == refrain


@pytest.mark.parametrize(
    ("space", "goes_on", "left"),
    [
        (" ", " word", "word"),
        (" ", "word", "word"),
        ("\n", "\n\nword", "\nword"),
        ("\n\n", "\nword", "word"),
        ("", "  word", "  word"),
        (" ", "\nword", "\nword"),
        ("\n", "", ""),
    ],
)
def test_white_space_stands_at_the_joint_once(space: str, goes_on: str, left: str) -> None:
    assert behind(space, goes_on) == left


@given(st.integers(1, len(ANSWER)), st.integers(1, 5))
def test_white_space_that_could_not_be_sent_is_not_lost_and_not_doubled(
    cut: int, size: int
) -> None:
    sent = ANSWER[:cut].rstrip()
    if not sent:
        return
    rest = ANSWER[len(sent) :]
    pieces = [Text(rest[i : i + size]) for i in range(0, len(rest), size)]
    assert ANSWER[:cut] + text(prefilled(Said(ANSWER[:cut]), *pieces, END)) == ANSWER


def test_what_follows_the_text_is_passed_on_in_its_place() -> None:
    call, usage = ToolCall(0, "{}", "c1", "f"), Usage(1, 2, 3)
    events = prefilled(Said("It is "), Text(" "), call, usage, END)
    assert [type(event) for event in events] == [Held, Joint, ToolCall, Usage, Finish]


def test_thoughts_come_too_late_for_an_answer_that_has_begun() -> None:
    events = prefilled(Said("It is"), Reasoning("hm"), Text(" so"), END)
    assert not [event for event in events if isinstance(event, Reasoning)]
    assert text(events) == " so"


def test_a_text_that_says_its_beginning_again_proves_nothing() -> None:
    assert loops("Row, row, row your boat, gently down the stream. " * 2)
    assert loops("Row, row, row your boat, gently down the stream.\n")
    assert not loops(ANSWER)
