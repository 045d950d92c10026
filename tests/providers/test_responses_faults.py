"""Errors of OpenAI Responses: in place of a reply, inside of one, and streams that end too soon."""

import contextlib
import json
from random import Random

import pytest
from tests.providers.junk import junk, junk_object
from tests.providers.reading import broken
from tests.providers.responses_saying import (
    ADAPTER,
    added,
    delta,
    done,
    end,
    event,
    heard,
    message,
    said,
    whole,
)

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import CONSEQUENCES, Failure, Fault

ITEM = message("Hello")


def failed_whole(*output: dict, **fields: object) -> Failure:
    with pytest.raises(UpstreamFailed) as caught:
        whole(*output, **fields)
    return caught.value.failure


def failed(*frames: bytes) -> Failure:
    last = broken(heard(*frames))
    assert last is not None
    return last.failure


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (400, {"error": {"code": "context_length_exceeded", "message": "m"}}, Fault.CONTEXT_LENGTH),
        (400, {"error": {"code": "invalid_prompt", "message": "m"}}, Fault.CONTENT_FILTER),
        (400, {"error": {"code": "unsupported_value", "message": "m"}}, Fault.UPSTREAM_4XX),
        (400, {"error": {"code": "model_not_supported", "message": "m"}}, Fault.MODEL_MISSING),
        (400, {"error": {"code": "unsupported_api_for_model", "message": "m"}}, Fault.MODEL_MISSING),
        (404, {"error": {"code": "DeploymentNotFound", "message": "m"}}, Fault.MODEL_MISSING),
        (429, {"error": {"code": "insufficient_quota", "message": "m"}}, Fault.PROVIDER_QUOTA),
        (429, {"error": {"code": "rate_limit_exceeded", "message": "m"}}, Fault.RATE_LIMITED),
        (400, {"code": "invalid-argument", "error": "Incorrect API key provided."}, Fault.PROVIDER_AUTH),
        (403, {"code": "permission-denied", "error": "m"}, Fault.PROVIDER_AUTH),
        (402, {"error": {"code": 402, "message": "Insufficient credits"}}, Fault.PROVIDER_QUOTA),
        (402, {"error": {"message": "Insufficient Balance", "code": "x"}}, Fault.PROVIDER_QUOTA),
        (500, {"error": {"code": "server_error", "message": "m"}}, Fault.HTTP_500),
        (503, {"error": {"code": "slow_down", "message": "m"}}, Fault.RATE_LIMITED),
        (400, {"detail": "Instructions are required"}, Fault.UPSTREAM_4XX),
        (400, [{"error": {"code": "context_length_exceeded", "message": "m"}}], Fault.CONTEXT_LENGTH),
    ],
)  # fmt: skip
def test_a_reply_is_named_by_its_code(status: int, body: object, fault: Fault):
    failure = ADAPTER.fault(status, {"retry-after": "7"}, json.dumps(body).encode())
    assert failure.fault is fault
    assert failure.status == status
    assert failure.message
    assert failure.retry_after == 7


def test_the_field_that_is_wrong_is_named():
    body = {"error": {"code": "unsupported_value", "message": "m", "param": "reasoning.effort"}}
    assert ADAPTER.fault(400, {}, json.dumps(body).encode()).param == "reasoning.effort"


CODES = [
    ("server_error", Fault.INBAND_ERROR),
    ("rate_limit_exceeded", Fault.RATE_LIMITED),
    ("invalid_prompt", Fault.CONTENT_FILTER),
    ("bio_policy", Fault.CONTENT_FILTER),
    ("invalid_image_url", Fault.UPSTREAM_4XX),
    ("context_length_exceeded", Fault.CONTEXT_LENGTH),
    ("something_new", Fault.INBAND_ERROR),
    (502, Fault.HTTP_5XX),
    ("429", Fault.RATE_LIMITED),
]


@pytest.mark.parametrize(("code", "fault"), CODES)
def test_an_error_inside_a_reply_is_named_alike_wherever_it_stands(code: object, fault: Fault):
    error = {"code": code, "message": "It went wrong."}
    response = {"status": "failed", "error": error}
    start = added(ITEM) + delta("output_text", "Hel")
    for failure in (
        failed_whole(**response),
        failed_whole(ITEM, **response),
        failed(start, end(**response)),
        failed(start, event("error", **error)),
        failed(start, event("error", error=error)),
        failed(start, b"data: " + json.dumps({"error": error}).encode() + b"\n\n"),
    ):
        assert failure.fault is fault
        assert failure.message == "It went wrong."


