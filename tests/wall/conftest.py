"""The stage on which faults are played: a real gateway before walls."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.conftest import Start
from tests.wall.matrix import Stage


@pytest.fixture
async def stage(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        yield Stage(start, stack, tmp_path, caplog)
