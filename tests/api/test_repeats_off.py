"""`idempotency.keep: 0`: no reply is kept, and an `Idempotency-Key` is a header like any other."""

import asyncio
from pathlib import Path

import pytest
from tests.api.caller import BEARER, JSON, Headers, Heard, chat_body
from tests.api.test_repeats import sharing
from tests.conftest import Gateway, Start, settled, upstream_settings

from infway.database.opening import database_at

OFF = {"keep": 0}


async def ask(gateway: Gateway, name: str = "a") -> Heard:
    """Ask for a chat under a name."""
    headers: Headers = (BEARER, JSON, ("Idempotency-Key", name))
    return await gateway.post("/v1/chat/completions", chat_body(), headers)


async def kept(path: Path) -> int:
    """Return how many replies are kept, or under way."""
    database = database_at(path)
    database.open()
    ((count,),) = await asyncio.to_thread(database.read, "SELECT count(*) FROM replays")
    database.close()
    return count


@pytest.mark.parametrize("name", ["a", "", "x" * 256, "a b"])
async def test_the_header_is_ignored_whatever_it_says(
    start: Start, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "replays.db"
    gateway = await start(parts_of=sharing(path), idempotency=OFF)
    heard = [await ask(gateway, name) for _ in range(2)]
    assert [one.status for one in heard] == [200, 200]
    assert [one.header("idempotent-replayed") for one in heard] == [None, None]
    assert len(gateway.upstream.asked) == 2
    assert await kept(path) == 0


async def test_a_reload_switches_it_off_and_on(start: Start, tmp_path: Path) -> None:
    gateway = await start(parts_of=sharing(tmp_path / "replays.db"))
    tree = {"upstreams": [upstream_settings("one", gateway.upstream, "m1", "m2")]}
    gateway.app.swap(*settled({**tree, "idempotency": OFF}))
    for _ in range(2):
        assert (await ask(gateway)).status == 200
    assert len(gateway.upstream.asked) == 2
    gateway.app.swap(*settled(tree))
    heard = await ask(gateway)
    while heard.header("idempotent-replayed") is None:
        assert heard.status in (200, 409)
        heard = await ask(gateway)
    assert len(gateway.upstream.asked) == 3


async def test_what_was_kept_before_is_forgotten(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "replays.db"
    first = await start(parts_of=sharing(path))
    await ask(first)
    while (await ask(first)).header("idempotent-replayed") is None:
        await asyncio.sleep(0)
    assert await kept(path) == 1
    await start(parts_of=sharing(path), idempotency=OFF)
    async with asyncio.timeout(20):
        while await kept(path):
            await asyncio.sleep(0.02)
