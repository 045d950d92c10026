"""The whole line carries the small replies of every dialect the gateway speaks; errors are seen."""

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from openai import AsyncOpenAI
from tests.conformance import table
from tests.conformance.__main__ import main
from tests.conformance.kinds import KINDS
from tests.conformance.line import KEY, gateway, upstream_settings
from tests.conformance.recording import Recording
from tests.conformance.replay import replaying
from tests.conformance.run import cuts_of, run
from tests.conformance.small import SMALL, Small, recordings

from infway.providers.registry import ADAPTERS

SPOKEN = [small for small in SMALL if KINDS[small.dialect].dialect in ADAPTERS]
OPENAI = recordings(SMALL[0])


async def failures(some: list[Recording]) -> list[str]:
    results = await run(some, "all")
    return [line for one in results if not one.passed for line in table.described(one)]


@pytest.mark.parametrize("small", [pytest.param(small, id=small.dialect) for small in SPOKEN])
async def test_every_small_reply_comes_through_whole(small: Small):
    assert await failures(list(recordings(small).values())) == []


async def test_a_reply_that_is_not_what_was_recorded_is_seen(tmp_path: Path):
    """The truth is read from one recording, and another one is played."""
    true = OPENAI["stream"]
    other = replace(true, body=true.body.replace(b"It is", b"It was"))
    async with replaying() as replay:
        replay.plays({"one": (other, 0)})
        upstream = upstream_settings("one", true, replay.port)
        async with (
            gateway(tmp_path / "ledger.db", [upstream]) as url,
            AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0) as client,
        ):
            found = await KINDS["openai_chat"].check(client, "one", true)
    assert len(found) == 2
    assert found[0].startswith("choice 0 text: expected 'It is 21")
    assert found[1].startswith("frame 0 of those that need no change did not come")


class Caller(asyncio.Protocol):
    """Asks once, and keeps what each read of the socket gave."""

    def __init__(self) -> None:
        self.reads: list[bytes] = []
        self.ended = asyncio.Event()

    def connection_made(self, transport) -> None:
        transport.write(b"POST /one/chat HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}")

    def data_received(self, data: bytes) -> None:
        self.reads.append(data)
        if data.endswith(b"0\r\n\r\n"):
            self.ended.set()


@pytest.mark.parametrize("cut", [1, 7, 64])
async def test_a_stream_is_played_in_writes_that_arrive_one_by_one(cut: int):
    stream = OPENAI["stream"]
    async with replaying() as replay:
        replay.plays({"one": (stream, cut)})
        loop = asyncio.get_running_loop()
        transport, caller = await loop.create_connection(Caller, "127.0.0.1", replay.port)
        await asyncio.wait_for(caller.ended.wait(), 20)
        transport.close()
    writes = -(-len(stream.body) // cut)
    assert len(caller.reads) > writes * 0.8
    assert max(map(len, caller.reads[1:])) < 3 * (cut + 8)


def test_short_streams_are_cut_in_every_way_and_whole_replies_in_none():
    assert cuts_of(OPENAI["stream"], "all") == [0, 64, 7, 1]
    assert cuts_of(OPENAI["stream"], "whole") == [0]
    assert cuts_of(OPENAI["whole"], "all") == [0]
    long = replace(OPENAI["stream"], body=b" " * 100_000)
    assert cuts_of(long, "all") == [0, 64]


def write(folder: Path, some: dict[str, Recording], **more: object) -> Path:
    lines = []
    for recording in some.values():
        row = recording.row
        index = {"id": row.id, "file": f"{row.id}.json", "provider": row.provider,
                 "api": row.api, "dialect": row.dialect, "model": row.model, "wire": row.wire,
                 "stream": row.stream, "status": recording.status, "fidelity": row.fidelity,
                 "features": [], "tags": [], **more}  # fmt: skip
        lines.append(json.dumps(index))
        response = {"status": recording.status, "headers": {"Content-Type": recording.kind},
                    "body_text": recording.text}  # fmt: skip
        record = {"request": {"url": "", "body": {}}, "response": response}
        (folder / f"{row.id}.json").write_text(json.dumps(record))
    (folder / "_index.jsonl").write_text("\n".join(lines))
    return folder


def test_a_folder_that_passes_ends_well(tmp_path: Path, monkeypatch, capsys):
    folder = write(tmp_path, {name: OPENAI[name] for name in ("whole", "error")})
    monkeypatch.setattr("sys.argv", ["conformance", str(folder)])
    assert main() == 0
    assert capsys.readouterr().out.endswith("\n2 of 2 recordings pass\n")


def test_a_folder_with_a_broken_record_fails_and_names_it(tmp_path: Path, monkeypatch, capsys):
    broken = replace(OPENAI["whole"], body=b'{"choices": "none"}')
    folder = write(tmp_path, {"whole": OPENAI["whole"]} | {"broken": _called(broken, "broken")})
    monkeypatch.setattr("sys.argv", ["conformance", str(folder), "--verbose"])
    assert main() == 1
    said = capsys.readouterr().out
    assert "FAILED openai_chat small/broken" in said
    assert said.endswith("\n1 of 2 recordings pass\n")


def _called(recording: Recording, name: str) -> Recording:
    return replace(recording, row=replace(recording.row, id=name))


def quiet(body: bytes) -> bytes:
    """Return a stream with keep-alives of every kind between its frames, and at its end."""
    frames = body.removesuffix(b"data: [DONE]\n\n").split(b"\n\n")
    return b"\n\n" + b"\n\n\n: still here\n\n".join(frames) + b"\n\n\n"


def with_returns(body: bytes) -> bytes:
    return body.replace(b"\n", b"\r\n")


def test_streams_with_keep_alives_and_other_line_ends_come_through(tmp_path: Path):
    """In a process of its own: a gateway that is caught in a loop would never end."""
    some = {}
    for small in SPOKEN:
        stream = recordings(small)["stream"]
        if small.wire == "sse":
            for change in (quiet, with_returns):
                name = f"{small.dialect.replace('_', '-')}-{change.__name__.replace('_', '-')}"
                some[name] = replace(_called(stream, name), body=change(stream.body))
    folder = str(write(tmp_path, some))
    command = [sys.executable, "-m", "tests.conformance", folder, "--pieces", "whole"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert ended.stdout.endswith(f"\n{len(some)} of {len(some)} recordings pass\n")


def test_a_record_of_an_unknown_dialect_is_named_as_such(tmp_path: Path, monkeypatch, capsys):
    folder = write(tmp_path, {"whole": OPENAI["whole"]}, dialect="klingon_chat", tags=None)
    monkeypatch.setattr("sys.argv", ["conformance", str(folder)])
    assert main() == 0
    said = capsys.readouterr().out
    assert "1  klingon_chat: not known here" in said
    assert said.endswith("\n0 of 0 recordings pass\n")
