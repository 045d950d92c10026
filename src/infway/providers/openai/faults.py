"""Errors of the OpenAI dialect: the vendor's own code first, the status second, the text last."""

from collections.abc import Mapping

import msgspec

from infway.kernel.faults import Failure, Fault
from infway.providers.faults import clean, fault_named, retry_after
from infway.providers.shapes import as_object, as_text

CODES: Mapping[str, Fault] = {
    "context_length_exceeded": Fault.CONTEXT_LENGTH,
    "exceed_context_size_error": Fault.CONTEXT_LENGTH,
    "string_above_max_length": Fault.CONTEXT_LENGTH,
    "too_many_prompt_tokens": Fault.CONTEXT_LENGTH,
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
    "invalid_model": Fault.MODEL_MISSING,  # Mistral's
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


class _Error(msgspec.Struct):
    """Any field may be of any kind: one that is odd must not hide the others."""

    message: object = None
    type: object = None
    code: object = None
    param: object = None
    status: object = None
    metadata: object = None


class _Reply(msgspec.Struct):
    error: _Error | str | None = None
    message: object = None
    detail: object = None
    code: object = None
    type: object = None
    param: object = None


_read_error = msgspec.json.Decoder(_Error | str | None).decode
_read_reply = msgspec.json.Decoder(_Reply).decode
_read_replies = msgspec.json.Decoder(list[_Reply]).decode


def fault_of(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """Return the failure that an HTTP error reply means."""
    error = _error(body)
    return Failure(
        fault=_name(status, error),
        status=status,
        message=clean(error.message),
        param=_text(error.param),
        retry_after=retry_after(headers),
    )


def inband_fault(raw: bytes) -> Failure:
    """Return the failure that an error object inside a 200 means."""
    try:
        read = _read_error(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Failure(Fault.INBAND_ERROR, 200)
    error = _Error(message=read) if isinstance(read, str) else read or _Error()
    status = next((n for n in map(_number, (error.status, error.code)) if 400 <= n < 600), 0)
    fault = _name(status, error) if status or error.code or error.type else Fault.INBAND_ERROR
    if fault is Fault.UPSTREAM_4XX and not status:
        fault = Fault.INBAND_ERROR
    return Failure(fault, status or 200, clean(error.message), _text(error.param))


def _name(status: int, error: _Error) -> Fault:
    # OpenRouter keeps what the vendor behind it said beside its own message
    behind = as_text(as_object(error.metadata).get("raw"))
    told = f"{as_text(error.message)} {behind}".strip()
    return fault_named(status, (error.code, error.type), told, CODES)


def _error(body: bytes) -> _Error:
    try:
        reply = _read_replies(body)[0] if body.lstrip()[:1] == b"[" else _read_reply(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, IndexError):
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


def _number(value: object) -> int:
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return int(text) if text.isdecimal() and len(text) < 10 else 0
