"""Errors of Bedrock are named by the exception, the status and the text, in this order."""

import json

import pytest
from tests.providers.eventstream_saying import event, header, message
from tests.providers.reading import broken, decode, text

from infway.kernel.faults import CONSEQUENCES, Blame, Fault
from infway.providers.bedrock.adapter import Bedrock

ADAPTER = Bedrock()
NAMESPACE = "http://internal.amazon.com/coral/com.amazon.bedrock/"
SAID = event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}})


def named(status: int, name: str, said: str = "", **headers: str):
    told = {"x-amzn-errortype": f"{name}:{NAMESPACE}", **headers} if name else headers
    return ADAPTER.fault(status, told, json.dumps({"message": said}).encode())


@pytest.mark.parametrize(
    ("status", "name", "said", "fault"),
    [
        (429, "ThrottlingException", "Too many tokens, please wait.", Fault.RATE_LIMITED),
        (429, "", "Too many tokens, please wait before trying again.", Fault.RATE_LIMITED),
        (400, "ServiceQuotaExceededException", "", Fault.PROVIDER_QUOTA),
        (403, "AccessDeniedException", "User is not authorized", Fault.PROVIDER_AUTH),
        (403, "AccessDeniedException", "You don't have access to the model.", Fault.MODEL_MISSING),
        (403, "UnrecognizedClientException", "The security token is invalid", Fault.PROVIDER_AUTH),
        (403, "InvalidSignatureException", "Signature expired", Fault.PROVIDER_AUTH),
        (403, "ExpiredTokenException", "", Fault.PROVIDER_AUTH),
        (403, "", "", Fault.PROVIDER_AUTH),
        (404, "ResourceNotFoundException", "", Fault.MODEL_MISSING),
        (404, "UnknownOperationException", "", Fault.MODEL_MISSING),
        (408, "ModelTimeoutException", "", Fault.TTFT_TIMEOUT),
        (408, "", "", Fault.TTFT_TIMEOUT),
        (424, "ModelErrorException", "", Fault.HTTP_5XX),
        (424, "", "", Fault.HTTP_5XX),
        (429, "ModelNotReadyException", "", Fault.OVERLOADED),
        (500, "InternalServerException", "", Fault.HTTP_500),
        (503, "ServiceUnavailableException", "", Fault.OVERLOADED),
        (503, "", "", Fault.OVERLOADED),
        (400, "ValidationException", "Input is too long for requested model.",
         Fault.CONTEXT_LENGTH),
        (400, "ValidationException", "prompt is too long: 9 tokens > 8 maximum",
         Fault.CONTEXT_LENGTH),
        (400, "ValidationException", "Number of input tokens exceeds maximum length.",
         Fault.CONTEXT_LENGTH),
        (400, "", "input length and `max_tokens` exceed context limit: 9 + 9 > 8",
         Fault.CONTEXT_LENGTH),
        (400, "ValidationException", "Please reduce the length of the prompt",
         Fault.CONTEXT_LENGTH),
        (400, "ValidationException", "The provided model identifier is invalid.",
         Fault.MODEL_MISSING),
        (400, "ValidationException", "Invocation with on-demand throughput isn\u2019t supported.",
         Fault.MODEL_MISSING),
        (400, "ValidationException", "Output blocked by content filtering policy",
         Fault.CONTENT_FILTER),
        (400, "ValidationException", "temperature: range: 0..1", Fault.UPSTREAM_4XX),
        (413, "", "", Fault.PAYLOAD_TOO_LARGE),
        (502, "", "", Fault.HTTP_5XX),
    ],
)  # fmt: skip
def test_an_exception_has_a_name(status: int, name: str, said: str, fault: Fault):
    failure = named(status, name, said)
    assert (failure.fault, failure.status) == (fault, status)
    assert failure.message == (said or None)


@pytest.mark.parametrize(
    "body",
    [
        {"__type": "com.amazon.coral.service#ThrottlingException", "message": "Slow"},
        {"code": "ThrottlingException", "Message": "Slow"},
        {"Output": {"__type": "x#ThrottlingException"}, "message": "Slow"},
    ],
)
def test_the_name_may_stand_in_the_body(body: dict):
    failure = ADAPTER.fault(400, {}, json.dumps(body).encode())
    assert (failure.fault, failure.message) == (Fault.RATE_LIMITED, "Slow")


def test_a_pause_is_read():
    assert named(429, "ThrottlingException", **{"retry-after": "7"}).retry_after == 7
    assert named(429, "ThrottlingException").retry_after is None


def test_a_fault_of_the_caller_is_not_blamed_on_bedrock():
    failure = named(400, "ValidationException", "messages: too odd")
    assert CONSEQUENCES[failure.fault].blame is Blame.CALLER


@pytest.mark.parametrize(
    ("name", "said", "fault"),
    [
        ("throttlingException", "Slow", Fault.RATE_LIMITED),
        ("validationException", "Odd", Fault.UPSTREAM_4XX),
        ("validationException", "Input is too long for requested model", Fault.CONTEXT_LENGTH),
        ("modelStreamErrorException", "Oh", Fault.HTTP_5XX),
        ("internalServerException", "Oh", Fault.HTTP_500),
        ("serviceUnavailableException", "Oh", Fault.OVERLOADED),
        ("somethingNewException", "Oh", Fault.INBAND_ERROR),
    ],
)
def test_an_exception_in_the_stream_ends_it(name: str, said: str, fault: Fault):
    wrong = event(name, {"message": said}, kind="exception")
    for before in (b"", SAID):
        decoder = ADAPTER.decoder()
        events = decode(decoder, [before + wrong + SAID])
        last = broken(events)
        assert last is not None
        assert (last.failure.fault, last.failure.message) == (fault, said)
        assert text(events) == ("Hi" if before else "")
        assert decoder.feed(SAID) == []


def test_the_models_own_words_are_told():
    said = {"message": "m", "originalMessage": "the model fell", "originalStatusCode": 529}
    wrong = event("modelStreamErrorException", said, kind="exception")
    last = broken(decode(ADAPTER.decoder(), [wrong]))
    assert last is not None
    assert (last.failure.message, last.failure.status) == ("the model fell", 529)


def test_an_error_message_has_its_words_in_headers():
    told = {":message-type": "error", ":error-code": "InternalFailure", ":error-message": "Oh"}
    block = b"".join(header(name, 7, value) for name, value in told.items())
    last = broken(decode(ADAPTER.decoder(), [message(block, b"")]))
    assert last is not None
    assert (last.failure.fault, last.failure.message) == (Fault.HTTP_500, "Oh")
    bare = broken(decode(ADAPTER.decoder(), [message(b"", b"")]))
    assert bare is not None
    assert bare.failure.fault is Fault.INBAND_ERROR


def test_bedrock_says_nothing_of_what_is_left():
    assert ADAPTER.limits({"x-amzn-requestid": "1"}) is None
