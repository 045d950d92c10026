"""A gateway is restarted, and its Redis loses everything: what was let in before still counts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from redis.asyncio import Redis
from tests.api.caller import KEY
from tests.api.limited import chats, told
from tests.api.serving import served
from tests.api.upstream import either, listening
from tests.conftest import Gateway, settled, upstream_settings
from tests.state.valkey import running

from infway.app import App, parts
from infway.configured import limits_of
from infway.database.sqlite import SqliteDatabase
from infway.ledger.sqlite import OwnLedger


@asynccontextmanager
async def gateway(place: Path, redis: str, **plan: object) -> AsyncIterator[Gateway]:
    """Run one gateway, from its start to its end, over what others leave behind."""
    database = SqliteDatabase(place)
    async with listening(either) as behind:
        settings, inventory = settled({
            "keys": [{"name": "tests", "key": KEY, "plan": "small", "project": "p"}],
            "organisations": [{"name": "o"}],
            "projects": [{"name": "p", "organisation": "o"}],
            "plans": {"small": plan},
            "state": {"redis": redis},
            "upstreams": [upstream_settings("one", behind, "m1")],
        })  # fmt: skip
        built = replace(parts(OwnLedger(database), 7), database=database)
        app = App(settings, inventory, built)
        door = limits_of(settings.server), settings.server.http
        async with served(app.front, *door) as port:
            yield Gateway(app, port, place, behind)


async def test_a_restart_and_a_flush_together_let_nobody_in_twice(tmp_path: Path) -> None:
    place, plan = tmp_path / "ledger.db", {"requests_per_hour": 10, "tokens_per_minute": 10**6}
    with running(tmp_path / "valkey") as valkey:
        async with gateway(place, valkey.url, **plan) as before:
            assert await chats(before, 7) == [200] * 7
        async with Redis.from_url(valkey.url) as client:
            await client.flushall()
        async with gateway(place, valkey.url, **plan) as after:
            heard = await after.chat()
            assert heard.status == 200
            assert told(heard) is not None
            assert told(heard)[:2] == (10, 2)  # type: ignore[index] # seen above
            rows = [row for row in await before.rows() if not row.attempt]
            tokens = sum(row.prompt_tokens + row.completion_tokens for row in rows)
            left = told(heard, "tokens")
            assert left is not None
            assert 0 < tokens <= left[0] - left[1]
            assert await chats(after, 4) == [200] * 2 + [429] * 2
