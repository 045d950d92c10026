"""Bodies of many values, and bodies that are read and counted beside the other requests."""

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.conftest import Gateway

from infway.api.bulk import MOST_VALUES, check_values
from infway.kernel.errors import CallerError

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
TEXT = COMMAS[:999]


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


def refuses(body: bytes) -> bool:
    """Whether a body has too many values."""
    try:
        check_values(body)
    except CallerError as error:
        return (error.status, error.code) == (400, "invalid_request_body")
    return False


def marks(value: object) -> Iterator[int]:
    """How many objects and lists a value opens, and how many commas are in them."""
    if isinstance(value, dict | list):
        yield 1 + max(0, len(value) - 1)
        for one in value.values() if isinstance(value, dict) else value:
            yield from marks(one)


JSONS = st.recursive(
    st.none() | st.integers() | st.text() | st.text('\\",[{', max_size=9),
    lambda one: st.lists(one) | st.dictionaries(st.text('\\",{[a', max_size=5), one),
    max_leaves=30,
)


@settings(max_examples=40)
@given(JSONS, st.sampled_from([0, 1]))
@example({"\\": '\\"', '"': "\\\\,"}, 1)
def test_exactly_the_values_outside_of_texts_are_counted(value: object, beyond: int) -> None:
    inside = sum(marks([value, TEXT]))
    padding = b",0" * (MOST_VALUES + beyond - inside - 1)
    body = b"[" + json.dumps([value, TEXT]).encode() + padding + b"]"
    assert refuses(body) is bool(beyond)


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
    await gateway.post(path, {**WALKED[path], "x": "a" * 300_000})
    assert threads.used - before - short > short
    assert short == 0 or "responses" in path  # which are kept by a thread


async def test_tools_are_counted_however_long_they_are(gateway: Gateway) -> None:
    declared = [{"name": "f", "description": "many words " * 15_000}]
    body = {
        "model": "models/m1",
        "contents": CONTENTS,
        "tools": [{"functionDeclarations": declared}],
    }
    heard = await gateway.post(GEMINI_COUNT, {"generateContentRequest": body})
    assert heard.json["totalTokens"] > 30_000
