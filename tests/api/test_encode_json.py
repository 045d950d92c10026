"""Whole replies: what the upstream said, with what infway adds."""

import msgspec
import pytest
from tests.api.caller import JSON, KEY, chat_body
from tests.api.upstream import USAGE, answer, either, fault, whole
from tests.conftest import Gateway, Start

from infway.api.replies import ChatReply

INFUZU = (("Infuzu-API-Key", KEY), JSON)
PATH = "/v1/chat/completions"
DETAILS = {
    **USAGE,
    "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": None},
    "completion_tokens_details": {"reasoning_tokens": 2},
    "cost": 0.1,
}
FLAT = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1.0}'}}


async def test_a_reply_has_the_described_shape_and_is_no_error(gateway: Gateway) -> None:
    heard = await gateway.chat()
    reply = msgspec.json.decode(heard.body, type=ChatReply)
    assert (reply.model, reply.system_fingerprint) == ("m1", "fp_1")
    (choice,) = reply.choices
    assert (choice.finish_reason, choice.native_finish_reason) == ("stop", "stop")
    assert choice.model is not None
    assert (choice.model.ref, choice.model.rank) == ("m1", 1)
    assert choice.latency is not None
    assert 0 <= choice.latency.start_latency <= choice.latency.end_latency
    assert "error" not in heard.json
    assert heard.header("content-type") == "application/json"


async def test_usage_keeps_its_details_but_never_a_cost(start: Start) -> None:
    gateway = await start(lambda _: whole(answer(usage=DETAILS)))
    assert (await gateway.chat()).json["usage"] == {k: v for k, v in DETAILS.items() if k != "cost"}


async def test_usage_is_three_integers_in_the_infuzu_dialect(start: Start) -> None:
    gateway = await start(lambda _: whole(answer(usage=DETAILS)))
    replies = [
        await gateway.post(PATH, chat_body(), INFUZU),
        await gateway.post(PATH, chat_body(), (("X-Infuzu-API-Key", KEY), JSON)),
        await gateway.post("/api" + PATH, chat_body()),
        await gateway.chat(model={"llms": ["m1"]}),
        await gateway.chat(model=None),
    ]
    for heard in replies:
        assert heard.json["usage"] == FLAT


async def test_an_upstream_that_counts_nothing_is_counted_for(start: Start) -> None:
    said = answer("word " * 40)
    del said["usage"]
    gateway = await start(lambda _: whole(said))
    usage = (await gateway.chat()).json["usage"]
    assert usage["completion_tokens"] > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


async def test_the_cost_is_exact_at_the_root_where_it_was_asked_for(start: Start) -> None:
    gateway = await start(lambda _: whole(answer(usage=DETAILS)))
    heard = await gateway.chat(usage={"include": True})
    assert b'"cost":0.0000925,' in heard.body
    details = heard.json["cost_details"]
    # 7 plain and 4 cached input tokens: the cost of the prompt and of the completion are the whole
    assert b'"prompt_cost":0.0000225,' in heard.body
    assert b'"prompt_cache_read_cost":0.000005,' in heard.body
    assert b'"completion_cost":0.00007,' in heard.body
    assert details["prompt_cache_write_cost"] == 0
    assert "cost" not in heard.json["usage"]
    assert heard.header("infe-unit-cost") == "0.000093"
    assert "cost" not in (await gateway.chat()).json
    gateway.upstream.say = lambda _: whole(
        answer(usage={**USAGE, "estimated_cost": 1}, cost=0.5, cost_details={"prompt_cost": 0.5})
    )
    assert b"cost" not in (await gateway.chat()).body


async def test_an_odd_price_is_not_rounded(start: Start) -> None:
    gateway = await start(lambda _: whole(answer(usage=USAGE)))
    model = {"id": "m3", "input_price": "0.000123", "output_price": "123456.789"}
    tree = {"name": "one", "vendor": "custom", "base_url": gateway.upstream.url, "models": [model]}
    odd = await start(upstream=gateway.upstream, upstreams=[tree])
    heard = await odd.chat(model="m3", usage={"include": True})
    assert b'"cost":0.864197524353,' in heard.body
    assert heard.header("infe-unit-cost") == "0.864198"


async def test_an_answer_of_nothing_costs_nothing(start: Start) -> None:
    nothing = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    gateway = await start(lambda _: whole(answer("", usage=nothing)))
    heard = await gateway.chat(usage={"include": True})
    assert (heard.json["cost"], heard.header("infe-unit-cost")) == (0, "0.000000")


@pytest.mark.parametrize(
    ("native", "reason"),
    [("stop", "stop"), ("length", "length"), ("tool_calls", "tool_calls"),
     ("function_call", "tool_calls"), ("content_filter", "content_filter"), ("eos", "stop"),
     ("max_tokens", "length"), ("never-heard-of", "stop")],
)  # fmt: skip
async def test_finish_reasons_are_five_and_the_upstreams_own_stands_beside(
    start: Start, native: str, reason: str
) -> None:
    message = {"role": "assistant", "content": "x"}
    choice = {"index": 0, "message": message, "finish_reason": native}
    gateway = await start(lambda _: whole(answer(choices=[choice])))
    (seen,) = (await gateway.chat()).json["choices"]
    assert (seen["finish_reason"], seen["native_finish_reason"]) == (reason, native)


