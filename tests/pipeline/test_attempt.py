"""The fault matrix against the wall: attempts made, faults recorded, what the caller is told."""

import asyncio
from dataclasses import replace

import pytest
from tests.pipeline.conftest import Start
from tests.wall import ANSWER, TEXT_OF, Wall, closed_port
from tests.wall.asking import CALM, QUICK, ask, offer, upstream

from infway.kernel.chat import Offer, Prices
from infway.kernel.faults import CONSEQUENCES, Bill, Fault
from infway.pipeline.itinerary import Persistence

CHEAP, DEAR = Prices(1, 1), Prices(10**9, 10**9)
BEGUN = replace(QUICK, first_token=CALM.first_token)
# Time is short only where it runs out: a busy machine takes some for all else
LATE = {
    **dict.fromkeys(("hang", "trickle", "silent", "pings"), QUICK),
    **dict.fromkeys(("stall@20", "pings@20"), BEGUN),
}


def pair(up: Wall, script: str, second: str = "ok") -> tuple[Offer, Offer]:
    """The cheap offer that plays `script`, and a dear one behind it."""
    limits = LATE.get(script.partition("~")[0], CALM)
    first = upstream("bad", up.base_url, timeouts=limits)
    other = upstream("good", up.base_url)
    return offer(script, first, prices=CHEAP), offer(second, other, prices=DEAR)


# row of the matrix, script, fault that is recorded, streams it is played in
BEFORE = [
    (6, "hang", Fault.TTFT_TIMEOUT, (True, False)),
    (7, "trickle", Fault.HEADER_TIMEOUT, (True, False)),
    (9, "reset", Fault.RESET_BEFORE_HEADERS, (True, False)),
    (9, "fin", Fault.RESET_BEFORE_HEADERS, (True, False)),
    (10, "silent", Fault.TTFT_TIMEOUT, (True,)),
    (10, "pings", Fault.TTFT_TIMEOUT, (True,)),
    (11, "error-first@429", Fault.RATE_LIMITED, (True,)),
    (11, "error-first@503", Fault.HTTP_5XX, (True,)),
    (11, "error-first", Fault.INBAND_ERROR, (True,)),
    (12, "empty", Fault.EMPTY_STREAM, (True,)),
    (12, "done-only", Fault.EMPTY_STREAM, (True,)),
    (13, "truncated", Fault.TRUNCATED_BODY, (False,)),
    (13, "chunk-cut", Fault.TRUNCATED_BODY, (False,)),
    (14, "bad-json", Fault.INVALID_JSON, (True, False)),
    (14, "nan", Fault.INVALID_JSON, (True, False)),
    (14, "not-utf8", Fault.INVALID_JSON, (True, False)),
    (15, "html", Fault.WRONG_CONTENT_TYPE, (True, False)),
    (16, "empty-choices", Fault.EMPTY_CHOICES, (True, False)),
    (16, "no-message", Fault.EMPTY_CHOICES, (True, False)),
    (17, "error-body@429", Fault.RATE_LIMITED, (True, False)),
    (17, "error-body@500", Fault.HTTP_500, (True, False)),
    (17, "error-body~code=insufficient_quota", Fault.PROVIDER_QUOTA, (True, False)),
    (18, "reversed@20", Fault.PROTOCOL_MISMATCH, (False,)),
    (19, "brotli", Fault.BAD_ENCODING, (False,)),
    (20, "huge-header", Fault.TOO_LARGE, (True, False)),
    (21, "status@429~retry-after=2", Fault.RATE_LIMITED, (True, False)),
    (22, "status@429~retry-after=soon", Fault.RATE_LIMITED, (True,)),
    (23, "status@429", Fault.RATE_LIMITED, (True, False)),
    (24, "status@429~code=insufficient_quota", Fault.PROVIDER_QUOTA, (True,)),
    (25, "status@500", Fault.HTTP_500, (True, False)),
    (26, "status@502~body=html", Fault.HTTP_5XX, (True,)),
    (26, "status@503", Fault.HTTP_5XX, (True, False)),
    (26, "status@504~body=none", Fault.HTTP_5XX, (True,)),
    (27, "status@529", Fault.OVERLOADED, (True,)),
    (28, "status@408", Fault.RETRYABLE_4XX, (True,)),
    (29, "status@401", Fault.PROVIDER_AUTH, (True, False)),
    (29, "status@403", Fault.PROVIDER_AUTH, (True,)),
    (30, "status@402", Fault.PROVIDER_QUOTA, (True,)),
    (31, "status@404", Fault.MODEL_MISSING, (True,)),
    (36, "redirect", Fault.REDIRECT, (True, False)),
    (41, "bad-event@0", Fault.INVALID_JSON, (True,)),
    (53, "huge-event", Fault.TOO_LARGE, (True,)),
]
ABSORBED = [
    pytest.param(script, fault, stream, id=f"{row}-{script}-{'stream' if stream else 'whole'}")
    for row, script, fault, streams in BEFORE
    for stream in streams
]


