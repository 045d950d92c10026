"""Rows 38 to 54: after an answer has begun it is finished, or it ends with an error."""

import asyncio
from collections.abc import Iterator, Mapping

from tests.api.caller import KEY
from tests.wall import ANSWER, LETTERS, TEXT_OF
from tests.wall.matrix.case import Case, scripted
from tests.wall.matrix.play import charged, streamed_text
from tests.wall.matrix.stage import Stage

OFF = {"attempts": {"rescue": False}}
TRICKLE = "ok~pause=30"  # 33 words a second
LIMITED = {"rests": {"one": 1.0}, "ceilings": ("one",)}


def broken(
    row: int, script: str, fault: str, code: str, words: int = 20, **more: object
) -> Iterator[Case]:
    """A break with another offer behind it, which finishes the answer; and one that is told.

    `words`: that were said before it.
    """
    failed = f"one:{fault}"
    yield Case(
        row,
        (f"{script}~pause=1", "ok"),
        attempts=(failed, "two:ok"),
        billed=("estimated", "tokens"),
        stream=True,
        **more,  # type: ignore[arg-type]
    )
    yield Case(
        row,
        (f"{script}~pause=1", "ok"),
        attempts=(failed,),
        billed=("estimated",),
        broken=code,
        text=TEXT_OF[words],
        stream=True,
        settings=OFF,
        seen=(1, 0),
        **more,  # type: ignore[arg-type]
    )


def unharmed(row: int, script: str, billed: str = "tokens", **more: object) -> Iterator[Case]:
    """What looks strange and harms nothing."""
    yield Case(row, (script,), attempts=("one:ok",), billed=(billed,), stream=True, **more)  # type: ignore[arg-type]


CASES = [
    *broken(38, "stall@20", "stream_stall", "upstream_stalled"),
    *broken(38, "pings@20", "stream_stall", "upstream_stalled"),
    *broken(39, "cut@20", "stream_cut", "upstream_disconnected"),
    *broken(39, "break@20", "stream_cut", "upstream_disconnected"),
    *broken(40, "half@20", "stream_cut", "upstream_disconnected"),
    *broken(41, "bad-event@20", "bad_event", "upstream_bad_response"),
    *broken(41, "bad-like-others", "bad_event", "upstream_bad_response"),
    *broken(42, "error@503", "http_5xx", "upstream_error", 10),
    *broken(42, "error@429", "rate_limited", "upstream_rate_limited", 10, **LIMITED),
    *broken(44, "close@20", "stream_cut", "upstream_disconnected"),
    *broken(44, "done-early@20", "stream_cut", "upstream_disconnected"),
    *broken(50, "bad-utf8@20", "bad_event", "upstream_bad_response"),
    *unharmed(43, "no-done"),
    *unharmed(43, "no-done~usage=no", "estimated"),
    *unharmed(45, "twice-done"),
    *unharmed(45, "after-done"),
    *unharmed(46, "ok"),
    *unharmed(46, "usage-growing"),
    *unharmed(46, "ok~usage=no", "estimated"),
    *unharmed(47, "ok~end=crlf"),
    *unharmed(47, "ok~end=cr"),
    *unharmed(47, "ok~end=crlf~cut=1"),
    *unharmed(47, "mixed-ends~cut=3"),
    *unharmed(48, "bom", text=ANSWER + "\ufeff"),
    *unharmed(49, "several-lines"),
    *unharmed(50, "letters~cut=1", text=LETTERS),
    *unharmed(51, "letters", text=LETTERS),
    *unharmed(52, "strange-fields"),
    *unharmed(52, "strange-fields~cut=5"),
    *unharmed(53, "tiny", text="." * 10_000),
    *unharmed(53, "ok~cut=1"),
    Case(
        53,
        ("huge-event", "ok"),
        attempts=("one:too_large", "two:ok"),
        stream=True,
        billed=("estimated", "tokens"),
    ),
]