async def test_what_the_model_said_goes_through_untouched(start: Start) -> None:
    logprob = {"token": "é", "logprob": -0.10, "bytes": [195, 169], "top_logprobs": []}
    audio = {"id": "a1", "data": "UklGRg==", "expires_at": 1, "transcript": "Hi"}
    messages = [
        {"role": "assistant", "content": "é \u2028 𝄞", "annotations": [{"type": "x"}]},
        {"role": "assistant", "content": None, "tool_calls": [CALL, {**CALL, "id": "c2"}]},
        {"role": "assistant", "content": None, "audio": audio},
        {"role": "assistant", "content": None, "refusal": "No"},
        {"role": "assistant", "content": None, "function_call": CALL["function"]},
    ]
    choices = [
        {"index": i, "message": one, "logprobs": {"content": [logprob]}, "finish_reason": "stop"}
        for i, one in enumerate(messages)
    ]
    said = answer(choices=choices, service_tier="flex", odd_root={"a": 1.50})
    gateway = await start(lambda _: whole(said))
    asked = {"n": 5, "logprobs": True, "top_logprobs": 0, "tools": [{"type": "function"}]}
    asked |= {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}
    heard = await gateway.chat(**asked)
    assert heard.status == 200
    assert [one["message"] for one in heard.json["choices"]] == messages
    assert [one["logprobs"] for one in heard.json["choices"]] == [{"content": [logprob]}] * 5
    assert [one["index"] for one in heard.json["choices"]] == [0, 1, 2, 3, 4]
    assert heard.json["service_tier"] == "flex"
    assert heard.json["odd_root"] == {"a": 1.5}
    assert gateway.upstream.asked[0].json.items() >= asked.items()


async def test_reasoning_is_given_by_both_of_its_names(start: Start) -> None:
    for name in ("reasoning", "reasoning_content"):
        message = {"role": "assistant", "content": "x", name: "hm"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        gateway = await start(lambda _, one=choice: whole(answer(choices=[one])))  # type: ignore[misc]
        seen = (await gateway.chat()).json["choices"][0]["message"]
        assert (seen["reasoning"], seen["reasoning_content"]) == ("hm", "hm")


async def test_a_prompt_on_the_chat_path_is_answered_by_plain_text(gateway: Gateway) -> None:
    heard = await gateway.post(PATH, {"model": "m1", "prompt": "Hi"})
    (choice,) = heard.json["choices"]
    assert (choice["text"], choice["finish_reason"]) == ("Hello", "stop")
    assert "message" not in choice
    msgspec.json.decode(heard.body, type=ChatReply)


async def test_warnings_are_told_only_in_the_infuzu_dialect(gateway: Gateway) -> None:
    both = {"llms": ["m1", "m2"], "exclude_llms": ["m2"]}
    heard = await gateway.chat(model=both)
    assert heard.json["model"] == "m1"
    (warning,) = heard.json["warnings"]
    assert warning.keys() == {"code", "message"}
    assert warning["code"] == "llms_and_exclude_llms"
    assert "warnings" not in (await gateway.chat()).json
    heard = await gateway.post("/engines/m1/chat/completions", chat_body(model=both))
    assert "warnings" not in heard.json
    assert "warnings" in (await gateway.chat(model={**both, "imsn": 2})).json


async def test_the_openai_sdk_reads_whole_replies_streams_and_errors(gateway: Gateway) -> None:
    from openai import AsyncOpenAI, NotFoundError

    async with AsyncOpenAI(api_key=KEY, base_url=f"{gateway.url}/v1", max_retries=0) as client:
        create = client.chat.completions.create
        reply = await create(model="m1", messages=[{"role": "user", "content": "Hi"}])
        assert reply.choices[0].message.content == "Hello"
        stream = await create(model="m1", messages=[{"role": "user", "content": "Hi"}], stream=True)
        texts = [one.choices[0].delta.content or "" async for one in stream]
        assert "".join(texts) == "Hello"
        with pytest.raises(NotFoundError) as caught:
            await create(model="none", messages=[{"role": "user", "content": "Hi"}])
        assert caught.value.code == "model_not_found"


async def test_another_offer_answers_where_the_first_fails(start: Start) -> None:
    first = True

    def say(asked: object) -> object:
        nonlocal first
        failing, first = first, False
        return fault(500) if failing else either(asked)  # type: ignore[arg-type]

    gateway = await start(say)  # type: ignore[arg-type]
    heard = await gateway.chat(model={"llms": ["m1", "m2"]})
    assert heard.status == 200
    assert heard.header("x-gateway-attempts") == "one:http_500, one:ok"
    assert [row.outcome for row in await gateway.rows()] == ["ok", "http_500", "ok"]


BAD = {
    "no JSON": (b"{oops", "application/json"),
    "a page": (b"<html>", "text/html"),
    "no choices": (b'{"id":"x","choices":[]}', "application/json"),
    "an error in a 200": (b'{"error":{"message":"x","code":500}}', "application/json"),
    "nothing": (b"", "application/json"),
    "invalid UTF-8": (b'{"id":"\xff","choices":[{"message":{}}]}', "application/json"),
    "too deep": (b'{"choices":[{"message":' + b"[" * 50_000 + b"]" * 50_000 + b"}]}", "application/json"),
    "a wrong index": (b'{"choices":[{"index":"x","message":{}}]}', "application/json"),
    "a null message": (b'{"choices":[{"index":0,"message":null,"finish_reason":"stop"}]}',
                       "application/json"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "kind"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("prompt", [False, True])
async def test_an_answer_that_is_none_is_the_upstreams_fault_and_never_ours(
    start: Start, body: bytes, kind: str, prompt: bool
) -> None:
    gateway = await start(lambda _: whole(body, kind=kind), attempts={"max": 1})
    fields = {"messages": None, "prompt": "Hi"} if prompt else {}
    heard = await gateway.chat(**fields)
    assert heard.status in (200, 502), heard
    if heard.status == 502:
        assert heard.code.startswith("upstream_")
    assert b"oops" not in heard.body
