"""Text completions that cannot be had: bad bodies, needs nobody meets, upstreams that fail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from tests.api.caller import BEARER, JSON, Line, refused
from tests.api.completing import Kinds, both, continued, text_choice, text_chunk
from tests.api.upstream import DONE, Asked, Script, either, fault, frames, stream, whole
from tests.conftest import Start

from infway.api.operations import CHAT, COMPLETIONS, OPERATIONS
from infway.api.routes import Routes

PATH = "/v1/completions"
USUAL = {"model": "m1", "prompt": "The sky is"}


@pytest.fixture
async def kinds(start: Start) -> AsyncIterator[Kinds]:
    async with AsyncExitStack() as stack:
        yield Kinds(start, stack)


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"prompt": 5}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [[]]}, "prompt[0]"),
        ({"prompt": ["a", 1]}, "prompt[1]"),
        ({"prompt": [1, [1]]}, "prompt[1]"),
        ({"prompt": [-1]}, "prompt[0]"),
        ({"prompt": {"a": 1}}, "prompt"),
        ({"best_of": 0}, "best_of"),
        ({"best_of": 129}, "best_of"),
        ({"best_of": 1, "n": 2}, "best_of"),
        ({"n": 129, "best_of": 128}, "n"),
        ({"logprobs": 6}, "logprobs"),
        ({"logprobs": True}, "logprobs"),
        ({"echo": "yes"}, "echo"),
        ({"suffix": 1}, "suffix"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"temperature": 2.1}, "temperature"),
        ({"top_p": 1.1}, "top_p"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"presence_penalty": 3}, "presence_penalty"),
        ({"logit_bias": {"1": "a"}}, "logit_bias.1"),
        ({"response_format": {"type": 5}}, "response_format.type"),
        ({"model": {"imsn": 2}}, "model.imsn"),
        ({"model": ""}, "model"),
        ({"provider": {"order": "a"}}, "provider.order"),
    ],
)
async def test_a_field_out_of_range_is_named(kinds: Kinds, said: dict, param: str):
    gateway = await kinds.native()
    refused(await gateway.post(PATH, {**USUAL, **said}), 400, "invalid_field", param)
    assert gateway.upstream.asked == []


async def test_a_prompt_has_to_be_there(kinds: Kinds):
    gateway = await kinds.native()
    for body in ({"model": "m1"}, {**USUAL, "prompt": None}):
        refused(await gateway.post(PATH, body), 400, "missing_required_field", "prompt")
    messages = [{"role": "user", "content": "a"}]
    heard = await gateway.post(PATH, {"model": "m1", "messages": messages})
    refused(heard, 400, "missing_required_field", "prompt")
    for data in (b"", b"{", b"[]", b'"a"', b"\xff{}", b'{"a":' * 9000):
        refused(await gateway.post(PATH, data), 400, "invalid_request_body")


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": [[1]]}, "prompt"),
        ({"suffix": "."}, "suffix"),
        ({"best_of": 3}, "best_of"),
        ({"logprobs": 0}, "logprobs"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"echo": True, "logprobs": 1}, "echo"),
    ],
)
async def test_what_no_chat_can_say_is_a_400_that_names_the_field(
    kinds: Kinds, said: dict, param: str, is_stream: bool
):
    gateway = await kinds.carried()
    heard = await gateway.post(PATH, {**USUAL, **said, "stream": is_stream})
    refused(heard, 400, "unsupported_parameter", param)
    assert heard.header("x-should-retry") == "false"
    assert gateway.upstream.asked == []


async def test_what_a_server_reads_past_is_a_400_as_well(kinds: Kinds):
    gateway = await kinds.native()  # vLLM knows no suffix
    heard = await gateway.post(PATH, {**USUAL, "suffix": "."})
    refused(heard, 400, "unsupported_parameter", "suffix")
    assert gateway.upstream.asked == []
    assert (await gateway.post(PATH, {**USUAL, "suffix": "", "best_of": 1})).status == 200


async def test_a_prompt_too_long_for_all_is_the_prompts_fault(kinds: Kinds):
    small = {"id": "m1", "native": "n", "input_price": 0, "output_price": 0, "context": 50}
    gateway = await kinds.native(models=[small])
    heard = await gateway.post(PATH, {**USUAL, "prompt": "word " * 100})
    refused(heard, 400, "context_length_exceeded", "prompt")
    refused(
        await gateway.post(PATH, {**USUAL, "prompt": [[1] * 60]}),
        400, "context_length_exceeded", "prompt",
    )  # fmt: skip
    each_fits = ["word " * 20] * 20
    assert (await gateway.post(PATH, {**USUAL, "prompt": each_fits})).status == 200


async def test_a_chats_complaint_of_its_messages_is_one_of_the_prompt(kinds: Kinds):
    error = {"message": "too short", "type": "invalid_request_error", "param": "messages[0]"}
    gateway = await kinds.carried(lambda _: whole({"error": error}, status=400))
    refused(await gateway.post(PATH, USUAL), 400, "upstream_rejected", "prompt")


async def test_a_server_without_that_endpoint_is_passed_over_and_keeps_its_chats(kinds: Kinds):
    def chats_only(asked: Asked) -> Script:
        return either(asked) if asked.path.endswith("/chat/completions") else fault(404)

    gateway = await kinds.native(chats_only)
    for _ in range(5):
        refused(await gateway.post(PATH, USUAL), 400, "unsupported_parameter")
    assert (await gateway.chat()).status == 200


@pytest.mark.parametrize("kind", ["native", "carried"])
async def test_a_stream_that_breaks_off_ends_with_an_error_and_the_sentinel(
    kinds: Kinds, kind: str
):
    begun = text_chunk(text_choice(" bl")) if kind == "native" else b"".join(frames("Hi")[:2])
    gateway = await getattr(kinds, kind)(lambda _: stream(begun, cut=True))
    heard = await gateway.post(PATH, {**USUAL, "stream": True})
    assert heard.frames[-1] == DONE.strip()
    last = heard.chunks[-1]
    assert last["object"] == "text_completion"
    assert last["error"]["code"] == "upstream_disconnected"
    (choice,) = last["choices"]
    assert (choice["text"], choice["finish_reason"]) == ("", "error")
    rows = await gateway.rows()
    assert {row.outcome for row in rows} == {"stream_cut"}


async def test_a_stream_that_fails_before_it_begins_is_an_error_body(kinds: Kinds):
    gateway = await kinds.native(lambda _: fault(400, "no"))
    refused(await gateway.post(PATH, {**USUAL, "stream": True}), 400, "upstream_rejected")


async def test_a_client_that_leaves_closes_the_upstream(kinds: Kinds):
    never = asyncio.Event()
    gateway = await kinds.native(lambda _: stream(text_chunk(text_choice("a")), never))
    async with gateway.line() as line:
        _ask(line)
        await line.head()
        await line.piece()
        line.hang_up()
    await asyncio.wait_for(gateway.upstream.gone.wait(), 5)


def _ask(line: Line) -> None:
    body = b'{"model":"m1","prompt":"a","stream":true}'
    line.send("POST", PATH, (BEARER, JSON), body)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/completions",
        "/completions",
        "/api/v1/completions",
        "/engines/m1/completions",
        "/v1/engines/m1/completions",
        "/openai/deployments/m1/completions?api-version=2024-10-21",
        "/v1/m1/completions",
        "/v1/vllm/m1/completions",
    ],
)
async def test_every_path_serves_and_a_model_in_it_beats_the_body(kinds: Kinds, path: str):
    gateway = await kinds.native()
    names = "m1" in path
    heard = await gateway.post(path, {"prompt": "a", "model": "m2" if names else "m1"})
    assert heard.json["model"] == "m1"
    refused(await gateway.get(path), 405, "method_not_allowed")


async def test_paths_of_text_completions_shadow_none_of_chats(kinds: Kinds):
    gateway = await kinds.native(both)
    message = {"messages": [{"role": "user", "content": "a"}], "model": "m1"}
    for path in [*CHAT.paths, "/engines/m1/chat/completions", "/v1/engines/m1/chat/completions"]:
        heard = await gateway.post(path, message)
        assert heard.json["object"] == "chat.completion", path
    named = [row.family for row in OPERATIONS if row.family.tail]
    assert named.index(CHAT) < named.index(COMPLETIONS)


def test_a_model_whose_name_holds_slashes_is_found_in_the_path():
    class Named:
        async def answer(self, *_: object) -> None: ...

        def refusal(self, _: object) -> bytes:
            return b""

    chat, text = Named(), Named()
    routes = Routes([(CHAT, chat), (COMPLETIONS, text)])
    assert routes.find("/v1/meta/llama/3:free/completions") == (text, "meta/llama/3:free")
    assert routes.find("/openai/deployments/a/b/completions") == (text, "a/b")
    assert routes.find("/engines/a/chat/completions") == (chat, "a")
    assert routes.find("/v1/chat/completions") == (chat, None)
    assert routes.find("/v1/completions") == (text, None)
    assert routes.find("/v2/a/completions") == (None, None)


async def test_a_filtered_choice_has_no_text(kinds: Kinds):
    gateway = await kinds.native(lambda _: whole(continued(text_choice(None, "content_filter"))))
    (choice,) = (await gateway.post(PATH, USUAL)).json["choices"]
    assert (choice["text"], choice["finish_reason"]) == ("", "content_filter")
