"""The attacks on a real process, in short; `python -m tests.door` has them long."""

import asyncio
from pathlib import Path

import pytest
from tests.api.upstream import either, listening
from tests.door.rehearsal import Bomb, ask_badly, ask_slowly, bombed, breaches, standing
from tests.door.standing import PARSERS


@pytest.mark.parametrize("http", PARSERS)
async def test_malformed_requests_harm_nobody(tmp_path: Path, http: str) -> None:
    async with listening(either) as upstream:
        with standing(tmp_path, upstream.url, http=http) as gateway:
            told = await ask_badly(gateway, 600)
    assert breaches(told) == []
    assert told.statuses.total() == 600
    assert told.statuses["400"] > 300
    assert len(told.healthy) >= 50


@pytest.mark.parametrize("http", PARSERS)
async def test_slow_sockets_are_all_closed_in_time(tmp_path: Path, http: str) -> None:
    short = {"head_timeout": 1, "body_timeout": 1}
    async with listening(either) as upstream:
        with standing(tmp_path, upstream.url, http=http, **short) as gateway:
            told = await ask_slowly(gateway, 200, 1.0)
    assert told.failed == 0
    assert told.statuses.keys() == {"silent", "head", "body", "chunks"}


async def test_an_upstream_that_floods_infway_is_a_502_and_takes_no_memory(tmp_path: Path) -> None:
    server = await asyncio.get_running_loop().create_server(Bomb, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    with standing(tmp_path, url) as gateway:
        told = await bombed(gateway, 24)
    server.close()
    assert told.statuses == {"502": 24}
    assert told.grown <= 8
    assert told.tracebacks == 0