@pytest.mark.parametrize(("script", "fault", "stream"), ABSORBED)
async def test_a_fault_before_the_first_byte_is_never_seen_while_another_offer_works(
    line: Start, up: Wall, script: str, fault: Fault, stream: bool
):
    if script == "bad-event@0":
        script = "bad-utf8@0"
    running = await line(*pair(up, script))
    told = await running.tell(ask(stream=stream))
    assert told.error is None
    if script == "bad-utf8@0":  # the role alone came before it
        assert (await running.outcomes())[-1] == "ok" or told.fault is Fault.BAD_EVENT
        return
    assert told.text == ANSWER
    assert await running.outcomes() == [fault.value, "ok"]
    assert [attempt.fault for attempt in up.attempts] == [
        script.partition("@")[0].partition("~")[0],
        "ok",
    ]
    *_, bad, good = await running.rows()
    assert bad.completion_tokens == 0
    assert bad.prompt_tokens == (25 if CONSEQUENCES[fault].bill is Bill.PROMPT else 0)
    assert bad.estimated == (CONSEQUENCES[fault].bill is not Bill.NOTHING)
    assert (good.prompt_tokens, good.completion_tokens) == (25, 60)


@pytest.mark.parametrize(("script", "fault", "stream"), ABSORBED)
async def test_a_fault_of_the_only_offer_is_told_by_the_table(
    line: Start, up: Wall, script: str, fault: Fault, stream: bool
):
    if script == "bad-event@0":
        return
    running = await line(
        pair(up, script)[0], persistence=Persistence(backoff_base=0.0, lone_patience=0.0)
    )
    told = await running.tell(ask(stream=stream))
    consequence = CONSEQUENCES[fault]
    assert told.error is not None
    assert (told.error.status, told.error.code) == (consequence.status, consequence.code)
    assert told.error.retryable is (None if script.endswith("retry-after=2") else False)
    outcomes = await running.outcomes()
    assert set(outcomes) == {fault.value}
    assert len(outcomes) == len(up.attempts)
    assert len(outcomes) <= (3 if fault is Fault.RATE_LIMITED else 2 if consequence.again else 1)
    request = (await running.rows())[0]
    assert (request.outcome, request.status) == (fault.value, consequence.status)
    paid = 25 * len(outcomes) if consequence.bill is Bill.PROMPT else 0
    assert (request.prompt_tokens, request.completion_tokens, request.cost) == (paid, 0, paid)


async def test_a_refused_connection_falls_back(line: Start, up: Wall):
    gone = upstream("gone", f"http://127.0.0.1:{closed_port()}/v1")
    running = await line(offer("ok", gone, prices=CHEAP), pair(up, "ok")[1])
    assert (await running.tell(ask())).text == ANSWER
    assert await running.outcomes() == ["connect_refused", "ok"]


