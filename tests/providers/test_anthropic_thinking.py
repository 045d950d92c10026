"""How much Claude thinks, model by model, and the thoughts that travel with a conversation."""

import pytest
from tests.providers.anthropic_asking import (
    ADAPTER,
    CLAUDE,
    ELDER,
    LOCKED,
    NEWER,
    blocks,
    body,
    lossy,
)
from tests.providers.asking import HELLO, answered, calling, tool

from infway.kernel.events import Detail
from infway.providers.anthropic.models import Sampling, generation_of

ADAPTIVE = {"type": "adaptive", "display": "summarized"}
SIGNED = {
    "type": "reasoning.text",
    "text": "Rain?",
    "signature": "s==",
    "format": "anthropic-claude-v1",
}
HIDDEN = {"type": "reasoning.encrypted", "data": "x==", "format": "anthropic-claude-v1"}


@pytest.mark.parametrize(
    ("level", "tokens"),
    [("minimal", 1024), ("low", 2000), ("medium", 5000), ("high", 8000), ("xhigh", 9500)],
)
def test_a_level_is_a_share_of_the_answer_where_tokens_are_counted(level: str, tokens: int):
    said = body(reasoning_effort=level, max_tokens=10_000)
    assert said["thinking"] == {"type": "enabled", "budget_tokens": tokens}
    assert said["max_tokens"] == 10_000


def test_a_budget_is_kept_between_the_least_and_the_limit():
    for asked, told in ((10, 1024), (3000, 3000), (9000, 3999)):
        said, dropped = lossy(reasoning={"max_tokens": asked}, max_tokens=4000)
        assert said["thinking"]["budget_tokens"] == told
        assert dropped == (() if asked == told else ("reasoning.max_tokens",))
    assert body(thinking={"type": "enabled", "budget_tokens": 2000})["thinking"] == {
        "type": "enabled",
        "budget_tokens": 2000,
    }


def test_an_answer_that_is_too_short_to_think_in_is_not_thought_about():
    assert lossy(reasoning_effort="high", max_tokens=1024)[1] == ("reasoning_effort",)
    assert lossy(reasoning_effort="high", native=ELDER)[1] == ("reasoning_effort",)
    assert lossy(reasoning_effort="much")[1] == ("reasoning_effort",)


@pytest.mark.parametrize(
    ("native", "level", "effort"),
    [
        ("claude-opus-4-6", "high", "high"),
        ("claude-opus-4-6", "xhigh", "max"),
        ("claude-sonnet-4-6", "minimal", "low"),
        ("claude-opus-4-7", "xhigh", "xhigh"),
        (NEWER, "max", "max"),
        (LOCKED, "medium", "medium"),
        ("us.anthropic.claude-fable-5-v1", "low", "low"),
    ],
)
def test_a_newer_model_is_told_an_effort(native: str, level: str, effort: str):
    said = body(reasoning_effort=level, native=native)
    assert said["thinking"] == ADAPTIVE
    assert said["output_config"] == {"effort": effort}


def test_a_wish_without_a_measure_leaves_it_to_the_model():
    said = body(reasoning={"enabled": True}, native=NEWER)
    assert said["thinking"] == ADAPTIVE
    assert "output_config" not in said
    said = body(reasoning={"enabled": True}, max_tokens=10_000)
    assert said["thinking"] == {"type": "enabled", "budget_tokens": 5000}


def test_a_budget_is_listed_where_none_can_be_said():
    said, dropped = lossy(reasoning={"max_tokens": 5000}, native=NEWER)
    assert said["thinking"] == ADAPTIVE
    assert dropped == ("reasoning.max_tokens",)
    said = body(reasoning={"max_tokens": 5000}, native="claude-sonnet-4-6")
    assert said["thinking"] == {"type": "enabled", "budget_tokens": 5000}


@pytest.mark.parametrize(
    ("native", "thinking"),
    [
        (CLAUDE, None),
        ("claude-opus-4-8", None),
        (NEWER, {"type": "disabled"}),
        ("claude-haiku-5-5", {"type": "disabled"}),
        ("claude-sonnet-5-5", {"type": "between_tools"}),
    ],
)
def test_no_thinking_is_said_only_where_silence_would_be_thought(native: str, thinking: object):
    assert body(reasoning_effort="none", native=native).get("thinking") == thinking


def test_a_model_that_always_thinks_thinks_little_instead_of_not_at_all():
    said, dropped = lossy(reasoning_effort="none", native=LOCKED)
    assert "thinking" not in said
    assert said["output_config"] == {"effort": "low"}
    assert dropped == ("reasoning_effort",)


def test_effort_and_form_stand_side_by_side():
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "string"}}}
    said = body(reasoning_effort="low", response_format=form, native=NEWER)
    assert said["output_config"].keys() == {"effort", "format"}


def test_thinking_samples_as_it_likes():
    said, dropped = lossy(reasoning_effort="low", temperature=0.2, top_k=3, top_p=0.5)
    assert not said.keys() & {"temperature", "top_k", "top_p"}
    assert dropped == ("temperature", "top_k", "top_p")
    said = body(reasoning_effort="low", temperature=1, top_p=0.97)
    assert said["top_p"] == 0.97
    assert "temperature" not in said