def test_what_was_said_before_an_error_is_said():
    events = heard(delta("output_text", "Hel"), event("error", message="No."))
    assert said(events) == "Hel"
    assert broken(events) is not None


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_reply_that_failed_without_a_word_is_no_answer(status: str):
    assert failed_whole(ITEM, status=status).fault is Fault.INBAND_ERROR
    assert failed(end(ITEM, status=status)).fault is Fault.INBAND_ERROR


def test_a_prompt_that_is_blocked_is_a_failure():
    fields = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
    assert failed_whole(**fields).fault is Fault.CONTENT_FILTER
    assert failed(end(**fields)).fault is Fault.CONTENT_FILTER


@pytest.mark.parametrize(
    ("frames", "fault"),
    [
        ([], Fault.EMPTY_STREAM),
        ([event("response.created", response={"id": "r"})], Fault.EMPTY_STREAM),
        ([b"data: [DONE]\n\n"], Fault.EMPTY_STREAM),
        ([delta("output_text", "Hello"), done(ITEM)], Fault.STREAM_CUT),
        ([delta("output_text", "Hello"), done(ITEM), b"data: [DONE]\n\n"], Fault.STREAM_CUT),
        ([delta("output_text", "Hel"), b"data: {\n\n"], Fault.BAD_EVENT),
        ([delta("output_text", "Hel"), b"data: []\n\n"], Fault.BAD_EVENT),
        ([delta("output_text", "Hel"), b'data: {"delta": "\xff"}\n\n'], Fault.BAD_EVENT),
    ],
)  # fmt: skip
def test_a_stream_without_its_end_is_cut(frames: list[bytes], fault: Fault):
    assert failed(*frames).fault is fault


def test_nothing_is_read_after_the_end():
    frames = [delta("output_text", "Hello"), end(ITEM), b"data: [DONE]\n\n", b"data: {\n\n"]
    assert said(heard(*frames)) == "Hello"
    assert broken(heard(*frames)) is None


KINDS = [
    "response.created", "response.output_item.added", "response.output_item.done",
    "response.output_text.delta", "response.output_text.done", "response.completed", "error",
    "response.function_call_arguments.delta", "response.function_call_arguments.done",
    "response.output_text.annotation.added", "response.reasoning_summary_text.delta",
]  # fmt: skip
FIELDS = ["response", "item", "delta", "output_index", "item_id", "content_index", "summary_index",
          "logprobs", "annotation", "text", "arguments", "error", "code", "message"]  # fmt: skip
ITEMS = ["message", "reasoning", "function_call", "custom_tool_call"]
OF_ITEMS = ["id", "call_id", "name", "content", "summary", "arguments", "input",
            "encrypted_content"]  # fmt: skip
OF_PARTS = ["type", "text", "refusal", "annotations", "logprobs"]
OF_REPLIES = ["status", "error", "usage", "incomplete_details", "id"]


def item(chance: Random) -> dict[str, object]:
    parts = [junk_object(chance, OF_PARTS) for _ in range(chance.randrange(3))]
    said = {"type": chance.choice(ITEMS), **junk_object(chance, OF_ITEMS)}
    return said | ({"content": parts, "summary": parts} if chance.randrange(2) else {})


def value(chance: Random) -> object:
    """Return an item, a reply of some, or anything."""
    match chance.randrange(3):
        case 0:
            return item(chance)
        case 1:
            output = [item(chance) if chance.randrange(4) else junk(chance, ITEMS) for _ in "12"]
            return {"output": output[: chance.randrange(3)], **junk_object(chance, OF_REPLIES)}
        case _:
            return junk(chance, [*KINDS, *FIELDS])


def test_fields_of_any_kind_never_raise_anything_else():
    for seed in range(1500):
        chance = Random(seed)
        names = [chance.sample(FIELDS, chance.randrange(7)) for _ in range(chance.randrange(9))]
        sent = [
            event(chance.choice(KINDS), **{name: value(chance) for name in some}) for some in names
        ]
        last = broken(heard(*sent))
        assert last is None or last.failure.fault in CONSEQUENCES, seed


def test_a_body_of_any_fields_is_a_reply_or_a_named_failure():
    for seed in range(1500):
        with contextlib.suppress(UpstreamFailed):
            assert ADAPTER.whole(json.dumps(value(Random(seed))).encode()), seed