async def test_a_dead_kept_alive_connection_costs_no_attempt(line: Start, up: Wall):
    running = await line(pair(up, "stale")[0])
    for number in range(2):
        assert (await running.tell(ask(id=f"r-{number}"))).text == ANSWER
    assert await running.outcomes() == ["ok", "ok"]
    assert len(up.attempts) == 3


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("status@400~code=context_length_exceeded", Fault.CONTEXT_LENGTH),
        ("status@400~code=content_filter", Fault.CONTENT_FILTER),
        ("status@400", Fault.UPSTREAM_4XX),
        ("status@422", Fault.UPSTREAM_4XX),
        ("status@413", Fault.PAYLOAD_TOO_LARGE),
        ("error-body~code=context_length_exceeded", Fault.CONTEXT_LENGTH),
        ("error-first~code=content_filter", Fault.CONTENT_FILTER),
    ],
)
async def test_the_callers_mistake_is_told_and_tried_nowhere_else(
    line: Start, up: Wall, script: str, fault: Fault
):
    running = await line(*pair(up, script + "~message=You are wrong."))
    told = await running.tell(ask())
    assert told.error is not None
    assert (told.error.status, told.error.message) == (CONSEQUENCES[fault].status, "You are wrong.")
    assert await running.outcomes() == [fault.value]
    assert len(up.attempts) == 1


async def test_a_truncated_error_body_is_named_by_its_status(line: Start):
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 401 No\r\ncontent-length: 999\r\n\r\n{")
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    running = await line(offer("ok", upstream("u", f"http://127.0.0.1:{port}/v1")))
    await running.tell(ask())
    assert await running.outcomes() == ["provider_auth"]
    server.close()


# --- after the first byte


@pytest.mark.parametrize(
    ("script", "fault", "words"),
    [
        ("stall@20", Fault.STREAM_STALL, 20),
        ("pings@20", Fault.STREAM_STALL, 20),
        ("cut@20", Fault.STREAM_CUT, 20),
        ("break@20", Fault.STREAM_CUT, 20),
        ("close@20", Fault.STREAM_CUT, 20),
        ("half@20", Fault.STREAM_CUT, 20),
        ("done-early@20", Fault.STREAM_CUT, 20),
        ("bad-utf8@20", Fault.BAD_EVENT, 20),
        ("error@503", Fault.HTTP_5XX, 10),
        ("error@429", Fault.RATE_LIMITED, 10),
    ],
)
async def test_a_stream_that_breaks_ends_with_its_fault_and_never_looks_whole(
    line: Start, up: Wall, script: str, fault: Fault, words: int
):
    script += "~pause=1"
    running = await line(pair(up, script)[0], persistence=Persistence(rescue=False))
    told = await running.tell(ask())
    assert told.fault is fault
    assert told.text == TEXT_OF[words]
    request, attempt = await running.rows()
    assert (request.outcome, attempt.outcome) == (fault.value, fault.value)
    assert attempt.estimated == 1
    assert words <= attempt.completion_tokens <= 3 * words
    assert attempt.prompt_tokens == 25
    assert request.cost == attempt.cost > 0
    if not script.startswith(("close", "half")):  # those end their body cleanly
        await asyncio.wait_for(up.attempts[0].closed.wait(), 4)


@pytest.mark.parametrize(
    ("script", "estimated"),
    [
        ("ok", 0), ("no-done", 0), ("twice-done", 0), ("after-done", 0), ("ok~usage=no", 1),
        ("ok~cut=1", 0), ("ok~cut=7", 0), ("ok~end=crlf", 0), ("ok~end=cr~cut=3", 0),
        ("early-hints", 0), ("ok~pause=1", 0),
    ],
)  # fmt: skip
async def test_what_only_looks_odd_is_a_whole_answer(
    line: Start, up: Wall, script: str, estimated: int
):
    running = await line(offer(script, upstream("u", up.base_url)))
    told = await running.tell(ask())
    assert (told.text, told.fault, told.error) == (ANSWER, None, None)
    request, attempt = await running.rows()
    assert (request.outcome, request.status, attempt.estimated) == ("ok", 200, estimated)
    if not estimated:
        assert (attempt.prompt_tokens, attempt.completion_tokens) == (25, 60)


async def test_the_last_usage_counts(line: Start, up: Wall):
    running = await line(offer("usage-twice", upstream("u", up.base_url)))
    await running.tell(ask())
    assert (await running.rows())[0].completion_tokens == 61


async def test_a_whole_reply_without_usage_is_estimated_by_its_length(line: Start, up: Wall):
    running = await line(offer("ok~usage=no", upstream("u", up.base_url)))
    assert (await running.tell(ask(stream=False))).text == ANSWER
    row = (await running.rows())[0]
    assert row.estimated == 1
    assert 60 <= row.completion_tokens <= 200
