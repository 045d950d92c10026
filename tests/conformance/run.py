"""Runs recordings through the line, several at a time."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from openai import AsyncOpenAI
from tests.conformance.kinds import KINDS
from tests.conformance.line import KEY, gateway, upstream_settings
from tests.conformance.recording import Recording, Row, load
from tests.conformance.replay import Replay, replaying

WHOLE = 0
# Bytes of each write of a stream -> the longest stream, in bytes, that is cut so
CUTS: dict[int, int] = {WHOLE: 2**31, 64: 2**31, 7: 16 * 1024, 1: 4 * 1024}
_TOGETHER = 8  # exchanges at a time
_PATIENCE = 60  # seconds for one exchange; reached only where something hangs


@dataclass
class Result:
    """How a recording fared. `runs`: in how many cuts it was played."""

    row: Row
    runs: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Tell whether every cut gave what the recording says."""
        return not self.differences


def cuts_of(recording: Recording, pieces: str) -> list[int]:
    """Return the cuts in which a recording is played. `pieces`: `whole` or `all`."""
    if pieces == "whole" or not recording.is_streamed:
        return [WHOLE]
    return [cut for cut, longest in CUTS.items() if len(recording.body) <= longest]


async def run(rows: Sequence[Row], pieces: str) -> list[Result]:
    """Run recordings, one gateway for each dialect."""
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        async with replaying() as replay:
            ordered = sorted(rows, key=lambda row: row.dialect)
            for dialect, some in groupby(ordered, key=lambda row: row.dialect):
                recordings = [load(row) for row in some]
                ledger = Path(folder) / f"{dialect}.db"
                results += await _run_dialect(replay, recordings, pieces, ledger)
    return results


async def _run_dialect(
    replay: Replay, recordings: list[Recording], pieces: str, ledger: Path
) -> list[Result]:
    plays = {
        f"{recording.row.id}-{cut}": (recording, cut)
        for recording in recordings
        for cut in cuts_of(recording, pieces)
    }
    replay.plays(plays)
    kind = KINDS[recordings[0].row.dialect]
    upstreams = [
        upstream_settings(name, kind.dialect, recording, replay.port)
        for name, (recording, _) in plays.items()
    ]
    results = {recording.row.id: Result(recording.row) for recording in recordings}
    turn = asyncio.Semaphore(_TOGETHER)

    async def one(client: AsyncOpenAI, name: str) -> None:
        recording, cut = plays[name]
        async with turn:
            result = results[recording.row.id]
            where = f" (in {cut} byte pieces)" if cut else ""
            result.runs += 1
            try:
                async with asyncio.timeout(_PATIENCE):
                    found = await kind.check(client, name, recording)
            except Exception as error:  # noqa: BLE001 - one recording must not end the run
                found = [f"{type(error).__name__}: {error}"]
            result.differences += [line + where for line in found]

    async with gateway(ledger, upstreams) as url:
        async with AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0) as client:
            async with asyncio.TaskGroup() as group:
                for name in plays:
                    group.create_task(one(client, name))
    return list(results.values())
