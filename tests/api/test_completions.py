"""Text completions over both kinds of upstreams: servers that continue texts, and chats."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from tests.api.caller import NARROW_KEY, Heard, refused
from tests.api.completing import Kinds, continued, text_choice, text_chunk
from tests.api.upstream import DONE, USAGE, Script, answer, chunk, stream, whole
from tests.conftest import Gateway, Start
from tests.providers.test_adapter import SAID, SAMPLES

PATH = "/v1/completions"
PROMPT = "The sky is"
# What the OpenAI SDK and its copies send for an older model
USUAL = {"model": "m1", "prompt": PROMPT, "max_tokens": 16, "temperature": 0.5, "stop": ["\n"]}


@pytest.fixture
async def kinds(start: Start) -> AsyncIterator[Kinds]:
    async with AsyncExitStack() as stack:
        yield Kinds(start, stack)


def texts(heard: Heard) -> list[str]:
    """Return what a stream said in its first choice."""
    choices = [choice for chunk in heard.chunks for choice in chunk["choices"]]
    return [choice["text"] for choice in choices if choice["index"] == 0]


async def sent(gateway: Gateway, **fields: object) -> tuple[Heard, dict]:
    """Ask, and return the reply and what the upstream was asked."""
    heard = await gateway.post(PATH, {**USUAL, **fields})
    return heard, json.loads(gateway.upstream.asked[-1].body)


async def test_a_server_that_continues_texts_gets_the_prompt_itself(kinds: Kinds):
    gateway = await kinds.native()
    heard, asked = await sent(gateway, user="u", top_k=4, seed=None)
    assert gateway.upstream.asked[-1].path == "/v1/completions"
    assert asked == {**USUAL, "model": "native-m1", "user": "u", "top_k": 4}
    assert heard.header("x-gateway-carried") is None
    assert heard.header("x-gateway-dropped") is None
    reply = heard.json
    latency = reply["choices"][0].pop("latency")
    assert latency.keys() == {"start_latency", "end_latency"}
    assert reply == {
        "id": f"cmpl-{heard.header('x-request-id')}",
        "object": "text_completion",
        "created": 1_700_000_000,
        "model": "m1",
        "choices": [
            text_choice(" blue.", "stop")
            | {"native_finish_reason": "stop", "model": {"ref": "m1", "rank": 1}}
        ],
        "usage": USAGE,
    }


async def test_a_server_that_continues_texts_streams_them(kinds: Kinds):
    gateway = await kinds.native()
    heard, asked = await sent(gateway, stream=True)
    assert asked["stream_options"] == {"include_usage": True}
    assert heard.frames[-1] == DONE.strip()
    assert texts(heard) == [" bl", "ue.", ""]
    assert {one["object"] for one in heard.chunks} == {"text_completion"}
    assert {one["model"] for one in heard.chunks} == {"m1"}
    assert {one["id"] for one in heard.chunks} == {f"cmpl-{heard.header('x-request-id')}"}
    last = heard.chunks[-1]
    assert last["usage"] == USAGE
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["choices"][0]["model"] == {"ref": "m1", "rank": 1}


async def test_a_chat_carries_the_prompt_and_says_so(kinds: Kinds):
    gateway = await kinds.carried()
    heard, asked = await sent(gateway)
    assert gateway.upstream.asked[-1].path == "/v1/chat/completions"
    rest = {name: value for name, value in USUAL.items() if name != "prompt"}
    messages = [{"role": "user", "content": PROMPT}]
    assert asked == {**rest, "model": "native-m1", "messages": messages}
    assert heard.header("x-gateway-carried") == "chat"
    (choice,) = heard.json["choices"]
    assert choice["text"] == "Hello"
    assert choice["finish_reason"] == "stop"
    assert choice["model"] == {"ref": "m1", "rank": 1}
    assert "message" not in choice
    assert heard.json["object"] == "text_completion"
    assert heard.json["id"].startswith("cmpl-")
    assert heard.json["usage"] == USAGE


async def test_a_chat_that_carries_the_prompt_streams(kinds: Kinds):
    gateway = await kinds.carried()
    heard, _ = await sent(gateway, stream=True, stream_options={"include_usage": True})
    assert heard.header("x-gateway-carried") == "chat"
    assert heard.frames[-1] == DONE.strip()
    assert texts(heard) == ["Hel", "lo", ""]
    assert all("delta" not in choice for one in heard.chunks for choice in one["choices"])
    assert {one["object"] for one in heard.chunks} == {"text_completion"}
    assert heard.chunks[-1]["choices"] == []
    assert heard.chunks[-1]["usage"] == USAGE


@pytest.mark.parametrize("kind", ["native", "carried"])
@pytest.mark.parametrize("is_stream", [False, True])
async def test_the_prompt_is_echoed_and_no_upstream_has_to(
    kinds: Kinds, kind: str, is_stream: bool
):
    gateway = await getattr(kinds, kind)()
    heard, asked = await sent(gateway, echo=True, stream=is_stream)
    said = "".join(texts(heard)) if is_stream else heard.json["choices"][0]["text"]
    assert said == PROMPT + (" blue." if kind == "native" else "Hello")
    assert "echo" not in asked


@pytest.mark.parametrize("is_stream", [False, True])
async def test_every_prompt_of_several_is_echoed_before_its_own_continuations(
    kinds: Kinds, is_stream: bool
):
    ends = [text_choice(f"-{index}", "stop", index) for index in (2, 0, 3, 1)]
    script = stream(*(text_chunk(end) for end in ends), text_chunk(usage=USAGE), DONE)
    gateway = await kinds.native(lambda _: script if is_stream else whole(continued(*ends)))
    heard, asked = await sent(gateway, echo=True, prompt=["a", "b"], n=2, stream=is_stream)
    assert asked["prompt"] == ["a", "b"]
    said: dict[int, str] = {}
    for one in heard.chunks if is_stream else [heard.json]:
        for choice in one["choices"]:
            said[choice["index"]] = said.get(choice["index"], "") + choice["text"]
    assert said == {0: "a-0", 1: "a-1", 2: "b-2", 3: "b-3"}


async def test_an_echo_with_log_probabilities_is_left_to_the_upstream(kinds: Kinds):
    lists = {
        "tokens": ["The"],
        "token_logprobs": [None],
        "top_logprobs": [None],
        "text_offset": [0],
    }
    reply = continued(text_choice("The sky", "length", logprobs=lists))
    gateway = await kinds.native(lambda _: whole(reply))
    heard, asked = await sent(gateway, echo=True, logprobs=1, max_tokens=0)
    assert (asked["echo"], asked["logprobs"], asked["max_tokens"]) == (True, 1, 0)
    assert heard.json["choices"][0]["logprobs"] == lists
    assert heard.json["choices"][0]["text"] == "The sky"


async def test_token_ids_and_other_needs_go_only_to_servers_that_continue_texts(kinds: Kinds):
    gateway = await kinds.mixed()
    for said in (
        {"prompt": [1, 2, 3]},
        {"prompt": [[1, 2], [3]]},
        {"prompt": ["a", "b"]},
        {"best_of": 2},
        {"logprobs": 0},
        {"max_tokens": 0},
    ):
        heard, asked = await sent(gateway, **said)
        assert heard.header("x-gateway-provider") == "texts", said
        assert said.items() <= asked.items()
    plain, _ = await sent(gateway)
    assert plain.header("x-gateway-provider") == "chats"


async def test_of_prompt_and_messages_the_prompt_counts(kinds: Kinds):
    both = {"messages": [{"role": "user", "content": "no"}], "top_k": 40, "repetition_penalty": 1.2}
    for gateway in (await kinds.native(), await kinds.carried()):
        heard, asked = await sent(gateway, **both)
        assert heard.status == 200
        assert heard.header("x-gateway-dropped") == "messages"
        assert (asked["top_k"], asked["repetition_penalty"]) == (40, 1.2)
        said = asked.get("prompt") or asked["messages"][0]["content"]
        assert said == PROMPT


async def test_a_chats_reasoning_and_refusal_have_their_place(kinds: Kinds):
    message = {"role": "assistant", "content": None, "reasoning_content": "hm", "refusal": "No."}
    choices = [{"index": 0, "message": message, "finish_reason": "content_filter"}]
    gateway = await kinds.carried(lambda _: whole(answer(choices=choices)))
    (choice,) = (await sent(gateway))[0].json["choices"]
    assert (choice["text"], choice["reasoning"]) == ("No.", "hm")
    pieces = [chunk({"reasoning_content": "hm"}), chunk({"content": "Hi"}), chunk({}, "stop"), DONE]
    gateway = await kinds.carried(lambda _: stream(*pieces))
    heard, _ = await sent(gateway, stream=True)
    said = [choice for one in heard.chunks for choice in one["choices"]]
    assert [one.get("reasoning") for one in said] == ["hm", None, None]
    assert [one["text"] for one in said] == ["", "Hi", ""]


async def test_cost_stands_beside_the_usage_where_it_is_asked_for(kinds: Kinds):
    for gateway in (await kinds.native(), await kinds.carried()):
        for is_stream in (False, True):
            heard, _ = await sent(gateway, usage={"include": True}, stream=is_stream)
            last = heard.chunks[-1] if is_stream else heard.json
            assert last["cost"] == pytest.approx(11 * 2.5e-6 + 7 * 10e-6)
            assert last["cost_details"]["completion_cost"] == pytest.approx(7 * 10e-6)
        heard, _ = await sent(gateway, stream_options={"include_usage": True}, stream=True)
        assert heard.chunks[-1]["cost"] == pytest.approx(11 * 2.5e-6 + 7 * 10e-6)
        assert "cost_details" not in heard.chunks[-1]


async def test_infuzus_clients_read_three_integers(kinds: Kinds):
    gateway = await kinds.native(lambda _: whole(continued(usage={**USAGE, "more": {"a": 1}})))
    heard = await gateway.post("/api/v1/completions", USUAL)
    assert heard.json["usage"] == USAGE
    model = {"llms": ["m1"], "weights": {"price": 1}}
    assert (await gateway.post(PATH, {**USUAL, "model": model})).json["usage"] == USAGE


async def test_every_request_is_in_the_ledger_and_keys_keep_their_limits(kinds: Kinds):
    gateway = await kinds.native()
    await sent(gateway)
    await sent(gateway, stream=True)
    rows = await gateway.rows()
    assert [row.attempt for row in rows] == [0, 1, 0, 1]
    assert {(row.outcome, row.model, row.prompt_tokens, row.completion_tokens) for row in rows} == {
        ("ok", "m1", 11, 7)
    }
    narrow = (("Authorization", f"Bearer {NARROW_KEY}"), ("Content-Type", "application/json"))
    refused(await gateway.post(PATH, USUAL, narrow), 403, "model_not_accessible", "model")
    assert (await gateway.post(PATH, {**USUAL, "model": "m2"}, narrow)).status == 200


STREAMS = {
    "anthropic": "text/event-stream",
    "gemini": "text/event-stream",
    "cohere": "text/event-stream",
    "responses": "text/event-stream",
    "ollama": "application/x-ndjson",
    "bedrock": "application/vnd.amazon.eventstream",
}


@pytest.mark.parametrize("dialect", STREAMS)
@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_chat_of_any_dialect_carries_a_prompt(kinds: Kinds, dialect: str, is_stream: bool):
    data = (SAMPLES / dialect / ("stream" if is_stream else "whole")).read_bytes()
    kind = STREAMS[dialect] if is_stream else "application/json"
    gateway = await kinds.carried(lambda _: Script([data], kind=kind), dialect=dialect)
    heard, asked = await sent(gateway, stream=is_stream, logit_bias={"1": 1}, echo=True)
    assert heard.header("x-gateway-carried") == "chat"
    assert "logit_bias" in (heard.header("x-gateway-dropped") or "")
    assert PROMPT in json.dumps(asked)
    said = "".join(texts(heard)) if is_stream else heard.json["choices"][0]["text"]
    assert said == PROMPT + SAID
    last = heard.chunks[-1] if is_stream else heard.json
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["usage"]["completion_tokens"] > 0