@scripted(39)
async def one_that_goes_on_is_asked_for_the_rest_alone(stage: Stage) -> None:
    await stage.open("cut@20~pause=1", "goes-on", model={"capabilities": ["prefill"]})
    heard = await stage.ask(stream=True, max_tokens=100)
    assert streamed_text(heard) == ANSWER
    asked = stage.walls["two"].attempts[0].json
    assert asked["messages"][-1] == {"role": "assistant", "content": TEXT_OF[20]}
    assert asked["max_tokens"] < 100
    request, (first, second) = await stage.rows()
    assert (first.outcome, first.rescue, second.outcome, second.rescue) == (
        ("stream_cut", "", "ok", "prefill")
    )
    assert (request.outcome, request.rescue, request.upstream) == ("ok", "prefill", "two")


@scripted(39)
async def one_that_says_all_of_it_again_is_heard_from_the_cut_on(stage: Stage) -> None:
    await stage.open("cut@20~pause=1", "ok", model={"capabilities": ["prefill"]})
    assert streamed_text(await stage.ask(stream=True)) == ANSWER


@scripted(39)
async def one_that_will_not_go_on_is_asked_once_more(stage: Stage) -> None:
    await stage.open("cut@20~pause=1", "refuses", model={"capabilities": ["prefill"]})
    assert streamed_text(await stage.ask(stream=True)) == ANSWER
    _, attempts = await stage.rows()
    told = [(row.outcome, row.rescue) for row in attempts]
    assert told == [("stream_cut", ""), ("prefill_refused", "prefill"), ("ok", "splice")]


@scripted(39)
async def a_rescue_that_breaks_off_is_rescued_too(stage: Stage) -> None:
    scripts = ("cut@20~pause=1", "goes-on@5", "goes-on")
    await stage.open(*scripts, model={"capabilities": ["prefill"]})
    assert streamed_text(await stage.ask(stream=True)) == ANSWER
    _, attempts = await stage.rows()
    assert [row.outcome for row in attempts] == ["stream_cut", "stream_cut", "ok"]


@scripted(44)
async def a_lone_offer_is_asked_once_more(stage: Stage) -> None:
    await stage.open("close@20~pause=1|ok")
    assert streamed_text(await stage.ask(stream=True)) == ANSWER


@scripted(38)
async def a_lone_silent_offer_is_not(stage: Stage) -> None:
    await stage.open("stall@20~pause=1|ok")
    heard = await stage.ask(stream=True)
    assert streamed_text(heard) == TEXT_OF[20]
    assert heard.chunks[-1]["error"]["code"] == "upstream_stalled"


@scripted(38)
async def one_that_trickles_is_as_good_as_silent(stage: Stage) -> None:
    await stage.open(TRICKLE, "ok", limits={"idle": 0.1, "slowest": 100})
    assert streamed_text(await stage.ask(stream=True)) == ANSWER
    request, (first, second) = await stage.rows()
    assert (first.outcome, second.outcome, second.rescue) == ("stream_stall", "ok", "splice")
    assert 0 < first.completion_tokens < 30
    assert (request.outcome, request.upstream) == ("ok", "two")
    assert stage.slot("one").breaker.streak == 1.0
    await asyncio.wait_for(stage.walls["one"].attempts[0].closed.wait(), 5)


@scripted(38)
async def a_lone_one_that_trickles_ends_with_an_error(stage: Stage) -> None:
    await stage.open(TRICKLE, limits={"idle": 0.1, "slowest": 100})
    heard = await stage.ask(stream=True)
    assert ANSWER.startswith(streamed_text(heard))
    assert heard.chunks[-1]["error"]["code"] == "upstream_stalled"
    assert heard.frames[-1] == b"data: [DONE]"


@scripted(38)
async def one_that_is_slow_but_of_use_is_read_to_its_end(stage: Stage) -> None:
    await stage.open("ok~pause=10", "ok", limits={"idle": 0.1, "slowest": 5})
    assert streamed_text(await stage.ask(stream=True)) == ANSWER
    assert stage.played("two") == 0


@scripted(39)
async def another_answer_is_no_end_of_this_one(stage: Stage) -> None:
    await stage.open("cut@20~pause=1", "other", "ok")
    assert streamed_text(await stage.ask(stream=True)) == ANSWER
    _, attempts = await stage.rows()
    assert [row.outcome for row in attempts] == ["stream_cut", "diverged", "ok"]


@scripted(39)
async def where_nobody_says_the_same_the_break_is_told(stage: Stage) -> None:
    await stage.open("cut@20~pause=1", "other")
    heard = await stage.ask(stream=True)
    assert streamed_text(heard) == TEXT_OF[20]
    assert heard.chunks[-1]["error"]["code"] == "upstream_disconnected"
    assert heard.frames[-1] == b"data: [DONE]"
    request, _ = await stage.rows()
    assert request.outcome == "stream_cut"


