"""Bodies of many values, and bodies that are read and counted beside the other requests."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from tests.api.caller import chat_body
from tests.conftest import Gateway

from infway.api.bulk import LONG
from infway.api.gate import MOST_VALUES

CHAT = "/v1/chat/completions"
COUNTER = "/utils/token_counter"
GEMINI = "/v1beta/models/m1:generateContent"
GEMINI_COUNT = "/v1beta/models/m1:countTokens"
EMBED = "/v1beta/models/m1:embedContent"
USER = {"role": "user", "content": "Hi"}
CONTENTS = [{"parts": [{"text": "Hi"}]}]
# Every path whose reader walks the body, with what it is asked
WALKED: dict[str, dict[str, Any]] = {
    "/v1/messages": {"model": "m1", "max_tokens": 9, "messages": [USER]},
    "/v1/messages/count_tokens": {"model": "m1", "messages": [USER]},
    "/v1/responses": {"model": "m1", "input": "Hi"},
    "/v1/completions": {"model": "m1", "prompt": "Hi"},
    COUNTER: {"model": "m1", "contents": CONTENTS},
    GEMINI: {"contents": CONTENTS},
    GEMINI.replace("generate", "streamGenerate"): {"contents": CONTENTS},
    GEMINI_COUNT: {"contents": CONTENTS},
    EMBED: {"content": CONTENTS[0]},
    EMBED.replace("embedContent", "batchEmbedContents"): {"requests": [{"content": CONTENTS[0]}]},
}
COMMAS = ',"[{\\' * MOST_VALUES  # a text with a mark in every place, and with escapes


class Threads(ThreadPoolExecutor):
    """The loop's threads, which know how often they were used."""

    used = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **more: Any) -> Future[Any]:
        self.used += 1
        return super().submit(fn, *args, **more)


@pytest.fixture
async def threads() -> Threads:
    made = Threads(2)
    asyncio.get_running_loop().set_default_executor(made)  # which closes it at its own end
    return made


@pytest.mark.parametrize("path", WALKED)
async def test_a_body_of_too_many_values_is_refused_by_every_reader_that_walks_it(
    gateway: Gateway, path: str
) -> None:
    heard = await gateway.post(path, {**WALKED[path], "x": [{}] * MOST_VALUES})
    assert heard.status == 400, heard
    assert f"The body has more than {MOST_VALUES} values." in heard.body.decode()
    assert gateway.upstream.asked == []


@pytest.mark.parametrize("path", WALKED)
async def test_a_long_text_full_of_marks_is_no_body_of_many_values(
    gateway: Gateway, path: str
) -> None:
    plain = await gateway.post(path, WALKED[path])
    text = json.dumps(WALKED[path]).replace("Hi", COMMAS.replace("\\", "").replace('"', r"\""))
    heard = await gateway.post(path, text.encode())
    assert heard.status == plain.status, heard
    assert b"values" not in heard.body


@pytest.mark.parametrize("body", [b'"' + b',\\"' * 99_999, b'{"' * 200_001, b'"":' * 900_000])
async def test_a_long_body_that_is_no_json_is_told_so(gateway: Gateway, body: bytes) -> None:
    heard = await gateway.post(GEMINI, body + b"[" * 9)
    assert heard.status == 400
    assert "invalid_request_body" in heard.body.decode()


@pytest.mark.parametrize("path", WALKED)
async def test_a_long_body_is_read_beside_the_other_requests_and_a_short_one_at_once(
    gateway: Gateway, threads: Threads, path: str
) -> None:
    await gateway.post(path, WALKED[path])  # a vocabulary is read in a thread, once
    before = threads.used
    await gateway.post(path, WALKED[path])
    short = threads.used - before
    await gateway.post(path, {**WALKED[path], "x": "a" * LONG})
    long = threads.used - before - short
    assert long >= short + 2  # its shape is looked at there, and what it says is read
    assert short == 0 or "responses" in path  # which are kept by a thread


async def test_the_shape_of_a_long_chat_is_looked_at_beside_the_other_requests(
    gateway: Gateway, threads: Threads
) -> None:
    await gateway.post(CHAT, chat_body())  # the upstream's name is looked up in a thread, once
    before = threads.used
    assert (await gateway.post(CHAT, chat_body())).status == 200
    assert threads.used == before
    assert (await gateway.post(CHAT, chat_body(user="a" * LONG))).status == 200
    assert threads.used == before + 1


async def test_tools_are_counted_however_long_they_are(gateway: Gateway) -> None:
    declared = [{"name": "f", "description": "many words " * 15_000}]
    body = {
        "model": "models/m1",
        "contents": CONTENTS,
        "tools": [{"functionDeclarations": declared}],
    }
    heard = await gateway.post(GEMINI_COUNT, {"generateContentRequest": body})
    assert heard.json["totalTokens"] > 30_000
