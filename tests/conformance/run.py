"""Runs recordings through the line, several at a time."""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from openai import AsyncOpenAI
from tests.conformance.kinds import KINDS, kind_of
from tests.conformance.line import KEY, gateway, upstream_settings
from tests.conformance.recording import Recording, Row
from tests.conformance.replay import Replay, replaying

WHOLE = 0
# Bytes of each write of a stream -> the longest stream, in bytes, that is cut so
CUTS: dict[int, int] = {WHOLE: 2**31, 64: 2**31, 7: 64 * 1024, 1: 8 * 1024}
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


def _nothing() -> None:
    """Tell nobody."""


async def run(
    recordings: Sequence[Recording], pieces: str, went_on: Callable[[], None] = _nothing
) -> list[Result]:
    """Run recordings, one gateway for each kind. `went_on` is told of each that has ended."""
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        async with replaying() as replay:
            ordered = sorted(recordings, key=lambda one: kind_of(one.row))
            for kind, some in groupby(ordered, key=lambda one: kind_of(one.row)):
                ledger = Path(folder) / f"{kind}.db"
                plays = _plays(list(some), pieces)
                results += await _run_kind(replay, plays, ledger, went_on)
    return results


Plays = dict[str, tuple[Recording, int]]


def _plays(recordings: list[Recording], pieces: str) -> Plays:
    """Return what is played: name of the upstream -> recording and cut."""
    return {
        f"{recording.row.id}-{cut}": (recording, cut)
        for recording in recordings
        for cut in cuts_of(recording, pieces)
    }


async def _run_kind(
    replay: Replay, plays: Plays, ledger: Path, went_on: Callable[[], None]
) -> list[Result]:
    recordings = [recording for recording, _ in plays.values()]
    upstreams = [
        upstream_settings(name, recording, replay.port) for name, (recording, _) in plays.items()
    ]
    results = {recording.row.id: Result(recording.row) for recording in recordings}
    replay.plays(plays)
    turn = asyncio.Semaphore(_TOGETHER)

    async def one(client: AsyncOpenAI, name: str) -> None:
        recording, cut = plays[name]
        async with turn:
            found = await _check(client, name, recording)
        where = f" (in {cut} byte writes)" if cut else ""
        went_on()
        results[recording.row.id].runs += 1
        results[recording.row.id].differences += [line + where for line in found]

    async with (
        gateway(ledger, upstreams) as url,
        AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0) as client,
        asyncio.TaskGroup() as group,
    ):
        for name in plays:
            group.create_task(one(client, name))
    return list(results.values())


async def _check(client: AsyncOpenAI, name: str, recording: Recording) -> list[str]:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await KINDS[kind_of(recording.row)].check(client, name, recording)
    except Exception as error:  # noqa: BLE001 - one recording must not end the run of all
        return [f"{type(error).__name__}: {error}"]
