"""Service tiers: the reply's word is paid, and no answer costs more than was set aside for it."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wall.asking import ask, offer, upstream

from infway.kernel.chat import Native, Offer
from infway.kernel.events import Chunk, Event, Facts, Usage
from infway.kernel.faults import Failure, Fault
from infway.kernel.prices import Prices, tier_of
from infway.pipeline.tiers import asked_of, may_serve, open_to, tier_named
from infway.pipeline.tried import Attempt
from infway.pipeline.worst import Bounds, worst_of
from infway.providers.anthropic.reply import whole_message
from infway.providers.bedrock.reply import read_tail
from infway.providers.openai.adapter import OpenAI
from infway.providers.openai.stream import Decoder

USUAL = Prices(input=10, output=100, cache_read=1)
PRICES = USUAL._replace(
    tiers=(
        ("priority", tier_of(USUAL, {0: {"input": 20, "output": 200, "cache_read": 2}})),
        ("flex", tier_of(USUAL, {0: {"input": 5, "output": 50}})),
        ("ultrafast", tier_of(USUAL, {0: {"input": 60, "output": 600}})),
    )
)
OFFER = offer(prices=PRICES, max_output=1000)
COUNTS = {"prompt_tokens": 8, "completion_tokens": 3, "total_tokens": 11}
COST = {"default": 8 * 10 + 300, "priority": 8 * 20 + 600, "flex": 8 * 5 + 150}
WORDS = ["default", "standard", "standard_only", "auto", "priority", "fast", "flex", "batch",
         "ultrafast", "scale", "on_demand", "on_demand_priority", "new-one", None]  # fmt: skip


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def asking(word: object, **said: object):
    one = ask(output_tokens=50, **said)
    return one if word is None else one._replace(fields={**one.fields, "service_tier": raw(word)})


def ended(
    events: list[Event], asked: object = None, where: Offer = OFFER, *, funded: bool = False
) -> Attempt:
    one = asking(asked)
    attempt = Attempt(where, 0.0, asked_of(one, where.upstream))
    attempt.funded = funded
    attempt.see(events)
    attempt.end(1.0, None, one)
    return attempt


def told(word: object) -> list[Event]:
    return [Facts({"service_tier": word}), Usage(8, 3, 11)]


def whole(**root: object) -> list[Event]:
    message = {"role": "assistant", "content": "Hi"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {"id": "1", "choices": [choice], "usage": COUNTS, **root}
    return OpenAI().whole(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("word", "tier"),
    [("default", "default"), ("priority", "priority"), ("flex", "flex"), ("fast", "priority"),
     ("unheard-of", "default")],
)  # fmt: skip
def test_the_tier_that_a_whole_reply_names_is_paid_whatever_was_asked_for(word: str, tier: str):
    for asked in (None, "auto", "priority", "flex"):
        assert ended(whole(service_tier=word), asked).cost.total == COST[tier]


def test_the_tier_that_a_stream_names_is_paid_also_where_only_its_last_chunk_does():
    for place in range(3):
        root: list[dict[str, object]] = [{}, {}, {}]
        root[place] = {"service_tier": "priority"}
        choice = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}
        end = {"index": 0, "delta": {}, "finish_reason": "stop"}
        said = [{"choices": [choice]}, {"choices": [end]}, {"choices": [], "usage": COUNTS}]
        frames = [b"data: " + json.dumps(one | more).encode() + b"\n\n"
                  for one, more in zip(said, root, strict=True)]  # fmt: skip
        events = Decoder().feed(b"".join(frames) + b"data: [DONE]\n\n")
        assert any(isinstance(event, Chunk) for event in events)
        assert ended(events).cost.total == COST["priority"], place


def test_where_a_reply_says_nothing_the_tier_that_was_asked_for_is_paid():
    silent: list[Event] = [Usage(8, 3, 11)]
    assert ended(silent, "priority").cost.total == COST["priority"]
    assert ended(silent, "flex").cost.total == COST["flex"]
    for nothing in (None, "", "auto"):
        assert ended(told(nothing), "priority").cost.total == COST["priority"]
        assert ended(silent, nothing).cost.total == COST["default"]
    assert ended(silent, "batch").cost.total == COST["default"]  # nobody waits for one


def test_a_tier_that_the_upstream_was_not_told_of_is_not_paid():
    one, attempt = asking("priority"), Attempt(OFFER, 0.0, "priority")
    attempt.dropped = ("service_tier",)
    attempt.see([Usage(8, 3, 11)])
    attempt.end(1.0, None, one)
    assert attempt.cost.total == COST["default"]


def test_anthropics_and_bedrocks_words_are_read():
    message = {"type": "message", "id": "1", "content": [{"type": "text", "text": "Hi"}],
               "stop_reason": "end_turn", "usage": {"input_tokens": 8, "output_tokens": 3,
                                                    "service_tier": "priority"}}  # fmt: skip
    assert ended(whole_message(message)).cost.total == COST["priority"]
    message["usage"] = {"input_tokens": 8, "output_tokens": 3, "service_tier": "standard"}
    assert ended(whole_message(message), "priority").cost.total == COST["default"]
    usage = {"inputTokens": 8, "outputTokens": 3, "totalTokens": 11}
    tail = read_tail({"serviceTier": {"type": "flex"}, "usage": usage})
    assert ended(tail).cost.total == COST["flex"]


def test_an_attempt_is_begun_and_interrupted_at_the_tier_that_was_asked_for():
    attempt = Attempt(OFFER, 0.0, "priority")
    assert attempt.prices == PRICES.of("priority")
    assert Attempt(OFFER, 0.0).prices == USUAL
    attempt.see([Usage(8, 3, 11)])
    one = asking("priority")._replace(fields={})  # as it is kept
    assert attempt.interrupted(1.0, one).cost.total == COST["priority"]
    attempt.see(told("flex"))
    assert attempt.interrupted(1.0, one).cost.total == COST["flex"]
    attempt.end(1.0, Failure(Fault.CLIENT_GONE), one)
    assert attempt.cost.total == COST["flex"]


def test_what_a_request_asks_for_is_read_in_every_dialect_and_after_it_the_operators_word():
    where, plain = upstream(defaults={"service_tier": "flex"}), upstream()
    assert asked_of(asking("priority"), where) == "priority"
    assert asked_of(asking(None), where) == "flex"
    assert asked_of(asking("auto"), where) is None
    assert asked_of(asking(None), upstream(defaults={"serviceTier": {"type": "flex"}})) == "flex"
    header = upstream(headers={"X-Vertex-AI-LLM-Shared-Request-Type": "priority"})
    assert asked_of(asking("default"), header) == "priority"
    for fields in ({"serviceTier": raw("PRIORITY")}, {"service_tier": raw("priority")}):
        assert asked_of(asking(None, native=Native("gemini", fields)), plain) == "priority"
    assert asked_of(asking(7), plain) is None
    assert tier_named(msgspec.Raw(b'"\\u0070riority"')) == "priority"
    assert tier_named(msgspec.Raw(b"{broken")) is None


def worst(word: object, where: Offer = OFFER) -> int:
    one = asking(word)
    return worst_of(one, Bounds(one), where, where.prices) or 0


def test_the_dearest_tier_that_a_request_allows_is_set_aside():
    usual = worst(None, offer(prices=USUAL, max_output=1000))
    longer = len(json.dumps("standard_only")) * 20  # more than the word adds to the prompt
    for cheap in ("default", "standard", "standard_only", "flex", "batch"):
        assert usual <= worst(cheap) <= usual + longer, cheap
    for dear in (None, "auto", "priority", "fast"):
        assert 2 * usual <= worst(dear) <= 2 * (usual + longer), dear
    for dearest in ("ultrafast", "unheard-of"):
        assert 6 * usual <= worst(dearest), dearest
    assert open_to(asking(None), upstream(), USUAL) == ()


def test_a_tier_that_was_not_set_aside_is_not_paid_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
):
    paid = ended(told("priority"), "default", funded=True)
    assert (paid.cost.total, paid.usage.estimated) == (COST["default"], True)
    assert caplog.records[0].getMessage().startswith("usage_anomaly: served at the tier 'priority'")
    dear = ended(told("ultrafast"), "priority", funded=True)
    assert dear.cost.total == COST["priority"]
    free = ended(told("priority"), "default")
    assert (free.cost.total, free.usage.estimated) == (COST["priority"], False)


@given(st.sampled_from(WORDS), st.sampled_from(WORDS), st.integers(0, 80), st.integers(0, 50),
       st.lists(st.none() | st.integers(0, 10**6), min_size=8, max_size=8))  # fmt: skip
def test_no_answer_at_any_tier_costs_more_than_was_set_aside(
    asked: str | None, word: str | None, prompt: int, completion: int, paid: list[int | None]
):
    usual = Prices(input=paid[0] or 0, output=paid[1] or 0, cache_read=paid[2])
    names = ("priority", "flex", "batch", "ultrafast", "new-one")
    tiers = tuple(
        (name, tier_of(usual, {0: {} if price is None else {"input": price, "output": price}}))
        for name, price in zip(names, paid[3:], strict=True)
    )
    where = offer(prices=usual._replace(tiers=tiers))
    events: list[Event] = [Facts({"service_tier": word}), Usage(prompt, completion, 9, cached=3)]
    attempt = ended(events, asked, where, funded=True)
    assert 0 <= attempt.cost.total <= worst(asked, where)


def test_who_asks_for_a_cheap_tier_is_never_served_at_a_dearer_one():
    assert [may_serve("priority", one) for one in ("default", "flex", "batch")] == [False] * 3
    assert [may_serve("flex", one) for one in ("default", "batch")] == [False] * 2
    assert may_serve("flex", "priority")
