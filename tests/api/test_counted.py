"""The process that counts tokens: the same counts as here, started again, gone with its gateway."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Gateway

from infway.api.counted import Scales
from infway.kernel.errors import UnavailableError
from infway.providers.counting.vocabularies import CL100K, O200K, tokens_of

COMMAND = [sys.executable, "-P", "-m", "infway.api.counting_child"]
TEXTS = [
    "How are you?",
    "",
    "<|endoftext|>",
    "é \U0001f9e0 ni hao",
    "half \ud83e of one",
    "x" * 100_000,
]


@pytest.fixture(scope="module")
def scales() -> Iterator[Scales]:
    made = Scales()
    yield made
    made.close()


@pytest.mark.parametrize("vocabulary", [O200K, CL100K])
def test_it_counts_as_is_counted_here(scales: Scales, vocabulary: str) -> None:
    for texts in ([], TEXTS, *([text] for text in TEXTS)):
        assert scales.weigh(texts, vocabulary) == tokens_of(texts, vocabulary)


def test_one_that_was_killed_is_started_again(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    scales = Scales(["sh", "-c", f"echo $$ >> {pids}; exec {shlex.join(COMMAND)}"])
    for tries in (1, 2):
        assert scales.weigh(["one"], O200K) == 1
        begun = pids.read_text().split()
        assert len(begun) == tries
        os.kill(int(begun[-1]), signal.SIGKILL)
    scales.close()


@pytest.mark.parametrize("command", [["/no/such/program"], [sys.executable, "-c", ""]])
def test_where_none_can_be_started_counting_is_unavailable(command: list[str]) -> None:
    with pytest.raises(UnavailableError) as caught:
        Scales(command).weigh(["one"], O200K)
    assert (caught.value.status, caught.value.retry_after) == (503, 1)


def test_it_leaves_when_its_gateway_does() -> None:
    done = subprocess.run(COMMAND, input=b"", capture_output=True, timeout=20, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_process_that_has_counted_holds_no_vocabulary() -> None:
    program = """
import asyncio, toktok
from infway.api.counted import counted
from infway.providers.counting import count_texts
count = asyncio.run(counted(lambda weigh: count_texts(["How are you?"], "gpt-4o", weigh)))
print(count.tokens, len(toktok._CACHE))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=60, check=True
    )
    assert (done.stdout.split(), done.stderr) == ([b"4", b"0"], b"")


async def test_every_way_to_count_is_served(gateway: Gateway) -> None:
    messages = [{"role": "user", "content": "Hi"}]
    for path, body in (
        ("/v1/messages/count_tokens", {"messages": messages}),
        ("/v1/responses/input_tokens", {"input": "Hi"}),
        ("/utils/token_counter", {"messages": messages}),
        ("/v1beta/models/m1:countTokens", {"contents": [{"parts": [{"text": "Hi"}]}]}),
    ):
        heard = await gateway.post(path, {"model": "m1", **body} if "v1beta" not in path else body)
        assert heard.status == 200, (path, heard.body)
        assert 8 in heard.json.values(), (path, heard.body)
