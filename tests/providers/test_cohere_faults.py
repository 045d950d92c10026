"""What errors of Cohere mean, and what is left of a trial key."""

import json

import pytest

from infway.kernel.faults import Fault
from infway.providers.cohere.adapter import Cohere

ADAPTER = Cohere()
TRIAL = "You are using a Trial key, which is limited to"


def fault(status: int, message: str | None = None, **said: str) -> Fault:
    body = {"id": "1", **said} if message is None else {"id": "1", "message": message, **said}
    return ADAPTER.fault(status, {}, json.dumps(body).encode()).fault


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (400, "invalid request: prompt must be at least 1 token long.", Fault.UPSTREAM_4XX),
        (400, "too many tokens: size limit exceeded by 25836 tokens.", Fault.CONTEXT_LENGTH),
        (400, "blocked output: please reformulate your prompt", Fault.CONTENT_FILTER),
        (401, "invalid api token", Fault.PROVIDER_AUTH),
        (401, "no api key supplied", Fault.PROVIDER_AUTH),
        (402, "Please add or update your payment method to continue", Fault.PROVIDER_QUOTA),
        (403, "forbidden", Fault.PROVIDER_AUTH),
        (404, "model 'm' not found, make sure the model ID is right", Fault.MODEL_MISSING),
        (422, "could not be processed", Fault.UPSTREAM_4XX),
        (429, f"{TRIAL} 40 API calls / minute.", Fault.RATE_LIMITED),
        (429, f"{TRIAL} 1000 API calls / month.", Fault.PROVIDER_QUOTA),
        (429, "trial token rate limit exceeded, limit is 100000 tokens per minute",
         Fault.RATE_LIMITED),
        (498, "invalid token", Fault.PROVIDER_AUTH),
        (499, "request cancelled", Fault.RETRYABLE_4XX),
        (500, "internal server error", Fault.HTTP_500),
        (501, "not implemented", Fault.HTTP_5XX),
        (503, "service unavailable", Fault.OVERLOADED),
        (504, "timeout", Fault.HTTP_5XX),
    ],
)  # fmt: skip
def test_errors_are_named_by_their_sentence_or_their_status(
    status: int, message: str, expected: Fault
):
    assert fault(status, message) is expected


@pytest.mark.parametrize(
    ("status", "word", "expected"),
    [
        (400, "TOO_MANY_TOKENS", Fault.CONTEXT_LENGTH),
        (422, "NO_VALID_RESPONSE_GENERATED", Fault.EMPTY_CHOICES),
        (503, "TOO_MANY_TOKENS", Fault.CONTEXT_LENGTH),
        (400, "A_NEW_WORD", Fault.UPSTREAM_4XX),
    ],
)
def test_the_vendors_own_word_comes_first(status: int, word: str, expected: Fault):
    assert fault(status, "what happened", error_type=word) is expected


def test_a_limit_of_the_caller_that_is_too_high_is_no_long_context():
    said = {"message": "too many tokens: max tokens must be less than or equal to 4096"}
    failure = ADAPTER.fault(400, {}, json.dumps(said).encode())
    assert failure.fault is Fault.UPSTREAM_4XX
    assert failure.param == "max_tokens"


def test_the_sentence_and_the_time_to_wait_are_kept():
    body = json.dumps({"id": "1", "message": "slow\ndown"}).encode()
    failure = ADAPTER.fault(429, {"retry-after": "7"}, body)
    assert (failure.message, failure.retry_after, failure.status) == ("slow down", 7.0, 429)


def test_what_is_left_of_a_trial_key_is_known():
    assert ADAPTER.limits({"x-trial-endpoint-call-remaining": "32"}) == (32.0, 60.0)
    assert ADAPTER.limits({"x-trial-endpoint-call-remaining": "many"}) is None
    assert ADAPTER.limits({}) is None
