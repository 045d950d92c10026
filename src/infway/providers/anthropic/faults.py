"""Errors of the Anthropic dialect, and of the clouds that serve Claude under their own errors.

https://platform.claude.com/docs/en/api/errors
"""

import re
from collections.abc import Mapping

import msgspec

from infway.kernel.faults import Failure, Fault
from infway.providers.faults import clean, fault_named, retry_after
from infway.providers.shapes import Object, as_list, as_object, as_text, is_object, parse

CODES: Mapping[str, Fault] = {
    "authentication_error": Fault.PROVIDER_AUTH,
    "permission_error": Fault.PROVIDER_AUTH,
    "billing_error": Fault.PROVIDER_QUOTA,
    "not_found_error": Fault.MODEL_MISSING,
    "request_too_large": Fault.PAYLOAD_TOO_LARGE,
    "rate_limit_error": Fault.RATE_LIMITED,
    "api_error": Fault.HTTP_500,
    "timeout_error": Fault.HTTP_5XX,
    "overloaded_error": Fault.OVERLOADED,
    # Google, https://cloud.google.com/apis/design/errors
    "unauthenticated": Fault.PROVIDER_AUTH,
    "permission_denied": Fault.PROVIDER_AUTH,
    "not_found": Fault.MODEL_MISSING,
    "resource_exhausted": Fault.RATE_LIMITED,
    "internal": Fault.HTTP_500,
    "unavailable": Fault.OVERLOADED,
    "deadline_exceeded": Fault.HTTP_5XX,
    # Azure
    "deploymentnotfound": Fault.MODEL_MISSING,
    "unknown_model": Fault.MODEL_MISSING,
    "ratelimitreached": Fault.RATE_LIMITED,
}
_CALLERS = "invalid_request_error"
# What Anthropic calls an invalid request, and is something else
_TEXTS: tuple[tuple[re.Pattern[str], Fault], ...] = (
    (re.compile(r"exceed context limit", re.IGNORECASE), Fault.CONTEXT_LENGTH),
    (re.compile(r"API usage limits", re.IGNORECASE), Fault.PROVIDER_QUOTA),
    (re.compile(r"content filtering policy", re.IGNORECASE), Fault.CONTENT_FILTER),
)
_PATH = re.compile(r"(?P<path>[a-z_]+(?:\.[a-z0-9_]+)*): ")


def fault_of(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """Return the failure that an HTTP error reply means."""
    error = _error(body)
    message = clean(error.get("message"))
    return Failure(
        fault=_name(status, error),
        status=status,
        message=message,
        param=_param(message),
        retry_after=retry_after(headers),
    )


def inband_fault(error: Object) -> Failure:
    """Return the failure that an error object inside a 200 means."""
    fault = _name(0, error)
    if fault is Fault.UPSTREAM_4XX and error.get("type") != _CALLERS:
        fault = Fault.INBAND_ERROR
    message = clean(error.get("message"))
    return Failure(fault, 200, message, _param(message))


def _name(status: int, error: Object) -> Fault:
    message = as_text(error.get("message"))
    if status in (0, 400, 403, 429):
        for pattern, fault in _TEXTS:
            if pattern.search(message):
                return fault
    words = (error.get("type"), error.get("code"), error.get("status"))
    return fault_named(status, words, message, CODES)


def _param(message: str | None) -> str | None:
    """Return the field that a message begins with: `messages.1.content.0: ...`."""
    found = _PATH.match(message or "")
    return found["path"] if found else None


def _error(body: bytes) -> Object:
    """Return the error object of a body: Anthropic's, Google's (perhaps in a list) or AWS's."""
    try:
        reply = parse(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    reply = as_object(next(iter(as_list(reply)), reply))
    error = reply.get("error")
    if is_object(error):
        return error
    return {"message": error or reply.get("message"), "code": reply.get("code")}
