"""Errors of the OpenAI dialect: the vendor's own code first, the status second, the text last."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import msgspec

from infway.kernel.faults import Failure, Fault

MAX_RETRY_AFTER = 300.0  # seconds; reliability row 22
_MAX_MESSAGE = 1000  # characters of an upstream's message that are passed on

CODES: Mapping[str, Fault] = {
    "context_length_exceeded": Fault.CONTEXT_LENGTH,
    "exceed_context_size_error": Fault.CONTEXT_LENGTH,
    "string_above_max_length": Fault.CONTEXT_LENGTH,
    "content_filter": Fault.CONTENT_FILTER,
    "content_policy_violation": Fault.CONTENT_FILTER,
    "responsibleaipolicyviolation": Fault.CONTENT_FILTER,
    "moderation": Fault.CONTENT_FILTER,
    "data_inspection_failed": Fault.CONTENT_FILTER,
    "insufficient_quota": Fault.PROVIDER_QUOTA,
    "billing_hard_limit_reached": Fault.PROVIDER_QUOTA,
    "billing_not_active": Fault.PROVIDER_QUOTA,
    "insufficient_balance": Fault.PROVIDER_QUOTA,
    "credit_limit": Fault.PROVIDER_QUOTA,
    "invalid_api_key": Fault.PROVIDER_AUTH,
    "authentication_error": Fault.PROVIDER_AUTH,
    "permission_error": Fault.PROVIDER_AUTH,
    "account_deactivated": Fault.PROVIDER_AUTH,
    "model_not_found": Fault.MODEL_MISSING,
    "deploymentnotfound": Fault.MODEL_MISSING,
    "model_not_available": Fault.MODEL_MISSING,
    "rate_limit_exceeded": Fault.RATE_LIMITED,
    "rate_limit_error": Fault.RATE_LIMITED,
    "tokens": Fault.RATE_LIMITED,
    "requests": Fault.RATE_LIMITED,
    "overloaded_error": Fault.OVERLOADED,
    "engine_overloaded": Fault.OVERLOADED,
    "server_overloaded": Fault.OVERLOADED,
}

STATUSES: Mapping[int, Fault] = {
    400: Fault.UPSTREAM_4XX,
    401: Fault.PROVIDER_AUTH,
    402: Fault.PROVIDER_QUOTA,
    403: Fault.PROVIDER_AUTH,
    404: Fault.MODEL_MISSING,
    408: Fault.RETRYABLE_4XX,
    409: Fault.RETRYABLE_4XX,
    413: Fault.PAYLOAD_TOO_LARGE,
    422: Fault.UPSTREAM_4XX,
    425: Fault.RETRYABLE_4XX,
    429: Fault.RATE_LIMITED,
    500: Fault.HTTP_500,
    529: Fault.OVERLOADED,
}

# Vendors that give no code say it in words. Only these few meanings are read from text.
_TEXTS: tuple[tuple[re.Pattern[str], Fault], ...] = (
    (
        re.compile(
            r"context (length|window|size)|maximum context|too many (input )?tokens"
            r"|prompt is too long|exceeds? the (model'?s )?max(imum)? (number of )?tokens",
            re.IGNORECASE,
        ),
        Fault.CONTEXT_LENGTH,
    ),
    (
        re.compile(r"credit balance|insufficient (balance|credit|funds|quota)", re.IGNORECASE),
        Fault.PROVIDER_QUOTA,
    ),
    (
        re.compile(r"content (management )?policy|safety (system|filter)", re.IGNORECASE),
        Fault.CONTENT_FILTER,
    ),
    (
        re.compile(r"invalid api key|incorrect api key|api key not valid", re.IGNORECASE),
        Fault.PROVIDER_AUTH,
    ),
)
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class _Error(msgspec.Struct):
    """Any field may be of any kind: one that is odd must not hide the others."""

    message: object = None
    type: object = None
    code: object = None
    param: object = None
    status: object = None


class _Reply(msgspec.Struct):
    error: _Error | str | None = None
    message: object = None
    detail: object = None
    code: object = None
    type: object = None
    param: object = None


_write = msgspec.json.Encoder().encode
_read_error = msgspec.json.Decoder(_Error | str | None).decode
_read_reply = msgspec.json.Decoder(_Reply).decode
_read_replies = msgspec.json.Decoder(list[_Reply]).decode


def fault_of(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """Return the failure that an HTTP error reply means."""
    error = _error(body)
    return Failure(
        fault=_name(status, error),
        status=status,
        message=_clean(error.message),
        param=_text(error.param),
        retry_after=_retry_after(headers),
    )


def inband_fault(raw: bytes) -> Failure:
    """Return the failure that an error object inside a 200 means."""
    try:
        read = _read_error(raw)
    except (msgspec.DecodeError, RecursionError):
        return Failure(Fault.INBAND_ERROR, 200)
    error = _Error(message=read) if isinstance(read, str) else read or _Error()
    status = next((n for n in map(_number, (error.status, error.code)) if 400 <= n < 600), 0)
    fault = _name(status, error) if status or error.code or error.type else Fault.INBAND_ERROR
    if fault is Fault.UPSTREAM_4XX and not status:
        fault = Fault.INBAND_ERROR
    return Failure(fault, status or 200, _clean(error.message), _text(error.param))


def _name(status: int, error: _Error) -> Fault:
    for word in (error.code, error.type):
        fault = CODES.get(str(word).lower())
        if fault is not None:
            return fault
    message = _text(error.message)
    if status in (0, 400, 403, 404, 413, 422, 429) and message:
        for pattern, fault in _TEXTS:
            if pattern.search(message):
                return fault
    if 300 <= status < 400:
        return Fault.REDIRECT
    if 200 <= status < 300:
        return Fault.INVALID_JSON
    return STATUSES.get(status, Fault.HTTP_5XX if status >= 500 else Fault.UPSTREAM_4XX)


def _error(body: bytes) -> _Error:
    try:
        reply = _read_replies(body)[0] if body.lstrip()[:1] == b"[" else _read_reply(body)
    except (msgspec.DecodeError, RecursionError, IndexError):
        return _Error()
    if isinstance(reply.error, _Error):
        return reply.error
    return _Error(
        message=reply.error or reply.message or reply.detail,
        type=reply.type,
        code=reply.code,
        param=reply.param,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _clean(message: object) -> str | None:
    """Return a message as one short line; what is no text is shown as JSON."""
    if not message:
        return None
    text = message if isinstance(message, str) else _write(message).decode()
    return _CONTROL.sub(" ", text)[:_MAX_MESSAGE]


def _number(value: object) -> int:
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After in both forms, RFC 9110 section 10.2.3; a date counts from the reply's own."""
    text = (headers.get("retry-after") or "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), MAX_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(text)
        now = parsedate_to_datetime(headers.get("date") or "")
        return min(max((until - now).total_seconds(), 0.0), MAX_RETRY_AFTER)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
