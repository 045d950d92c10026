"""What errors of Ollama mean."""

import json

import pytest

from infway.kernel.faults import Fault
from infway.providers.ollama.adapter import Ollama

ADAPTER = Ollama()


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (400, "invalid character 'x' looking for beginning of value", Fault.UPSTREAM_4XX),
        (400, '"gemma3:1b" does not support thinking', Fault.UPSTREAM_4XX),
        (400, "prompt too long; exceeded max context length by 6 tokens", Fault.CONTEXT_LENGTH),
        (500, "prompt too long; exceeded max context length by 6 tokens", Fault.CONTEXT_LENGTH),
        (401, "unauthorized", Fault.PROVIDER_AUTH),
        (404, "model 'm' not found", Fault.MODEL_MISSING),
        (400, 'model "m" not found, try pulling it first', Fault.MODEL_MISSING),
        (429, "too many requests", Fault.RATE_LIMITED),
        (499, "request canceled", Fault.RETRYABLE_4XX),
        (500, "model requires more system memory (5 GiB) than is available", Fault.HTTP_500),
        (502, "the cloud cannot be reached", Fault.HTTP_5XX),
        (503, "server busy, please try again.  maximum pending requests exceeded",
         Fault.OVERLOADED),
        (503, "starting", Fault.OVERLOADED),
    ],
)  # fmt: skip
def test_errors_are_named_by_their_sentence_or_their_status(
    status: int, message: str, expected: Fault
):
    failure = ADAPTER.fault(status, {}, json.dumps({"error": message}).encode())
    assert failure.fault is expected
    assert failure.message == message.replace("\n", " ")
    assert failure.status == status


def test_a_time_to_wait_is_read():
    assert ADAPTER.fault(429, {"retry-after": "3"}, b"").retry_after == 3.0


def test_a_path_that_is_not_served_has_no_model():
    assert ADAPTER.fault(404, {}, b"404 page not found").fault is Fault.MODEL_MISSING


def test_no_limits_are_known():
    assert ADAPTER.limits({"x-ratelimit-remaining-requests": "3"}) is None
