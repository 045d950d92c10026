"""Error replies are named by the vendor's code first, the status second, the text last."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infway.kernel.faults import CONSEQUENCES, Fault
from infway.providers.faults import MAX_RETRY_AFTER
from infway.providers.openai.faults import fault_of, inband_fault

DATE = "Tue, 04 Mar 2025 10:00:00 GMT"


def body(message: str = "No.", **said: object) -> bytes:
    return json.dumps({"error": {"message": message, **said}}).encode()


# One line per row of the fault matrix that a status and a body can show.
MATRIX = [
    (21, 429, body(), Fault.RATE_LIMITED),
    (23, 429, b"", Fault.RATE_LIMITED),
    (24, 429, body(type="insufficient_quota", code="insufficient_quota"), Fault.PROVIDER_QUOTA),
    (24, 429, body("You exceeded it.", code="billing_hard_limit_reached"), Fault.PROVIDER_QUOTA),
    (24, 403, body("Insufficient balance"), Fault.PROVIDER_QUOTA),
    (25, 500, body(), Fault.HTTP_500),
    (26, 502, b"<html>bad gateway</html>", Fault.HTTP_5XX),
    (26, 503, body(), Fault.HTTP_5XX),
    (26, 504, b"", Fault.HTTP_5XX),
    (26, 599, b"", Fault.HTTP_5XX),
    (27, 529, b"", Fault.OVERLOADED),
    (27, 503, body(type="overloaded_error"), Fault.OVERLOADED),
    (28, 408, b"", Fault.RETRYABLE_4XX),
    (28, 409, b"", Fault.RETRYABLE_4XX),
    (28, 425, b"", Fault.RETRYABLE_4XX),
    (29, 401, body(code="invalid_api_key"), Fault.PROVIDER_AUTH),
    (29, 401, b"", Fault.PROVIDER_AUTH),
    (29, 403, b"", Fault.PROVIDER_AUTH),
    (29, 400, body("API key not valid. Please pass a valid API key."), Fault.PROVIDER_AUTH),
    (30, 402, b"", Fault.PROVIDER_QUOTA),
    (30, 400, body("Your credit balance is too low to access the API."), Fault.PROVIDER_QUOTA),
    (31, 404, body(code="model_not_found"), Fault.MODEL_MISSING),
    (31, 404, b"", Fault.MODEL_MISSING),
    (31, 404, body(code="DeploymentNotFound"), Fault.MODEL_MISSING),
    (31, 400, body(code="model_not_found"), Fault.MODEL_MISSING),
    (32, 400, body(code="context_length_exceeded"), Fault.CONTEXT_LENGTH),
    (32, 400, body("This model's maximum context length is 8192 tokens."), Fault.CONTEXT_LENGTH),
    (32, 400, body("prompt is too long: 210000 tokens"), Fault.CONTEXT_LENGTH),
    (32, 413, body("Too many input tokens"), Fault.CONTEXT_LENGTH),
    (33, 400, body(code="content_filter"), Fault.CONTENT_FILTER),
    (33, 400, body("It triggered our content management policy."), Fault.CONTENT_FILTER),
    (33, 400, body(code="content_policy_violation"), Fault.CONTENT_FILTER),
    (34, 400, body("Unknown parameter: 'x'.", code="unknown_parameter"), Fault.UPSTREAM_4XX),
    (34, 422, body(), Fault.UPSTREAM_4XX),
    (34, 418, b"", Fault.UPSTREAM_4XX),
    (35, 413, b"", Fault.PAYLOAD_TOO_LARGE),
    (36, 301, b"", Fault.REDIRECT),
    (36, 302, b"<a href='x'>", Fault.REDIRECT),
    (36, 308, b"", Fault.REDIRECT),
    (14, 204, b"", Fault.INVALID_JSON),
    (14, 201, body(), Fault.INVALID_JSON),
]


@pytest.mark.parametrize(("row", "status", "said", "fault"), MATRIX)
def test_a_reply_is_named_as_the_matrix_names_it(row: int, status: int, said: bytes, fault: Fault):
    failure = fault_of(status, {}, said)
    assert failure.fault is fault
    assert failure.status == status


def test_the_code_is_believed_before_the_status_and_the_status_before_the_text():
    assert fault_of(500, {}, body(code="context_length_exceeded")).fault is Fault.CONTEXT_LENGTH
    assert fault_of(500, {}, body("maximum context length")).fault is Fault.HTTP_500
    assert fault_of(401, {}, body("content policy")).fault is Fault.PROVIDER_AUTH


@pytest.mark.parametrize(
    "said",
    [
        {"error": {"message": "No."}}, {"error": "No."}, {"message": "No."}, [{"error": "No."}],
        {"error": {"message": "No.", "code": 400}}, {"error": {"message": "No.", "code": None}},
        {"object": "error", "message": "No.", "code": 40001}, {"detail": "No."},
    ],
    ids=repr,
)  # fmt: skip
def test_the_message_is_found_in_every_shape_of_body(said: object):
    failure = fault_of(400, {}, json.dumps(said).encode())
    assert failure.message is not None
    assert failure.message.strip('"') == "No."


@pytest.mark.parametrize(
    "said",
    [
        {"message": ["a"], "code": "context_length_exceeded"},
        {"message": "a", "code": "context_length_exceeded", "param": ["messages", 0]},
        {"message": "a", "code": "context_length_exceeded", "type": 7},
        {"message": {"a": 1}, "code": "context_length_exceeded", "status": {}},
    ],
    ids=repr,
)
def test_one_odd_field_does_not_hide_the_others(said: dict):
    assert fault_of(400, {}, json.dumps({"error": said}).encode()).fault is Fault.CONTEXT_LENGTH
    assert inband_fault(json.dumps(said).encode()).fault is Fault.CONTEXT_LENGTH


def test_a_message_is_one_short_line_and_the_parameter_is_kept():
    failure = fault_of(400, {}, body("a\r\nb\x1b[31m" + "c" * 5000, param="messages[0]"))
    assert failure.message is not None
    assert failure.message.startswith("a b [31m")
    assert len(failure.message) == 1000
    assert failure.param == "messages[0]"


@pytest.mark.parametrize(
    ("said", "date", "seconds"),
    [
        ("2", None, 2.0), ("0", None, 0.0), (" 7 ", None, 7.0), ("1.5", None, 1.5),
        ("300", None, 300.0), ("301", None, MAX_RETRY_AFTER), ("1000000000", None, MAX_RETRY_AFTER),
        ("9" * 400, None, MAX_RETRY_AFTER),
        ("Tue, 04 Mar 2025 10:00:20 GMT", DATE, 20.0), ("Tue, 04 Mar 2025 09:00:00 GMT", DATE, 0.0),
        ("Tue, 04 Mar 2031 10:00:00 GMT", DATE, MAX_RETRY_AFTER), (DATE, DATE, 0.0),
        ("Tue, 04 Mar 2025 10:00:20 GMT", None, None), (DATE, "yesterday", None),
        ("Tuesday, 04-Mar-25 10:00:20 GMT", DATE, 20.0),
        ("", None, None), ("-5", None, None), ("1e9", None, None), ("soon", DATE, None),
        ("²", None, None), ("١٢", None, None), ("0x10", None, None), ("5 seconds", None, None),
        ("inf", None, None), ("nan", None, None), ("Tue, 99 Mar 99999 10:00:20 GMT", DATE, None),
    ],
)  # fmt: skip
def test_retry_after_is_read_in_both_forms_and_bounded(
    said: str, date: str | None, seconds: float | None
):
    headers = {"retry-after": said} | ({"date": date} if date else {})
    assert fault_of(429, headers, b"").retry_after == seconds


def test_without_the_header_nothing_is_made_up():
    assert fault_of(429, {}, b"").retry_after is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_retry_after_at_all_is_a_number_in_bounds_or_nothing(said: str, date: str):
    seconds = fault_of(429, {"retry-after": said, "date": date}, b"").retry_after
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER


@given(st.integers(200, 599), st.binary(max_size=60))
def test_any_reply_at_all_is_named(status: int, said: bytes):
    assert fault_of(status, {}, said).fault in CONSEQUENCES
    assert inband_fault(said).fault in CONSEQUENCES


@pytest.mark.parametrize(
    ("said", "fault", "status"),
    [
        ({"message": "x", "code": 429}, Fault.RATE_LIMITED, 429),
        ({"message": "x", "code": 429.0}, Fault.RATE_LIMITED, 429),
        ({"message": "x", "status": 503}, Fault.HTTP_5XX, 503),
        ({"message": "x", "code": 401}, Fault.PROVIDER_AUTH, 401),
        ({"message": "x", "code": "rate_limit_exceeded"}, Fault.RATE_LIMITED, 200),
        ({"message": "maximum context length", "code": "x"}, Fault.CONTEXT_LENGTH, 200),
        ({"message": "x", "type": "invalid_request_error"}, Fault.INBAND_ERROR, 200),
        ({"message": "x", "code": 12345678901}, Fault.INBAND_ERROR, 200),
        ({"message": "x", "code": -429}, Fault.INBAND_ERROR, 200),
    ],
)
def test_an_error_inside_a_200_has_the_status_that_it_says(said, fault: Fault, status: int):
    failure = inband_fault(json.dumps(said).encode())
    assert (failure.fault, failure.status, failure.message) == (fault, status, said["message"])
