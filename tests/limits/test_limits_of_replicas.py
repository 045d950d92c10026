"""Limits over processes, in short; `python -m tests.limits` measures for longer."""

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.api.caller import BEARER, JSON, chat_body
from tests.api.limited import limited, told
from tests.conftest import Start
from tests.limits.frozen import watched
from tests.limits.run import TROUBLES, Outcome, measured, way_to
from tests.state.valkey import running

from infway.kernel.account import Holder, Limits, Window
from infway.kernel.clock import system_clock
from infway.state.meter import Need
from infway.state.meter_redis import RedisMeter

clock = system_clock()


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcome]:
    return asyncio.run(measured(tmp_path_factory.mktemp("limits"), TROUBLES, 9.0))


@pytest.mark.parametrize("trouble", TROUBLES)
def test_no_window_ever_holds_more_than_its_limit(
    outcomes: Mapping[str, Outcome], trouble: str
) -> None:
    print(f"\n{trouble}: {outcomes[trouble]}")
    assert outcomes[trouble].let_in > 20
    assert outcomes[trouble].fullest <= 1.0


async def test_a_silent_redis_fails_no_request(start: Start, tmp_path: Path) -> None:
    with running(tmp_path / "valkey") as valkey:
        gateway = await limited(
            start, more={"state": {"redis": valkey.url}}, requests_per_minute=10_000
        )
        meter, sharing = gateway.app.visits.meter, gateway.app._sharing
        assert sharing is not None
        async with gateway.line() as line:

            async def ask() -> int:
                line.send("POST", "/v1/chat/completions", (BEARER, JSON), _BODY)
                heard = await line.hear()
                assert told(heard) is not None
                return heard.status

            pid = valkey._process.pid
            seen = await watched(
                ask,
                lambda: os.kill(pid, signal.SIGSTOP),
                lambda: os.kill(pid, signal.SIGCONT),
                lambda: meter.degraded or not sharing._board.works,
                200,
            )
        page = (await gateway.get("/metrics")).body
    print(seen.text())
    assert seen.statuses == {200}
    assert sum(one > 0.04 for one in seen.late) <= 3  # a machine that many tests share is late too
    assert len(seen.lines) == 2, seen.lines
    assert b'infway_degraded{store="redis"} 0.0' in page


async def test_a_slow_redis_delays_few_requests_and_fails_none(tmp_path: Path) -> None:
    holders = (Holder("key:a", Limits((Window(60, 10_000),))),)
    with running(tmp_path / "valkey") as valkey:
        async with way_to(valkey) as way:
            meter = RedisMeter(f"redis://127.0.0.1:{way.port}", "one", 1, clock)
            async with meter.open():
                assert (await meter.take(holders, Need())).ticket is not None
                way.delay = 0.1
                late = []
                for _ in range(150):
                    began = clock.monotonic()
                    asking = asyncio.create_task(meter.take(holders, Need()))
                    await asyncio.sleep(0)
                    waits = not asking.done()  # who waits for nobody is late with the machine
                    assert (await asking).ticket is not None
                    late.append(waits and clock.monotonic() - began > 0.04)
                    await asyncio.sleep(0.01)
                way.delay = 0.0
    assert sum(late) <= 3


_BODY = json.dumps(chat_body()).encode()
