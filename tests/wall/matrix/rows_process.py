"""Rows 59 to 81: the stores, the process itself, its clock, and what becomes of upstreams that all fail."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle

import pytest
from openai import AsyncOpenAI, InternalServerError
from tests.api.caller import KEY, refused
from tests.wall.matrix.case import scripted
from tests.wall.matrix.stage import Stage

from infway.app import Parts
from infway.kernel.clock import Clock

_STOP = "tests/process/test_stopping.py::"
_RELIEF = "tests/process/test_relief.py::"
_WATCH = "tests/process/test_watchdog.py::"
_LIFE = "tests/e2e/test_lifetime.py::"
_WORK = "tests/e2e/test_workers.py::"

_METER = "tests/state/test_meter_redis.py::"
_REPLICAS = "tests/limits/test_limits_of_replicas.py::"
_TWICE = "tests/api/test_repeats.py::"
_SILENT = "tests/api/test_repeats_silent.py::"
_KEPT = "tests/api/test_remembered.py::"
_AWAY = "tests/process/test_ledger_away.py::"
_FULL = "tests/pipeline/test_full_disk.py::"

ELSEWHERE = {
    59: (
        f"{_METER}test_without_redis_a_process_holds_to_its_share",
        f"{_REPLICAS}test_no_window_ever_holds_more_than_its_limit",
    ),
    60: (
        f"{_METER}test_a_silent_redis_costs_a_deadline_once_and_two_lines",
        f"{_REPLICAS}test_a_silent_redis_fails_no_request",
    ),
    61: (f"{_REPLICAS}test_a_slow_redis_delays_few_requests_and_fails_none",),
    62: (
        f"{_METER}test_errors_of_redis_are_no_errors_of_requests",
        f"{_METER}test_what_was_lost_is_put_together_again",
    ),
    63: (
        f"{_AWAY}test_a_ledger_that_is_away_is_no_matter_of_callers",
        f"{_SILENT}test_others_are_answered_while_claims_wait_for_a_silent_database",
    ),
    64: (
        f"{_AWAY}test_as_many_rows_wait_as_the_settings_say",
        f"{_AWAY}test_a_ledger_that_stays_away_refuses_requests_and_has_them_all_later",
    ),
    65: (
        f"{_AWAY}test_a_full_disk_costs_no_row_and_no_running_process",
        f"{_FULL}test_every_settled_row_reaches_the_ledger_where_the_journal_has_no_room",
        f"{_FULL}test_who_is_under_way_has_most_of_the_last_segment_in_reserve",
    ),
    66: ("tests/e2e/test_broken_ledger.py::test_it_is_refused_with_a_reason_and_left_alone",),
    67: (
        "tests/e2e/test_workers_away.py::test_a_worker_that_dies_while_the_store_is_away_takes_no_other_along",
        "tests/crash/test_crash.py::test_what_is_killed_under_load_has_every_attempt_settled_once",
    ),
    68: (
        "tests/crash/test_crash.py::test_what_is_killed_under_load_has_every_attempt_settled_once",
    ),
    69: (
        f"{_STOP}test_in_its_grace_a_process_is_not_ready_and_serves_on_connections_that_end",
        f"{_STOP}test_a_stream_that_runs_is_finished_before_the_process_ends",
        f"{_STOP}test_a_stream_that_takes_too_long_ends_with_an_error_event_and_its_row",
        f"{_STOP}test_a_second_signal_ends_what_runs_at_once",
        f"{_STOP}test_the_queue_is_left_in_order",
        f"{_STOP}test_a_response_in_the_background_fails_and_says_so",
        f"{_LIFE}test_a_stop_lets_a_live_stream_finish_and_leaves_with_0",
        f"{_WORK}test_a_stop_reaches_every_worker_and_waits_for_their_streams",
    ),
    70: (
        f"{_LIFE}test_a_wrong_configuration_is_not_taken_and_the_running_one_stays",
        f"{_WORK}test_who_starts_again_does_not_need_the_file",
        "tests/process/test_reloading.py::test_what_is_wrong_changes_nothing_and_is_said_once",
    ),
    71: (f"{_LIFE}test_a_reload_serves_what_is_new_and_does_not_disturb_a_stream",),
    76: (
        f"{_WATCH}test_a_loop_that_stands_still_is_seen_and_the_log_says_where",
        f"{_WATCH}test_a_process_whose_loop_is_late_for_seconds_is_not_ready",
    ),
    77: (
        f"{_RELIEF}test_requests_are_refused_in_milliseconds_where_the_loop_has_too_much_to_do",
        f"{_RELIEF}test_no_more_requests_are_open_than_the_settings_allow",
    ),
    81: (
        f"{_TWICE}test_a_second_delivery_gets_the_first_reply_and_costs_nothing",
        f"{_TWICE}test_a_request_under_way_is_not_made_a_second_time",
        f"{_TWICE}test_another_body_under_the_same_name_is_refused",
        f"{_TWICE}test_replicas_know_what_the_others_answered",
        f"{_KEPT}test_a_key_that_names_every_request_anew_fills_its_share_and_no_more",
        f"{_KEPT}test_what_is_too_old_goes_in_parts_and_what_is_under_way_stays",
    ),
}


def timed(wall: Callable[[float], float], ahead: list[float]) -> Callable[[Parts], Parts]:
    """Build with other readings of time: of the wall clock, and `ahead` seconds later than now."""

    def built(given: Parts) -> Parts:
        clock = given.clock
        return replace(
            given,
            clock=Clock(lambda: clock.monotonic() + ahead[0], lambda: wall(clock.wall())),
        )

    return built


@scripted(72)
async def a_wall_clock_that_jumps_changes_nothing(stage: Stage) -> None:
    jumps = cycle([0.0, 3600.0, -3600.0, 86_400.0 * 365, -7200.5])
    stage.parts_of = timed(lambda now: now + next(jumps), [0.0])
    await stage.open("status@500", "ok")
    for turn in range(12):
        heard = await stage.ask(stream=turn % 2 == 0)
        assert heard.status == 200
    rows = await stage.gateway.rows()
    assert {row.outcome for row in rows if row.upstream == "two"} == {"ok"}
    assert all(0 <= row.end_ms < 20_000 for row in rows)
    # the breaker opened after five failures, for a second at most, whatever the time of day
    assert stage.played("one") == 5
    assert 0 < stage.slot("one").breaker.shut - stage.now <= 1.0


@scripted(78)
async def without_any_upstream_requests_fail_after_one_attempt_and_say_when_to_come_again(
    stage: Stage,
) -> None:
    await stage.open("status@500", "refused!ok", attempts={})
    lone = several = 0
    for _ in range(20):
        before = are_shut(stage)
        heard = await stage.ask()
        assert (heard.status, heard.header("x-should-retry")) == (502, "false")
        if not (before and are_shut(stage)):
            continue
        assert heard.header("retry-after") == "1"  # the next probe, in whole seconds
        if heard.header("x-gateway-attempts") in ("one:http_500", "two:connect_refused"):
            lone += 1
        else:
            several += 1
    assert several <= 3  # as many as are always allowed; no other waits for a second attempt
    assert lone > 5
    assert (await stage.gateway.get("/healthz", ())).status == 200
    assert (await stage.gateway.get("/readyz", ())).status == 200


def _silent(*, stream: bool) -> None:
    @scripted(78)
    async def play(stage: Stage) -> None:
        limits = {"first_token": 1.1, "whole": 1.1}
        await stage.open("|".join(["hang"] * 5 + ["late@300", "ok"]), limits=limits)
        heard = await asyncio.gather(*(stage.ask(stream=stream) for _ in range(5)))
        assert {one.status for one in heard} == {504}
        for one in await asyncio.gather(*(stage.ask(stream=stream) for _ in range(20))):
            refused(one, 503, "upstream_unavailable")
            assert one.header("retry-after") == "1"  # the next probe, in whole seconds
        assert stage.played("one") == 5  # none of them waited for what is silent
        slot = stage.slot("one")
        slot.shut = slot.breaker.shut = stage.now  # its window is over
        heard = await asyncio.gather(*(stage.ask(stream=stream) for _ in range(10)))
        assert sorted(one.status for one in heard) == [200, *[503] * 9]
        assert stage.played("one") == 6  # one of them found out
        heard = await asyncio.gather(*(stage.ask(stream=stream) for _ in range(5)))
        assert {one.status for one in heard} == {200}
        assert (await stage.gateway.get("/readyz", ())).status == 200

    play.__name__ = f"of_silent_ones_one_request_finds_out-{'stream' if stream else 'whole'}"


for _flag in (False, True):
    _silent(stream=_flag)


def are_shut(stage: Stage) -> bool:
    """Tell whether the breakers of both upstreams are open."""
    return all(stage.slot(name).breaker.shut > stage.now for name in ("one", "two"))


@scripted(79)
async def an_upstream_that_comes_back_is_probed_once_and_then_used(stage: Stage) -> None:
    ahead = [0.0]
    stage.parts_of = timed(lambda now: now, ahead)
    await stage.open("|".join(["status@500"] * 5 + ["ok~pause=3"]), "ok")
    for _ in range(8):
        assert (await stage.ask()).status == 200
    assert stage.played("one") == 5
    ahead[0] = 1.0  # the window is over
    heard = await asyncio.gather(*(stage.ask(stream=True) for _ in range(10)))
    assert {one.status for one in heard} == {200}
    assert stage.played("one") == 6  # the first request of all was the probe
    assert stage.slot("one").breaker.shut == 0.0
    others = stage.played("two")
    for _ in range(50):
        assert (await stage.ask()).status == 200
    assert others < stage.played("two") < others + 50  # a share of the requests at first
    others = stage.played("two")
    ahead[0] += 100.0
    for _ in range(20):
        assert (await stage.ask()).status == 200
    assert stage.played("two") == others  # and all of them soon


@scripted(80)
async def clients_that_retry_do_not_multiply_load_on_an_upstream_that_fails(stage: Stage) -> None:
    gateway = await stage.open("status@500", attempts={})
    async with AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=2) as client:

        async def ask() -> None:
            with pytest.raises(InternalServerError) as told:
                await client.chat.completions.create(
                    model="m1", messages=[{"role": "user", "content": "Hi"}]
                )
            assert told.value.status_code == 502
            assert told.value.response.headers["x-should-retry"] == "false"

        for _ in range(10):
            await asyncio.gather(*(ask() for _ in range(20)))
    rows = await gateway.rows()
    assert len([row for row in rows if not row.attempt]) == 200  # no client came twice
    assert stage.played("one") <= 240
