"""A Valkey of its own for each test of this room, and a client of it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from tests.state.spoiled import Way, spoiled
from tests.state.valkey import Valkey, running


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    with running(tmp_path / "valkey") as valkey:
        yield valkey


@pytest.fixture
async def client(valkey: Valkey) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey.url) as client:
        yield client


@pytest.fixture
async def way(valkey: Valkey) -> AsyncIterator[Way]:
    """A way to it on which commands may be spoiled."""
    async with spoiled(valkey) as way:
        yield way
