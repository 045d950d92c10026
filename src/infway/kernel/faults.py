"""The closed list of ways an upstream attempt can fail, and the table of what follows.

Names and consequences are the rows of the fault matrix in the design (reliability, section 3).
"""

from dataclasses import dataclass
from enum import Enum


class Blame(Enum):
    """Whose doing a failure is."""

    UPSTREAM = "upstream"
    OPERATOR = "operator"  # our key or our configuration for that upstream
    CALLER = "caller"
    NOBODY = "nobody"


class Rest(Enum):
    """What is left alone for a while after a fault."""

    NOTHING = "nothing"
    OFFER = "offer"  # this model at this upstream
    UPSTREAM = "upstream"  # every offer behind the same credential


class Fault(Enum):
    """How an attempt failed. The value is the log outcome and the metric label."""

    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    DNS_ERROR = "dns_error"
    TLS_ERROR = "tls_error"
    RESET_BEFORE_HEADERS = "reset_before_headers"
    TTFT_TIMEOUT = "ttft_timeout"
    DEADLINE = "deadline"
    EMPTY_STREAM = "empty_stream"
    TRUNCATED_BODY = "truncated_body"
    INVALID_JSON = "invalid_json"
    WRONG_CONTENT_TYPE = "wrong_content_type"
    EMPTY_CHOICES = "empty_choices"
    BAD_ENCODING = "bad_encoding"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    PROVIDER_QUOTA = "provider_quota"
    HTTP_500 = "http_500"
    HTTP_5XX = "http_5xx"
    OVERLOADED = "overloaded"
    RETRYABLE_4XX = "http_4xx_retryable"
    PROVIDER_AUTH = "provider_auth"
    MODEL_MISSING = "model_missing"
    CONTEXT_LENGTH = "context_length"
    CONTENT_FILTER = "content_filter"
    UPSTREAM_4XX = "upstream_4xx"
    UNTRANSLATABLE = "untranslatable"  # the dialect has no words for what was asked
    PAYLOAD_TOO_LARGE = "payload_too_large"
    REDIRECT = "redirect"
    STREAM_STALL = "stream_stall"
    STREAM_CUT = "stream_cut"
    BAD_EVENT = "bad_event"
    INBAND_ERROR = "inband_error"
    CLIENT_GONE = "client_gone"
    OWN_FAULT = "internal_server_error"


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows from one fault.

    `elsewhere`: another offer may be tried. `again`: the same offer may be tried once more where
    no other is left. `weight`: how much of a failure the breaker and the health record count.
    `status` and `code`: what the caller sees if nothing else answers.
    """

    elsewhere: bool
    again: bool
    blame: Blame
    weight: float
    status: int
    code: str
    rest: Rest = Rest.NOTHING


_UP, _OP, _ME, _NO = Blame.UPSTREAM, Blame.OPERATOR, Blame.CALLER, Blame.NOBODY

CONSEQUENCES: dict[Fault, Consequence] = {
    Fault.CONNECT_REFUSED: Consequence(True, True, _UP, 1, 502, "upstream_unreachable"),
    Fault.CONNECT_TIMEOUT: Consequence(True, False, _UP, 1, 502, "upstream_unreachable"),
    Fault.DNS_ERROR: Consequence(True, False, _UP, 1, 502, "upstream_unreachable"),
    Fault.TLS_ERROR: Consequence(True, False, _UP, 1, 502, "upstream_tls_error"),
    Fault.RESET_BEFORE_HEADERS: Consequence(True, True, _UP, 1, 502, "upstream_disconnected"),
    Fault.TTFT_TIMEOUT: Consequence(True, False, _UP, 1, 504, "upstream_timeout"),
    Fault.DEADLINE: Consequence(False, False, _UP, 1, 504, "upstream_timeout"),
    Fault.EMPTY_STREAM: Consequence(True, False, _UP, 1, 502, "upstream_empty_stream"),
    Fault.TRUNCATED_BODY: Consequence(True, False, _UP, 1, 502, "upstream_bad_response"),
    Fault.INVALID_JSON: Consequence(True, False, _UP, 1, 502, "upstream_bad_response"),
    Fault.WRONG_CONTENT_TYPE: Consequence(True, False, _UP, 1, 502, "upstream_bad_response"),
    Fault.EMPTY_CHOICES: Consequence(True, False, _UP, 0.5, 502, "upstream_empty_choices"),
    Fault.BAD_ENCODING: Consequence(True, False, _UP, 1, 502, "upstream_bad_encoding"),
    Fault.TOO_LARGE: Consequence(True, False, _UP, 0, 502, "upstream_too_large"),
    Fault.RATE_LIMITED: Consequence(
        True, True, _UP, 0, 429, "upstream_rate_limited", Rest.UPSTREAM
    ),
    Fault.PROVIDER_QUOTA: Consequence(True, False, _OP, 0, 502, "upstream_quota", Rest.UPSTREAM),
    Fault.HTTP_500: Consequence(True, True, _UP, 1, 502, "upstream_error"),
    Fault.HTTP_5XX: Consequence(True, True, _UP, 1, 502, "upstream_error"),
    Fault.OVERLOADED: Consequence(True, False, _UP, 1, 503, "upstream_overloaded"),
    Fault.RETRYABLE_4XX: Consequence(True, True, _UP, 0, 502, "upstream_error"),
    Fault.PROVIDER_AUTH: Consequence(
        True, False, _OP, 0, 502, "upstream_auth_error", Rest.UPSTREAM
    ),
    Fault.MODEL_MISSING: Consequence(
        True, False, _OP, 0, 502, "upstream_model_missing", Rest.OFFER
    ),
    Fault.CONTEXT_LENGTH: Consequence(False, False, _ME, 0, 400, "context_length_exceeded"),
    Fault.CONTENT_FILTER: Consequence(False, False, _ME, 0, 400, "content_policy_violation"),
    Fault.UPSTREAM_4XX: Consequence(False, False, _ME, 0, 400, "upstream_rejected"),
    Fault.UNTRANSLATABLE: Consequence(True, False, _ME, 0, 400, "unsupported_parameter"),
    Fault.PAYLOAD_TOO_LARGE: Consequence(False, False, _ME, 0, 413, "payload_too_large"),
    Fault.REDIRECT: Consequence(True, False, _UP, 1, 502, "upstream_redirect"),
    Fault.STREAM_STALL: Consequence(False, False, _UP, 1, 504, "upstream_stalled"),
    Fault.STREAM_CUT: Consequence(False, False, _UP, 1, 502, "upstream_disconnected"),
    Fault.BAD_EVENT: Consequence(False, False, _UP, 0.5, 502, "upstream_bad_response"),
    Fault.INBAND_ERROR: Consequence(True, False, _UP, 1, 502, "upstream_error"),
    Fault.CLIENT_GONE: Consequence(False, False, _NO, 0, 499, "client_gone"),
    Fault.OWN_FAULT: Consequence(False, False, _NO, 0, 500, "internal_server_error"),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt: the fault, and what the upstream said about it, cleaned of secrets.

    `retry_after` is in seconds. `status` is the upstream's own HTTP status, 0 where none came.
    `message` is None where nothing that may be shown was said. `param` is the request field that
    a caller's mistake is about.
    """

    fault: Fault
    status: int = 0
    message: str | None = None
    param: str | None = None
    retry_after: float | None = None
