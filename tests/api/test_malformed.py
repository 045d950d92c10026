"""Thousands of malformed requests over real sockets: never a 5xx, always the one error body."""

import asyncio
from collections import Counter

import msgspec
import pytest
from tests.api.caller import Heard
from tests.api.mutations import Shot, shots, unparsable
from tests.conftest import Gateway, Start

from infway.api.replies import ErrorBody

LINES = 4
LIMIT = 200_000  # bytes, so that some bodies are too large


def _check(shot: Shot, heard: Heard) -> None:
    assert heard.status < 500, (shot, heard)
    assert heard.header("x-request-id"), (shot, heard)
    if heard.status >= 400 and shot.method != "HEAD":
        body = msgspec.json.decode(heard.body, type=ErrorBody)
        assert body.error.status == heard.status, (shot, heard)
        assert body.errors[0].code == body.error.code, (shot, heard)
        assert heard.header("content-type") == "application/json", (shot, heard)


async def _fire(gateway: Gateway, rest: list[Shot], seen: Counter[tuple[str, int]]) -> None:
    while rest:
        async with gateway.line() as line:
            while rest:
                shot = rest.pop()
                line.send(shot.method, shot.path, shot.headers, shot.body)
                heard = await asyncio.wait_for(line.hear(shot.method), 20)
                _check(shot, heard)
                seen[shot.kind, heard.status] += 1
                if heard.header("connection") == "close":
                    break


async def test_no_malformed_request_makes_infway_fail(
    start: Start, pytestconfig: pytest.Config
) -> None:
    count = pytestconfig.getoption("--malformed")
    gateway = await start(server={"body_limit": LIMIT, "wrong_keys_per_minute": 0})
    rest, seen = shots(count, seed=20), Counter[tuple[str, int]]()
    await asyncio.gather(*[_fire(gateway, rest, seen) for _ in range(LINES)])
    assert seen.total() == count
    statuses = Counter[int]()
    for (_, status), times in seen.items():
        statuses[status] += times
    assert set(statuses) <= {200, 400, 401, 403, 404, 405, 413, 415}
    assert statuses[400] > count // 10
    print(f"\n{count} requests: {dict(sorted(statuses.items()))}")
    print(dict(sorted(seen.items())))
    assert (await gateway.chat()).status == 200
    assert gateway.app.gateway.attempts.active == 0


async def test_what_is_no_http_is_refused_by_the_server_and_harms_nobody(
    gateway: Gateway, pytestconfig: pytest.Config
) -> None:
    seen = Counter[str]()
    for blob in unparsable(pytestconfig.getoption("--malformed") // 20, seed=21):
        async with gateway.line() as line:
            line.writer.write(blob)
            line.writer.write_eof()
            told = await asyncio.wait_for(line.reader.read(), 20)
        seen[told.split(b"\r\n")[0].decode() or "closed without an answer"] += 1
    print(f"\nno HTTP: {dict(seen)}")
    assert set(seen) <= {"HTTP/1.1 400 Bad Request", "closed without an answer"}
    assert (await gateway.chat()).status == 200
