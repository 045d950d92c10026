"""Two speakers that take turns, made of four that speak as they like."""

import pytest
from tests.providers.conversing import HELLO, answered, called, calling, talk, unplaced

from infway.providers.conversation.parts import MediaPart, ResultPart, TextPart
from infway.providers.conversation.turns import instructions, turns

BOT = {"role": "assistant", "content": "b"}


def system(text: str, role: str = "system") -> dict:
    return {"role": role, "content": text}


def test_instructions_are_what_the_system_says_first():
    said = talk(system("a"), system("b", "developer"), HELLO, system("c"))
    assert [unplaced(one) for one in instructions(said)] == [TextPart("a"), TextPart("b")]
    assert said.dropped() == ()


def test_a_system_message_in_the_middle_is_said_by_the_user_and_listed():
    said = talk(system("a"), HELLO, system("c"), BOT, system("d"))
    assert [(turn.role, [unplaced(one) for one in turn.parts]) for turn in turns(said)] == [
        ("user", [TextPart("Hello"), TextPart("<system>c</system>")]),
        ("assistant", [TextPart("b")]),
        ("user", [TextPart("<system>d</system>")]),
    ]
    assert said.dropped() == ("messages[2].role", "messages[4].role")


@pytest.mark.parametrize("blank", [" ", "\n"])
def test_a_blank_text_of_the_system_gets_no_marks(blank: str):
    parts = [{"type": "text", "text": blank}, {"type": "text", "text": "c"}]
    (turn,) = turns(talk(HELLO, {"role": "system", "content": parts}))
    assert [unplaced(one) for one in turn.parts] == [
        TextPart("Hello"),
        TextPart(blank),
        TextPart("<system>c</system>"),
    ]


def test_speakers_alternate_and_results_belong_to_the_user():
    said = talk(
        HELLO,
        HELLO,
        calling(called("f", id_="c1"), called("f", id_="c2")),
        answered("1", tool_call_id="c1"),
        answered("2", tool_call_id="c2"),
        HELLO,
        BOT,
        BOT,
    )
    found = turns(said)
    assert [turn.role for turn in found] == ["user", "assistant", "user", "assistant"]
    assert [len(turn.parts) for turn in found] == [2, 2, 3, 2]
    assert [part.id for part in found[2].parts if isinstance(part, ResultPart)] == ["c1", "c2"]
    assert said.dropped() == ()


@pytest.mark.parametrize("named", [system("a"), HELLO, BOT])
def test_names_of_speakers_are_listed(named: dict):
    said = talk({**named, "name": "Ada"}, HELLO)
    turns(said)
    assert said.dropped() == ("messages[0].name",)


def test_what_is_empty_is_no_turn():
    said = talk(HELLO, {"role": "assistant", "content": ""}, {"role": "user", "content": []})
    assert [turn.role for turn in turns(said)] == ["user"]


def test_an_empty_message_does_not_part_what_one_speaker_says():
    said = talk(HELLO, {"role": "assistant", "content": ""}, HELLO)
    assert [(turn.role, len(turn.parts)) for turn in turns(said)] == [("user", 2)]


def test_an_image_of_the_system_is_kept_in_the_middle_and_listed_before():
    image = {
        "role": "system",
        "content": [{"type": "image_url", "image_url": {"url": "https://x/y"}}],
    }
    first = talk(image, HELLO)
    assert instructions(first) == []
    assert first.dropped() == ("messages[0].content",)
    later = talk(HELLO, image)
    (turn,) = turns(later)
    assert isinstance(turn.parts[1], MediaPart)
