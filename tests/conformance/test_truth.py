"""The readers of the truth read small replies as a person does, and see every difference."""

from dataclasses import replace

import pytest
from tests.conformance.kinds import KINDS
from tests.conformance.said import COUNTS, JOINT, Call, Choice, Failing, Said, Spent, differences
from tests.conformance.small import SMALL, Small, recordings
from tests.conformance.small_gemini import BLOCKED
from tests.conformance.small_words import TEXT


def named(smalls: tuple[Small, ...] = SMALL) -> list:
    return [pytest.param(small, id=small.dialect) for small in smalls]


def test_every_dialect_has_small_replies():
    chats = {name for name, kind in KINDS.items() if kind.mode == "chat"}
    assert {small.dialect for small in SMALL} == chats


@pytest.mark.parametrize("small", named())
@pytest.mark.parametrize("name", ["whole", "stream"])
def test_a_reader_reads_what_is_there(small: Small, name: str):
    said = KINDS[small.dialect].truth(recordings(small)[name])
    assert said.choices[0].reasoning.strip(JOINT) == small.said().choices[0].reasoning
    assert differences(said, _with_ids(small.said())) == []
    assert said.usage == small.usage
    assert said.choices[0].kept == small.kept


def _with_ids(said: Said) -> Said:
    """Where the vendor gave no id the gateway makes one; cost is what it makes of usage."""
    call = said.choices[0].calls[0]
    call.id = call.id or "made"
    assert said.usage is not None
    return replace(said, cost=said.usage.cost)


@pytest.mark.parametrize("small", named())
def test_a_reader_takes_no_cut_stream_for_a_whole_one(small: Small):
    said = KINDS[small.dialect].truth(recordings(small)["cut"])
    assert said.failing is not None
    assert TEXT.startswith(said.choices[0].text)
    assert said.choices[0].text


@pytest.mark.parametrize("small", named())
def test_an_error_is_what_the_vendor_calls_it(small: Small):
    said = KINDS[small.dialect].truth(recordings(small)["error"])
    expected, got = small.failing, said.failing
    assert got is not None
    assert (got.status, got.code) == (expected.status, expected.code)


def test_a_blocked_prompt_is_a_refusal_of_the_request():
    small = next(small for small in SMALL if small.dialect == "gemini")
    said = KINDS["gemini"].truth(recordings(replace(small, whole=BLOCKED))["whole"])
    assert said.failing == Failing(400, "content_policy_violation")


WHOLE = Choice(
    text="one two",
    reasoning=f"a{JOINT}b",
    refusal="no",
    calls=[Call("f", "id", '{"a": 1}')],
    finish="stop",
    native="end",
    cited={frozenset({"https://a.example", "a quotation"})},
    kept={"sig"},
    tokens=["one", " two"],
    images=1,
    audio="UklG",
)
USAGE = Spent(prompt=10, completion=5, total=15, cached=2, written=1, reasoning=3)
HEARD = replace(WHOLE, reasoning="a\n\nb", cited={frozenset({"a quotation", "title"})})


def said(choice: Choice, usage: Spent = USAGE) -> Said:
    return Said({0: choice}, usage, cost=USAGE.cost)


def test_a_reply_that_says_the_same_differs_in_nothing():
    assert differences(said(WHOLE), said(HEARD)) == []


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"text": "one  two"}, "text"),
        ({"reasoning": "ab c"}, "reasoning"),
        ({"refusal": ""}, "refusal"),
        ({"finish": "length"}, "finish"),
        ({"native": None}, "native"),
        ({"cited": set()}, "citations"),
        ({"kept": {"other"}}, "signatures"),
        ({"tokens": ["one two"]}, "tokens"),
        ({"images": 0}, "images"),
        ({"audio": ""}, "audio"),
        ({"calls": []}, "tool calls"),
        ({"calls": [Call("g", "id", '{"a": 1}')]}, "call 0 name"),
        ({"calls": [Call("f", "other", '{"a": 1}')]}, "call 0 id"),
        ({"calls": [Call("f", "id", '{"a": "1"}')]}, "call 0 arguments"),
        ({"calls": [Call("f", "id", '{"a": 1')]}, "call 0 arguments"),
    ],
)
def test_whatever_is_lost_or_changed_is_seen(wrong: dict, line: str):
    found = differences(said(WHOLE), said(replace(HEARD, **wrong)))
    assert found
    assert all(one.startswith(f"choice 0 {line}") for one in found)


def test_a_choice_too_many_is_seen():
    assert differences(said(WHOLE), Said({0: HEARD, 1: HEARD}, USAGE, cost=USAGE.cost))


@pytest.mark.parametrize("name", COUNTS)
def test_every_count_is_compared(name: str):
    wrong = replace(USAGE, **{name: getattr(USAGE, name) + 1})
    found = differences(said(WHOLE), said(HEARD, wrong))
    assert [one.split(":")[0] for one in found] == [f"usage {name}"]


def test_a_cost_that_counts_cached_tokens_twice_is_seen():
    plain = Spent(prompt=10, completion=5, total=15)
    assert differences(said(WHOLE), Said({0: HEARD}, USAGE, cost=plain.cost))


@pytest.mark.parametrize(
    "heard",
    [None, Failing(400, "a", "not"), Failing(502, "b", "not"), Failing(502, "a", "well")],
)
def test_an_error_of_another_kind_is_seen(heard: Failing | None):
    true = Said(failing=Failing(502, "a", "not"))
    assert differences(true, Said(failing=heard))
    assert differences(true, Said(failing=Failing(502, "a", "It is not."))) == []


def test_a_stream_that_breaks_off_must_have_said_what_came():
    true = Said({0: Choice(text="one")}, failing=Failing())
    assert differences(true, Said({0: Choice(text="one")}, failing=Failing(502, "x"))) == []
    assert differences(true, Said({0: Choice(text="on")}, failing=Failing(502, "x")))
    assert differences(true, Said({}, failing=Failing(502, "x", is_instead=True))) == []
