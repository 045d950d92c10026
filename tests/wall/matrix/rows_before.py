"""Rows 1 to 20: the network and the form of a reply, before the first byte of an answer."""

from collections.abc import Iterator

from tests.wall.matrix.case import Case

SOON = {"connect": 0.2}
NEVER = {"x-should-retry": "false", "retry-after": None}  # infway has tried all that there is


def both(
    row: int, script: str, fault: str, code: str, status: int = 502, **more: object
) -> Iterator[Case]:
    """A fault with another offer behind it, which nobody sees; and without one.

    `bill`: of the attempt that failed. `again`: the same offer is tried once more.
    """
    bill, again = str(more.pop("bill", "0")), bool(more.pop("again", False))
    failed = f"one:{fault}"
    alone = (failed, failed) if again else (failed,)
    headers = {**NEVER, **more.pop("headers", {})}  # type: ignore[dict-item]
    seen = more.pop("seen", None)
    yield Case(
        row,
        (script, "ok"),
        attempts=(failed, "two:ok"),
        billed=(bill, "tokens"),
        seen=seen and (*seen, 1),
        **more,  # type: ignore[arg-type]
    )
    yield Case(
        row,
        (script,),
        status,
        code,
        attempts=alone,
        billed=(bill,) * len(alone),
        headers=headers,
        seen=seen,
        **more,  # type: ignore[arg-type]
    )


NETWORK = [
    *both(1, "refused!ok", "connect_refused", "upstream_unreachable", again=True, seen=(0,)),
    *both(2, "black-hole!ok", "connect_timeout", "upstream_unreachable", seen=(0,), limits=SOON),
    *both(3, "no-name!ok", "dns_error", "upstream_unreachable", seen=(0,)),
    *both(3, "slow-name!ok", "dns_error", "upstream_unreachable", seen=(0,), limits=SOON),
    Case(4, ("two-addresses!ok",), attempts=("one:ok",)),
    *both(5, "expired!ok", "tls_error", "upstream_tls_error", seen=(0,)),
    *both(5, "other-name!ok", "tls_error", "upstream_tls_error", seen=(0,)),
    *both(5, "unknown-ca!ok", "tls_error", "upstream_tls_error", seen=(0,)),
    *both(5, "no-handshake!ok", "tls_error", "upstream_tls_error", seen=(0,), limits=SOON),
    *both(5, "plain!ok", "tls_error", "upstream_tls_error", seen=(0,), limits=SOON),
    Case(5, ("tls!ok",), attempts=("one:ok",)),
    *both(6, "hang", "ttft_timeout", "upstream_timeout", 504, bill="unknown"),
    *both(7, "trickle", "header_timeout", "upstream_timeout", 504, bill="unknown"),
    *both(9, "reset", "reset_before_headers", "upstream_disconnected", bill="unknown", again=True),
    *both(9, "fin", "reset_before_headers", "upstream_disconnected", bill="unknown", again=True),
]

BEGINNINGS = [
    *both(10, "silent", "ttft_timeout", "upstream_timeout", 504, bill="unknown", stream=True),
    *both(10, "pings", "ttft_timeout", "upstream_timeout", 504, bill="unknown", stream=True),
    *both(10, "role", "ttft_timeout", "upstream_timeout", 504, bill="unknown", stream=True),
    *both(11, "error-first@503", "http_5xx", "upstream_error", again=True, stream=True),
    *both(11, "error-first@500", "http_500", "upstream_error", again=True, stream=True),
    *both(11, "error-first@401", "provider_auth", "upstream_auth_error", stream=True, rests={"one": 300.0}),
    *both(11, "error-first", "inband_error", "upstream_error", stream=True),
    Case(
        11,
        ("error-first@429",),
        429,
        "upstream_rate_limited",
        attempts=("one:rate_limited",) * 3,
        headers={"x-should-retry": "false", "retry-after": "1"},
        rests={"one": 1.0},
        ceilings=("one",),
        stream=True,
    ),
    Case(
        11,
        ("error-first@400~code=context_length_exceeded", "ok"),
        400,
        "context_length_exceeded",
        attempts=("one:context_length",),
        headers=NEVER,
        stream=True,
    ),
    *both(12, "empty", "empty_stream", "upstream_empty_stream", stream=True),
    *both(12, "done-only", "empty_stream", "upstream_empty_stream", stream=True),
    *both(12, "close@0", "empty_stream", "upstream_empty_stream", stream=True),
]  # fmt: skip

WHOLE = [
    *both(13, "truncated", "truncated_body", "upstream_bad_response", bill="estimated", stream=False),
    *both(13, "chunk-cut", "truncated_body", "upstream_bad_response", bill="estimated", stream=False),
    *both(13, "miscounted@40", "invalid_json", "upstream_bad_response", bill="estimated", stream=False),
    *both(13, "miscounted@0~more=40", "truncated_body", "upstream_bad_response", bill="estimated", stream=False),
    *both(14, "bad-json", "invalid_json", "upstream_bad_response", bill="estimated"),
    *both(14, "nan", "invalid_json", "upstream_bad_response", bill="estimated"),
    *both(14, "not-utf8", "invalid_json", "upstream_bad_response", bill="estimated"),
    *both(15, "html", "wrong_content_type", "upstream_bad_response"),
    *both(16, "empty-choices", "empty_choices", "upstream_empty_choices"),
    *both(16, "no-message", "empty_choices", "upstream_empty_choices"),
    *both(17, "error-body@500", "http_500", "upstream_error", again=True),
    *both(17, "error-body@529", "overloaded", "upstream_overloaded", 503,
          headers={"retry-after": "1"}, ceilings=("one",)),
    *both(17, "error-body~code=insufficient_quota", "provider_quota", "upstream_quota",
          rests={"one": 300.0}),
    *both(17, "error-body~code=model_not_found", "model_missing", "upstream_model_missing",
          rests={"one": 300.0}),
    Case(18, ("reversed",), attempts=("one:ok",)),
    *both(18, "reversed@20", "protocol_mismatch", "upstream_bad_response", bill="estimated", stream=False),
    *both(18, "reversed@20", "invalid_json", "upstream_bad_response", bill="estimated", stream=True),
    Case(19, ("gzip",), attempts=("one:ok",)),
    *both(19, "gzip-broken", "bad_encoding", "upstream_bad_encoding", bill="estimated"),
    *both(19, "gzip-none", "bad_encoding", "upstream_bad_encoding", bill="estimated"),
    *both(19, "gzip-bomb", "bad_encoding", "upstream_bad_encoding", bill="estimated"),
    *both(19, "brotli", "bad_encoding", "upstream_bad_encoding", bill="estimated"),
    *both(20, "miscounted@0~more=99999999", "too_large", "upstream_too_large", bill="estimated", stream=False),
    *both(20, "huge", "too_large", "upstream_too_large", bill="estimated"),
    *both(20, "huge-header", "too_large", "upstream_too_large", bill="estimated"),
]  # fmt: skip

CASES = [*NETWORK, *BEGINNINGS, *WHOLE]