def test_every_generation_samples_in_its_own_way():
    three = {"temperature": 0.2, "top_p": 0.5, "top_k": 3}
    assert three.items() <= body(native=ELDER, **three).items()
    said, dropped = lossy(**three)
    assert (said["temperature"], said["top_k"], dropped) == (0.2, 3, ("top_p",))
    assert lossy(native=NEWER, **three)[1] == ("temperature", "top_k", "top_p")
    assert body(top_p=0.5)["top_p"] == 0.5


def test_openais_higher_temperatures_are_the_highest_there_is():
    said, dropped = lossy(temperature=1.7)
    assert (said["temperature"], dropped) == (1.0, ("temperature",))


def thinking(**said) -> dict:
    return {"reasoning_effort": "low", "tools": [tool()], **said}


def test_thoughts_go_back_before_what_they_led_to():
    found = blocks(HELLO, calling(reasoning_details=[SIGNED, HIDDEN]), answered(), **thinking())
    assert found[1][:2] == [
        {"type": "thinking", "thinking": "Rain?", "signature": "s=="},
        {"type": "redacted_thinking", "data": "x=="},
    ]
    assert found[1][2]["type"] == "tool_use"


def test_a_reply_can_be_sent_back_as_it_came():
    came = [
        {"type": "thinking", "thinking": "", "signature": "a=="},
        {"type": "redacted_thinking", "data": "b=="},
        {"type": "thinking", "thinking": "Hm. Ü", "signature": "c=="},
    ]
    raw = b'{"type":"message","stop_reason":"end_turn","content":%s}'
    events = ADAPTER.whole(raw % str(came).replace("'", '"').encode())
    details = [event.item for event in events if isinstance(event, Detail)]
    said = blocks(HELLO, calling(reasoning_details=details), answered(), **thinking())
    assert said[1][:3] == came


@pytest.mark.parametrize(
    "item",
    [
        {**SIGNED, "format": "google-gemini-v1"},
        {**SIGNED, "signature": None},
        {"type": "reasoning.summary", "summary": "s", "format": "openai-responses-v1"},
    ],
)
def test_thoughts_that_claude_would_not_believe_are_listed(item: dict):
    said, dropped = lossy(HELLO, calling(reasoning_details=[item]), answered(), tools=[tool()])
    assert [block["type"] for block in said["messages"][1]["content"]] == ["tool_use"]
    assert dropped == ("messages[1].reasoning_details",)


def test_a_model_without_thoughts_gets_none():
    talk = HELLO, calling(reasoning_details=[SIGNED]), answered()
    assert lossy(*talk, tools=[tool()], native=ELDER)[1] == ("messages[1].reasoning_details",)


def test_a_tool_loop_that_began_without_thoughts_goes_on_without():
    said, dropped = lossy(HELLO, calling(), answered(), **thinking())
    assert "thinking" not in said
    assert dropped == ("reasoning_effort",)
    talk = HELLO, calling(), answered()
    assert body(*talk, **thinking(native=NEWER))["thinking"] == ADAPTIVE


def test_a_tool_loop_that_began_with_thoughts_goes_on_with_them():
    first = calling("a", reasoning_details=[SIGNED])
    talk = HELLO, first, answered(id_="a"), calling("b"), answered(id_="b")
    assert body(*talk, **thinking())["thinking"]["type"] == "enabled"


def test_a_loop_that_is_over_hinders_nothing():
    talk = HELLO, calling(), answered(), {"role": "assistant", "content": "It rains."}, HELLO
    assert body(*talk, **thinking())["thinking"]["type"] == "enabled"


def test_a_demanded_tool_and_a_begun_answer_are_not_thought_about():
    assert lossy(**thinking(tool_choice="required"))[1] == ("reasoning_effort",)
    said = body(**thinking(tool_choice="required", native=NEWER))
    assert said["thinking"] == ADAPTIVE
    begun = HELLO, {"role": "assistant", "content": "It"}
    assert lossy(*begun, reasoning_effort="low")[1] == ("reasoning_effort",)


@pytest.mark.parametrize(
    ("native", "same"),
    [
        ("claude-opus-4-1@20250805", "claude-opus-4-1"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("claude-sonnet-4-20250514", "claude-sonnet-4-0"),
        ("claude-3-7-sonnet@20250219", "claude-3-7-sonnet-latest"),
        ("claude-opus-latest", "claude-opus-9-1"),
        ("claude-2.1", "claude-3-haiku-20240307"),
    ],
)
def test_a_model_is_known_under_each_of_its_names(native: str, same: str):
    assert generation_of(native) == generation_of(same)


def test_generations_differ_where_the_vendor_says_so():
    assert generation_of("claude-3-haiku").max_output == 4096
    assert not generation_of("claude-sonnet-4-0").schemas
    assert generation_of("claude-opus-4-1").sampling is Sampling.ONE
    assert generation_of("claude-fable-5").forced_tools
    assert not generation_of("claude-fable-5-1").forced_tools
    assert generation_of("claude-novel-7").sampling is Sampling.NONE
    assert generation_of("my-deployment").budget
