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


class Bill(Enum):
    """What an attempt costs that failed before it said anything."""

    NOTHING = "nothing"
    UNKNOWN = "unknown"  # it may have been worked on: a row without cost, flagged as estimated
    PROMPT = "prompt"  # it was worked on: its prompt is paid, as estimated


class Fault(Enum):
    """How an attempt failed. The value is the log outcome and the metric label."""

    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    DNS_ERROR = "dns_error"
    TLS_ERROR = "tls_error"
    RESET_BEFORE_HEADERS = "reset_before_headers"
    HEADER_TIMEOUT = "header_timeout"  # a head that began and did not end in time
    TTFT_TIMEOUT = "ttft_timeout"
    DEADLINE = "deadline"
    EMPTY_STREAM = "empty_stream"
    TRUNCATED_BODY = "truncated_body"
    INVALID_JSON = "invalid_json"
    WRONG_CONTENT_TYPE = "wrong_content_type"
    EMPTY_CHOICES = "empty_choices"
    PROTOCOL_MISMATCH = "protocol_mismatch"  # a stream for JSON or the reverse, and not whole
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
    STREAM_CAP = "stream_cap"  # more tokens than were asked for
    PREFILL_REFUSED = "prefill_refused"  # it would not go on with an answer that broke off
    DIVERGED = "diverged"  # it did not say again what another had said before it broke off
    INBAND_ERROR = "inband_error"
    CLIENT_GONE = "client_gone"
    SLOW_CLIENT = "slow_client"  # it did not take what was sent
    HEDGED = "hedged"  # another offer was asked beside it, and was first to say something
    STOPPED = "stopped"  # infway ended it: a stop, or too little memory
    INTERRUPTED = "interrupted"  # infway died, and another process settled it
    OWN_FAULT = "internal_server_error"


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows from one fault.

    `elsewhere`: another offer may be tried. `again`: the same offer may be tried once more where
    no other is left. `weight`: how much of a failure the breaker and the health record count.
    `status` and `code`: what the caller sees if nothing else answers. `bill`: what an attempt
    costs of which neither tokens nor usage came.
    """

    elsewhere: bool
    again: bool
    blame: Blame
    weight: float
    status: int
    code: str
    rest: Rest = Rest.NOTHING
    bill: Bill = Bill.NOTHING


_UP, _OP, _ME, _NO = Blame.UPSTREAM, Blame.OPERATOR, Blame.CALLER, Blame.NOBODY
_PROMPT, _UNKNOWN = Bill.PROMPT, Bill.UNKNOWN

CONSEQUENCES: dict[Fault, Consequence] = {
    Fault.CONNECT_REFUSED: Consequence(True, True, _UP, 1, 502, "upstream_unreachable"),
    Fault.CONNECT_TIMEOUT: Consequence(True, False, _UP, 1, 502, "upstream_unreachable"),
    Fault.DNS_ERROR: Consequence(True, False, _UP, 1, 502, "upstream_unreachable"),
    Fault.TLS_ERROR: Consequence(True, False, _UP, 1, 502, "upstream_tls_error"),
    Fault.RESET_BEFORE_HEADERS: Consequence(
        True, True, _UP, 1, 502, "upstream_disconnected", bill=_UNKNOWN
    ),
    Fault.HEADER_TIMEOUT: Consequence(True, False, _UP, 1, 504, "upstream_timeout", bill=_UNKNOWN),
    Fault.TTFT_TIMEOUT: Consequence(True, False, _UP, 1, 504, "upstream_timeout", bill=_UNKNOWN),
    Fault.DEADLINE: Consequence(False, False, _UP, 1, 504, "upstream_timeout", bill=_UNKNOWN),
    Fault.EMPTY_STREAM: Consequence(True, False, _UP, 1, 502, "upstream_empty_stream"),
    Fault.TRUNCATED_BODY: Consequence(
        True, False, _UP, 1, 502, "upstream_bad_response", bill=_PROMPT
    ),
    Fault.INVALID_JSON: Consequence(
        True, False, _UP, 1, 502, "upstream_bad_response", bill=_PROMPT
    ),
    Fault.WRONG_CONTENT_TYPE: Consequence(True, False, _UP, 1, 502, "upstream_bad_response"),
    Fault.EMPTY_CHOICES: Consequence(True, False, _UP, 0.5, 502, "upstream_empty_choices"),
    Fault.PROTOCOL_MISMATCH: Consequence(
        True, False, _UP, 1, 502, "upstream_bad_response", bill=_PROMPT
    ),
    Fault.BAD_ENCODING: Consequence(
        True, False, _UP, 1, 502, "upstream_bad_encoding", bill=_PROMPT
    ),
    Fault.TOO_LARGE: Consequence(True, False, _UP, 0, 502, "upstream_too_large", bill=_PROMPT),
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
    Fault.STREAM_CAP: Consequence(False, False, _UP, 1, 502, "upstream_overran"),
    Fault.PREFILL_REFUSED: Consequence(True, True, _NO, 0, 502, "upstream_disconnected"),
    Fault.DIVERGED: Consequence(True, False, _NO, 0, 502, "upstream_disconnected"),
    Fault.INBAND_ERROR: Consequence(True, False, _UP, 1, 502, "upstream_error"),
    Fault.CLIENT_GONE: Consequence(False, False, _NO, 0, 499, "client_gone", bill=_PROMPT),
    Fault.HEDGED: Consequence(False, False, _NO, 0, 503, "service_unavailable", bill=_PROMPT),
    Fault.SLOW_CLIENT: Consequence(False, False, _NO, 0, 499, "client_gone", bill=_PROMPT),
    Fault.STOPPED: Consequence(False, False, _NO, 0, 503, "service_unavailable"),
    Fault.INTERRUPTED: Consequence(False, False, _NO, 0, 503, "service_unavailable", bill=_PROMPT),
    Fault.OWN_FAULT: Consequence(False, False, _NO, 0, 500, "internal_server_error"),
}


LEFT = frozenset({Fault.CLIENT_GONE, Fault.SLOW_CLIENT})
"""How a request ends that nobody listens to any more."""
SLOW_CLIENT = "infway.slow_client"
"""What the server's state of a request holds once its caller was let go for being slow."""


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