@scripted(39)
async def a_tool_call_in_flight_is_not_gone_on_with(stage: Stage) -> None:
    await stage.open("call", "ok")
    heard = await stage.ask(stream=True)
    assert heard.chunks[-1]["error"]["code"] == "upstream_disconnected"
    assert stage.played("two") == 0


def _forbidden(who: str, said: Mapping[str, object], **settings: object) -> None:
    """A request, its key or the configuration forbids the rescue of what would be rescued."""

    @scripted(38, 39, 44)
    async def play(stage: Stage) -> None:
        await stage.open("cut@20~pause=1", "ok", **settings)
        heard = await stage.ask(stream=True, provider={"order": ["one", "two"], **said})
        assert streamed_text(heard) == TEXT_OF[20]
        assert heard.chunks[-1]["error"]["code"] == "upstream_disconnected"
        assert stage.played("two") == 0
        whole = await stage.ask(provider={"order": ["two", "one"], **said})
        assert whole.status == 200

    play.__name__ = f"{who}_forbids_it"


_forbidden("a_request", {"rescue": False})
_forbidden("a_key", {}, keys=[{"name": "k", "key": KEY, "rescue": False}])
_forbidden("the_configuration", {}, **OFF)
_forbidden(
    "a_key_whatever_is_asked", {"rescue": True}, keys=[{"name": "k", "key": KEY, "rescue": False}]
)
_forbidden("the_configuration_whatever_is_asked", {"rescue": True}, **OFF)


@scripted(39)
async def another_key_does_not_mind(stage: Stage) -> None:
    keys = [
        {"name": "k", "key": KEY, "rescue": True},
        {"name": "o", "key": "o" * 20, "rescue": False},
    ]
    await stage.open("cut@20~pause=1", "ok", keys=keys)
    assert streamed_text(await stage.ask(stream=True)) == ANSWER


@scripted(13)
async def a_whole_reply_that_is_cut_is_carried_over_and_nobody_sees_it(stage: Stage) -> None:
    await stage.open("truncated", "ok")
    heard = await stage.ask()
    assert heard.json["choices"][0]["message"]["content"] == ANSWER
    _, attempts = await stage.rows()
    assert [row.outcome for row in attempts] == ["truncated_body", "ok"]


@scripted(46)
async def the_usage_of_a_rescued_answer_is_what_its_caller_got(stage: Stage) -> None:
    await stage.open("cut@20~pause=1", "ok")
    heard = await stage.ask(stream=True, stream_options={"include_usage": True})
    last = heard.chunks[-1]
    assert last["usage"]["completion_tokens"] == 60
    assert last["x_rescue"] == {
        "tactic": "splice",
        "fault": "stream_cut",
        "from": {"provider": "one", "model": "m1"},
        "to": {"provider": "two", "model": "m1"},
    }
    request, attempts = await stage.rows()
    assert request.completion_tokens == sum(row.completion_tokens for row in attempts)
    assert request.cost == charged(attempts) == attempts[1].cost


@scripted(54)
async def a_stream_without_end_is_ended_at_the_cap(stage: Stage) -> None:
    await stage.open("endless", "ok")
    heard = await stage.ask(stream=True, max_tokens=4)
    assert heard.chunks[-1]["error"]["code"] == "upstream_overran"
    assert heard.frames[-1] == b"data: [DONE]"
    request, (one,) = await stage.rows()
    assert (request.outcome, one.outcome) == ("stream_cap", "stream_cap")
    assert one.estimated
    assert one.completion_tokens > 4 * 1.2 + 64
    assert stage.played("two") == 0
    await asyncio.wait_for(stage.walls["one"].attempts[0].closed.wait(), 5)


@scripted(54)
async def a_stream_without_end_is_ended_in_time(stage: Stage) -> None:
    await stage.open("endless", "ok", limits={"total": 1.0})
    heard = await stage.ask(stream=True)
    assert heard.chunks[-1]["error"]["code"] == "upstream_timeout"
    assert stage.played("two") == 0
    await asyncio.wait_for(stage.walls["one"].attempts[0].closed.wait(), 5)
