"""What Anthropic's errors mean, and those of the clouds that serve Claude; and its rate limits."""

import json

import pytest
from tests.providers.reading import broken, decode

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.anthropic.adapter import Anthropic

ADAPTER = Anthropic()
DATE = "Sat, 21 Nov 2026 12:00:00 GMT"
LEFT = "anthropic-ratelimit-requests-remaining"
RESET = "anthropic-ratelimit-requests-reset"


def named(status: int, kind: str, message: str = "", **headers: str):
    error = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "r"}
    return ADAPTER.fault(status, headers, json.dumps(error).encode())


@pytest.mark.parametrize(
    ("status", "kind", "fault"),
    [
        (400, "invalid_request_error", Fault.UPSTREAM_4XX),
        (401, "authentication_error", Fault.PROVIDER_AUTH),
        (402, "billing_error", Fault.PROVIDER_QUOTA),
        (403, "permission_error", Fault.PROVIDER_AUTH),
        (404, "not_found_error", Fault.MODEL_MISSING),
        (413, "request_too_large", Fault.PAYLOAD_TOO_LARGE),
        (429, "rate_limit_error", Fault.RATE_LIMITED),
        (500, "api_error", Fault.HTTP_500),
        (504, "timeout_error", Fault.HTTP_5XX),
        (529, "overloaded_error", Fault.OVERLOADED),
        (500, "overloaded_error", Fault.OVERLOADED),
        (529, "new_error", Fault.OVERLOADED),
        (418, "new_error", Fault.UPSTREAM_4XX),
    ],
)
def test_the_vendors_type_comes_first(status: int, kind: str, fault: Fault):
    assert named(status, kind, "m").fault is fault


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("prompt is too long: 210000 tokens > 200000 maximum", Fault.CONTEXT_LENGTH),
        (
            "input length and `max_tokens` exceed context limit: 1 + 2 > 2, decrease input length",
            Fault.CONTEXT_LENGTH,
        ),
        ("Your credit balance is too low to access the Anthropic API.", Fault.PROVIDER_QUOTA),
        ("You have reached your specified API usage limits.", Fault.PROVIDER_QUOTA),
        ("Output blocked by content filtering policy", Fault.CONTENT_FILTER),
    ],
)
def test_an_invalid_request_may_be_something_else(message: str, fault: Fault):
    assert named(400, "invalid_request_error", message).fault is fault


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("messages.1.content.0: bad", "messages.1.content.0"),
        ("max_tokens: too many", "max_tokens"),
        ("model: nobody", "model"),
        ("This model is tired: sorry", None),
        ("prompt is too long: 3 > 2", None),
    ],
)
def test_a_message_that_begins_with_a_field_names_it(message: str, param: str | None):
    assert named(400, "invalid_request_error", message).param == param


def test_the_time_to_wait_is_told():
    assert named(429, "rate_limit_error", "m", **{"retry-after": "7"}).retry_after == 7.0


@pytest.mark.parametrize(
    ("status", "body", "fault", "message"),
    [
        (
            429,
            {"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED"}},
            Fault.RATE_LIMITED,
            "Quota",
        ),
        (
            403,
            [{"error": {"code": 403, "message": "No", "status": "PERMISSION_DENIED"}}],
            Fault.PROVIDER_AUTH,
            "No",
        ),
        (
            404,
            {"error": {"code": "DeploymentNotFound", "message": "None such"}},
            Fault.MODEL_MISSING,
            "None such",
        ),
        (503, {"message": "Later"}, Fault.HTTP_5XX, "Later"),
        (400, {"error": "plain"}, Fault.UPSTREAM_4XX, "plain"),
    ],
)
def test_clouds_have_errors_of_their_own(status: int, body: object, fault: Fault, message: str):
    failure = ADAPTER.fault(status, {}, json.dumps(body).encode())
    assert (failure.fault, failure.message, failure.status) == (fault, message, status)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, Fault.OVERLOADED),
        ({"type": "rate_limit_error", "message": "m"}, Fault.RATE_LIMITED),
        ({"type": "invalid_request_error", "message": "m"}, Fault.UPSTREAM_4XX),
        ({"type": "invalid_request_error", "message": "prompt is too long"}, Fault.CONTEXT_LENGTH),
        ({"type": "unheard_of", "message": "m"}, Fault.INBAND_ERROR),
        ({}, Fault.INBAND_ERROR),
    ],
)
def test_errors_inside_a_good_status_are_errors(error: dict, fault: Fault):
    said = json.dumps({"type": "error", "error": error}).encode()
    with pytest.raises(UpstreamFailed) as caught:
        ADAPTER.whole(said)
    assert caught.value.failure.fault is fault
    end = broken(decode(ADAPTER.decoder(), [b"event: error\ndata: " + said + b"\n\n"]))
    assert end is not None
    assert end.failure == caught.value.failure
    assert end.failure.status == 200


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        ("2026-11-21T12:00:30Z", 30.0),
        ("2026-11-21T13:01:00+01:00", 60.0),
        ("2026-11-21T11:59:59Z", 0.0),
        ("2026-11-21T12:00:30", 1.0),
        ("soon", 1.0),
        ("", 1.0),
    ],
)
def test_a_reset_counts_from_the_replys_own_date(reset: str, seconds: float):
    assert ADAPTER.limits({LEFT: "42", RESET: reset, "date": DATE}) == (42.0, seconds)


def test_a_reset_without_a_date_is_soon():
    assert ADAPTER.limits({LEFT: "3", RESET: "2026-11-21T12:00:30Z"}) == (3.0, 1.0)


@pytest.mark.parametrize("left", [None, "", "-1", "many", "\u00b2", "9" * 40])
def test_a_header_that_says_nothing_is_no_limit(left: str | None):
    assert ADAPTER.limits({} if left is None else {LEFT: left, "date": DATE}) is None
