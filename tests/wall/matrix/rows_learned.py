"""What outlasts one request: connections, names, credentials, breakers, rests, ceilings."""

import logging

from tests.api.caller import refused
from tests.conftest import settled
from tests.wall.matrix.case import scripted
from tests.wall.matrix.stage import Stage

from infway.ims.breaker import State

LOGGER = "infway.pipeline.attempt"


@scripted(8)
async def a_connection_that_died_idle_costs_no_attempt(stage: Stage) -> None:
    await stage.open("stale", "ok")
    for _ in range(2):
        assert (await stage.ask()).status == 200
    assert (stage.played("one"), stage.played("two")) == (3, 0)
    rows = await stage.gateway.rows()
    assert [row.outcome for row in rows if row.attempt] == ["ok", "ok"]
    assert stage.slot("one").breaker.streak == 0


@scripted(8)
async def a_connection_that_was_ended_idle_costs_no_attempt(stage: Stage) -> None:
    await stage.open("stale~fin=1")
    for stream in (False, True):
        assert (await stage.ask(stream=stream)).status == 200
    rows = await stage.gateway.rows()
    assert [row.outcome for row in rows if row.attempt] == ["ok", "ok"]


@scripted(3)
async def a_name_that_was_known_lately_is_used_while_nobody_says_it(stage: Stage) -> None:
    await stage.open("named!ok~close=1", "ok")
    assert (await stage.ask()).header("x-gateway-provider") == "one"
    stage.names.ports["named.test"] = []
    stage.names.is_down = True
    assert (await stage.ask()).header("x-gateway-provider") == "one"
    assert stage.walls["one"].connections == 2


@scripted(6)
async def the_last_offer_has_all_its_time(stage: Stage) -> None:
    quick = {"first_token_fallback": 0.2, "first_token": 20.0, "whole": 20.0}
    await stage.open("hang", "late@400", limits=quick)
    heard = await stage.ask(stream=True)
    assert heard.status == 200
    _, attempts = await stage.rows()
    assert [row.outcome for row in attempts] == ["ttft_timeout", "ok"]


@scripted(29)
async def a_refused_key_is_left_alone_and_said_once(stage: Stage) -> None:
    stage.caplog.set_level(logging.INFO)
    await stage.open("status@401", "ok")
    for _ in range(5):
        assert (await stage.ask()).status == 200
    assert (stage.played("one"), stage.played("two")) == (1, 5)
    said = [one.getMessage() for one in stage.caplog.records if " off" in one.getMessage()]
    assert said == ["upstream one was refused its credential and is off"]
    page = (await stage.gateway.get("/metrics")).body.decode()
    assert 'infway_upstream_off{upstream="one"} 1.0' in page
    assert 'infway_upstream_off{upstream="two"} 0.0' in page


@scripted(29, 30)
async def a_key_that_is_off_is_tried_by_one_request_after_five_minutes(stage: Stage) -> None:
    await stage.open("status@402|ok", "ok")
    assert (await stage.ask()).status == 200
    account = stage.account("one")
    account.resting_until = account.shut = stage.now  # five minutes have passed
    account.dispatched(stage.now)
    assert (await stage.ask()).header("x-gateway-provider") == "two"  # another is finding out
    account.returned(stage.now, 0)
    account.resting_until = account.shut = stage.now
    assert (await stage.ask()).header("x-gateway-provider") == "one"
    assert not account.is_off


@scripted(24, 29)
async def other_settings_turn_a_key_on_again(stage: Stage) -> None:
    gateway = await stage.open("status@401|ok")
    refused(await stage.ask(), 502, "upstream_auth_error")
    gateway.app.swap(*settled(stage.tree))
    assert (await stage.ask()).status == 200


@scripted(21)
async def a_limited_credential_rests_for_all_its_models(stage: Stage) -> None:
    await stage.open("status@429~retry-after=60", "ok")
    for _ in range(3):
        assert (await stage.ask()).header("x-gateway-provider") == "two"
    assert stage.played("one") == 1


@scripted(25, 26)
async def five_failures_open_a_breaker_and_one_probe_closes_it(stage: Stage) -> None:
    await stage.open("|".join(["status@500"] * 5 + ["ok"]), "ok")
    for _ in range(8):
        assert (await stage.ask()).status == 200
    breaker = stage.slot("one").breaker
    assert (stage.played("one"), stage.played("two")) == (5, 8)
    assert breaker.state(stage.now) is State.OPEN
    stage.slot("one").shut = breaker.shut = stage.now  # its time is over
    assert (await stage.ask()).header("x-gateway-provider") == "one"
    assert breaker.state(stage.now) is State.CLOSED
    assert breaker.share(stage.now) == 0.1


@scripted(32)
async def a_prompt_that_is_too_long_goes_to_a_larger_window(stage: Stage) -> None:
    stage.contexts = (8192, 8192, 65536)
    await stage.open("status@400~code=context_length_exceeded", "ok", "ok")
    assert (await stage.ask()).header("x-gateway-provider") == "three"
    _, attempts = await stage.rows()
    assert [row.outcome for row in attempts] == ["context_length", "ok"]
    assert stage.played("two") == 0
    assert stage.slot("one").breaker.streak == 0


@scripted(33)
async def an_answer_that_was_filtered_is_passed_on(stage: Stage) -> None:
    await stage.open("filtered-stream@20", "ok")
    heard = await stage.ask(stream=True)
    ends = [choice.get("finish_reason") for one in heard.chunks for choice in one["choices"]]
    assert "content_filter" in ends
    assert stage.played("two") == 0
    request, attempts = await stage.rows()
    assert [row.outcome for row in attempts] == ["ok"]
    assert request.completion_tokens == 60


@scripted(27)
async def an_overloaded_upstream_is_not_asked_again_at_once(stage: Stage) -> None:
    await stage.open("status@529|ok")
    heard = await stage.ask()
    refused(heard, 503, "upstream_overloaded")
    assert stage.played("one") == 1
