"""Errors of servers that speak OpenAI Responses, as replies and inside of them.

Codes: https://platform.openai.com/docs/guides/error-codes, the schema `ResponseErrorCode`, and
those that xAI (`{"code": "...", "error": "..."}`), Copilot and ChatGPT have of their own.
"""

from collections.abc import Mapping

import msgspec

from infway.kernel.faults import Failure, Fault
from infway.providers.faults import clean, fault_named, retry_after
from infway.providers.openai.faults import CODES as OPENAI_CODES
from infway.providers.shapes import NOTHING, Object, as_objects, as_word, is_object, parse

CODES: Mapping[str, Fault] = {
    **OPENAI_CODES,
    "invalid_prompt": Fault.CONTENT_FILTER,  # flagged by the usage policy
    "bio_policy": Fault.CONTENT_FILTER,
    "image_content_policy_violation": Fault.CONTENT_FILTER,
    "data_residency_mismatch": Fault.UPSTREAM_4XX,
    "invalid_image": Fault.UPSTREAM_4XX,
    "invalid_image_format": Fault.UPSTREAM_4XX,
    "invalid_base64_image": Fault.UPSTREAM_4XX,
    "invalid_image_url": Fault.UPSTREAM_4XX,
    "invalid_image_mode": Fault.UPSTREAM_4XX,
    "image_too_large": Fault.UPSTREAM_4XX,
    "image_too_small": Fault.UPSTREAM_4XX,
    "image_parse_error": Fault.UPSTREAM_4XX,
    "image_file_too_large": Fault.UPSTREAM_4XX,
    "image_file_not_found": Fault.UPSTREAM_4XX,
    "empty_image_file": Fault.UPSTREAM_4XX,
    "unsupported_image_media_type": Fault.UPSTREAM_4XX,
    "failed_to_download_image": Fault.UPSTREAM_4XX,
    "slow_down": Fault.RATE_LIMITED,
    "server_is_overloaded": Fault.OVERLOADED,
    "model_not_supported": Fault.MODEL_MISSING,
    "unsupported_api_for_model": Fault.MODEL_MISSING,
    "quota_exceeded": Fault.PROVIDER_QUOTA,
    "usage_limit_reached": Fault.PROVIDER_QUOTA,
    "usage_not_included": Fault.PROVIDER_QUOTA,
    "permission-denied": Fault.PROVIDER_AUTH,
    "unauthenticated": Fault.PROVIDER_AUTH,
    "resource-exhausted": Fault.RATE_LIMITED,
}


def fault_of(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """Return the failure that an HTTP error reply means."""
    said = _error(_read(body))
    message = clean(said.get("message"))
    return Failure(
        fault=fault_named(status, (said.get("code"), said.get("type")), message, CODES),
        status=status,
        message=message,
        param=as_word(said.get("param")),
        retry_after=retry_after(headers),
    )


def fault_inside(holder: Object) -> Failure:
    """Return the failure that an error inside a 200 means: an event, or a failed response.

    A number among its words is the status it would have had.
    """
    said = _error(holder)
    words = said.get("code"), said.get("type")
    status = next((n for n in map(_number, (said.get("status"), *words)) if 400 <= n < 600), 0)
    message = clean(said.get("message"))
    fault = fault_named(status, words, message, CODES)
    if fault is Fault.UPSTREAM_4XX and not status and str(words[0]).lower() not in CODES:
        fault = Fault.INBAND_ERROR
    return Failure(fault, status or 200, message, as_word(said.get("param")))


def _read(body: bytes) -> Object:
    try:
        value: object = parse(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NOTHING
    return value if is_object(value) else next(iter(as_objects(value)), NOTHING)


def _error(holder: Object) -> Object:
    """Return code, type, message and param, whether they stand below `error` or beside it.

    The `type` of an event says that it is an error, not which.
    """
    error = holder.get("error")
    if is_object(error):
        return error
    message = error or holder.get("message") or holder.get("detail")
    kind = holder.get("type")
    return {**holder, "message": message, "type": None if kind == "error" else kind}


def _number(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
