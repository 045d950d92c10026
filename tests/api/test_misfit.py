"""What is wrong with a body is named by the caller's own path, and what is said of it helps."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.api.completing import Kinds, both
from tests.api.gemini_talking import talking
from tests.api.upstream import listening
from tests.conftest import Gateway, Start, upstream_settings

HI = {"role": "user", "content": "Hi"}
GEMINI = "/v1beta/models/m1:generateContent"
COUNT = "/v1beta/models/m1:countTokens"
SAID = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
SMALL = {"id": "m1", "native": "n", "input_price": 1, "output_price": 1, "context": 2048}
TEXTS = {"model": "m1", "prompt": "The sky is"}


@pytest.fixture
async def kinds(start: Start) -> AsyncIterator[Kinds]:
    async with AsyncExitStack() as stack:
        yield Kinds(start, stack)


async def wrong(gateway: Gateway, path: str, body: object) -> tuple[str, str, str]:
    """Return code, field and words of a refusal with 400, in whatever dialect."""
    heard = await gateway.post(path, body)
    assert heard.status == 400, heard
    error = heard.json["error"]
    if "details" in error:
        info = error["details"][0]
        return info["reason"], info["metadata"].get("param"), error["message"]
    return error["code"], error["param"], error["message"]


@pytest.mark.parametrize(
    ("path", "fields", "field"),
    [
        ("/v1/responses", {"parameters": 5}, "tools[0].parameters"),
        ("/v1/responses", {"strict": "yes"}, "tools[0].strict"),
        ("/v1/responses", {"description": []}, "tools[0].description"),
        ("/v1/responses", {"name": 5}, "tools[0].name"),
        ("/v1/responses/input_tokens", {"parameters": 5}, "tools[0].parameters"),
        ("/v1/responses/compact", {"parameters": 5}, "tools[0].parameters"),
        ("/v1/messages", {"input_schema": 5}, "tools[0].input_schema"),
        ("/v1/messages/count_tokens", {"strict": 5}, "tools[0].strict"),
        (GEMINI, {"parameters": 5}, "tools[0].functionDeclarations[0].parameters"),
    ],
    ids=str,
)
async def test_a_wrong_function_is_named_by_the_path_that_its_caller_wrote(
    gateway: Gateway, path: str, fields: dict[str, object], field: str
) -> None:
    function = {"type": "function", "name": "f", **fields}
    body: dict[str, Any] = {"model": "m1", "input": "Hi", "tools": [function]}
    if path.startswith("/v1/messages"):
        tool = {**function, "type": "custom"}
        body = {"model": "m1", "messages": [HI], "max_tokens": 9, "tools": [tool]}
    elif path == GEMINI:
        body = {**SAID, "tools": [{"functionDeclarations": [function]}]}
    code, param, words = await wrong(gateway, path, body)
    assert (code, param) == ("invalid_field", field)
    assert words.startswith(f"{field}: Expected ")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"contents": [{"parts": [{}]}]}, "contents[0].parts[0]"),
        ({"contents": [{"role": "user"}]}, "contents[0].parts"),
        ({"contents": [{"parts": [{"text": 5}]}]}, "contents[0].parts[0].text"),
        (
            {**SAID, "toolConfig": {"functionCallingConfig": {"mode": "odd"}}},
            "toolConfig.functionCallingConfig.mode",
        ),
    ],
    ids=str,
)
async def test_in_a_request_that_is_counted_the_path_begins_at_the_root(
    gateway: Gateway, said: dict[str, object], field: str
) -> None:
    body = {"generateContentRequest": {"model": "models/m1", **said}}
    _, param, words = await wrong(gateway, COUNT, body)
    assert param == f"generateContentRequest.{field}"
    assert words.startswith(param)
    _, param, _ = await wrong(gateway, COUNT, said)
    assert param == field


@pytest.mark.parametrize(
    ("contents", "field"),
    [
        ([], "contents"),
        ([{"role": "user"}], "contents[0].parts"),
        ([{"role": "user", "parts": []}], "contents[0].parts"),
        ([{"parts": [{"text": ""}]}, {"parts": None}], "contents[1].parts"),
        ([{"parts": [{"text": ""}]}], "contents"),
    ],
    ids=str,
)
async def test_of_contents_that_say_nothing_it_is_told_where(
    gateway: Gateway, contents: list[object], field: str
) -> None:
    code, param, words = await wrong(gateway, GEMINI, {"contents": contents})
    assert (code, param) == ("missing_required_field", field)
    assert words.startswith(param)


@pytest.mark.parametrize("beside", [[], [{"text": "Hi"}]], ids=["alone", "beside a text"])
async def test_a_part_of_googles_newest_kind_goes_to_google_alone(
    start: Start, gateway: Gateway, beside: list[object]
) -> None:
    body = {"contents": [{"role": "user", "parts": [*beside, {"brandNew": {"a": 1}}]}]}
    code, param, _ = await wrong(gateway, GEMINI, body)
    assert (code, param) == ("unsupported_parameter", f"contents[0].parts[{len(beside)}].brandNew")
    assert gateway.upstream.asked == []
    async with talking(start, "gemini") as google:
        assert (await google.post(GEMINI, body)).status == 200
        assert google.upstream.asked[0].json["contents"] == body["contents"]
        empty = {"contents": [{"parts": [{"brandNew": None}]}]}
        code, param, _ = await wrong(google, GEMINI, empty)
    assert (code, param) == ("missing_required_field", "contents[0].parts[0]")


@pytest.mark.parametrize(
    ("path", "body", "limit", "held"),
    [
        ("/v1/chat/completions", {"messages": [HI]}, "max_tokens", "messages"),
        ("/v1/chat/completions", {"messages": [HI]}, "max_completion_tokens", "messages"),
        ("/v1/completions", {"prompt": "Hi"}, "max_tokens", "prompt"),
        ("/v1/responses", {"input": "Hi"}, "max_output_tokens", "input"),
        ("/v1/messages", {"messages": [HI]}, "max_tokens", "messages"),
        (GEMINI, SAID, "generationConfig.maxOutputTokens", "contents"),
    ],
    ids=str,
)
async def test_an_output_too_large_for_all_is_the_fault_of_its_limit(
    kinds: Kinds, path: str, body: dict[str, object], limit: str, held: str
) -> None:
    gateway = await kinds.native(models=[SMALL])

    def limited(most: int) -> dict[str, object]:
        name, _, inner = limit.partition(".")
        return {"model": "m1", **body, name: {inner: most} if inner else most}

    for most in (5000, 2048):
        _, param, words = await wrong(gateway, path, limited(most))
        assert param == limit
        assert words == (
            f"`{limit}` asks for {most} tokens of output: "
            "no offer of the model holds more than 2048, the input among them."
        )
    _, param, words = await wrong(gateway, path, limited(2047))
    assert (param, "tokens of input" in words) == (held, True)
    assert gateway.upstream.asked == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"prompt": ["a", "b"]}, "`prompt` (several prompts)"),
        ({"prompt": [1, 2]}, "`prompt` (token ids)"),
        ({"max_tokens": 0}, "`max_tokens` (0 tokens)"),
        ({"best_of": 3}, "`best_of` (more than `n`)"),
        ({"echo": True, "logprobs": 1}, "`echo` (with `logprobs`), `logprobs`"),
    ],
    ids=str,
)
async def test_what_a_text_completion_asks_beyond_chats_is_said_in_words(
    kinds: Kinds, fields: dict[str, object], words: str
) -> None:
    gateway = await kinds.carried()
    _, _, said = await wrong(gateway, "/v1/completions", {**TEXTS, **fields})
    assert said.startswith(f"No offer of the model can be told {words}: its upstreams")


async def test_a_message_of_no_tokens_is_said_in_words(gateway: Gateway) -> None:
    body = {"model": "m1", "messages": [HI], "max_tokens": 0}
    _, param, said = await wrong(gateway, "/v1/messages", body)
    assert param == "max_tokens"
    assert "told `max_tokens` (0 tokens): " in said


async def test_of_an_echo_that_works_alone_it_is_told_what_it_does_not_go_with(
    start: Start,
) -> None:
    async with listening(both) as behind:
        row = upstream_settings("one", behind, "m1", vendor="llamacpp")
        gateway = await start(upstream=behind, upstreams=[row])
        assert (await gateway.post("/v1/completions", {**TEXTS, "echo": True})).status == 200
        body = {**TEXTS, "echo": True, "logprobs": 1}
        code, param, words = await wrong(gateway, "/v1/completions", body)
    assert (code, param) == ("unsupported_parameter", "echo")
    assert "`echo` (with `logprobs`): this upstream does not take it." in words


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/chat/completions", {"logit_bias": {"5": 1, "1": "a"}}, "logit_bias.1"),
        ("/v1/chat/completions", {"logit_bias": {"a.b": None}}, "logit_bias.a.b"),
        ("/v1/chat/completions", {"logit_bias": {"x" * 99: []}}, f"logit_bias.{'x' * 64}"),
        (
            "/v1/chat/completions",
            {"provider": {"preferred_max_latency": {"p50": 1, "p90": True}}},
            "provider.preferred_max_latency.p90",
        ),
        ("/v1/completions", {"prompt": "Hi", "logit_bias": {"1": "a"}}, "logit_bias.1"),
        (GEMINI, {**SAID, "labels": {"team": 5}}, "labels.team"),
    ],
    ids=str,
)
async def test_a_value_under_a_key_of_the_callers_own_is_named_by_that_key(
    gateway: Gateway, path: str, body: dict[str, object], field: str
) -> None:
    code, param, words = await wrong(gateway, path, {"model": "m1", "messages": [HI], **body})
    assert (code, param) == ("invalid_field", field)
    assert words.startswith(f"{field}: Expected ")


async def test_a_page_that_was_never_named_is_refused(gateway: Gateway) -> None:
    first = (await gateway.get("/v1beta/models?pageSize=1")).json
    second = await gateway.get(f"/v1beta/models?pageSize=1&pageToken={first['nextPageToken']}")
    assert [one["name"] for one in second.json["models"]] == ["models/m2"]
    for token in ("zz", "-1", "1e3", "1" * 40, "%D9%A1"):
        heard = await gateway.get(f"/v1beta/models?pageToken={token}")
        error = heard.json["error"]
        assert (heard.status, error["status"]) == (400, "INVALID_ARGUMENT")
        assert error["details"][0]["metadata"] == {"param": "pageToken"}
    assert (await gateway.get("/v1beta/models?pageToken=")).status == 200
