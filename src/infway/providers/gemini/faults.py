"""Errors of Google's APIs: the reason first, then the status word, the HTTP status, the text.

https://google.aip.dev/193 and https://ai.google.dev/gemini-api/docs/troubleshooting
"""

import re
from collections.abc import Iterator, Mapping

import msgspec

from infway.kernel.faults import Failure, Fault
from infway.providers.faults import MAX_RETRY_AFTER, clean, fault_named, retry_after
from infway.providers.shapes import (
    Object,
    as_count,
    as_list,
    as_object,
    as_objects,
    as_text,
    as_word,
    parse,
)

CODES: Mapping[str, Fault] = {
    "api_key_invalid": Fault.PROVIDER_AUTH,
    "api_key_service_blocked": Fault.PROVIDER_AUTH,
    "api_key_http_referrer_blocked": Fault.PROVIDER_AUTH,
    "api_key_ip_address_blocked": Fault.PROVIDER_AUTH,
    "credentials_missing": Fault.PROVIDER_AUTH,
    "access_token_expired": Fault.PROVIDER_AUTH,
    "access_token_scope_insufficient": Fault.PROVIDER_AUTH,
    "access_token_type_unsupported": Fault.PROVIDER_AUTH,
    "account_state_invalid": Fault.PROVIDER_AUTH,
    "consumer_invalid": Fault.PROVIDER_AUTH,
    "consumer_suspended": Fault.PROVIDER_AUTH,
    "service_disabled": Fault.PROVIDER_AUTH,
    "iam_permission_denied": Fault.PROVIDER_AUTH,
    "billing_disabled": Fault.PROVIDER_QUOTA,
    "rate_limit_exceeded": Fault.RATE_LIMITED,
    "unauthenticated": Fault.PROVIDER_AUTH,
    "permission_denied": Fault.PROVIDER_AUTH,
    "failed_precondition": Fault.PROVIDER_AUTH,  # the account's country or billing
    "not_found": Fault.MODEL_MISSING,
    "resource_exhausted": Fault.RATE_LIMITED,
    "unavailable": Fault.OVERLOADED,
    "deadline_exceeded": Fault.HTTP_5XX,
    "internal": Fault.HTTP_500,
    "unknown": Fault.HTTP_500,
    "aborted": Fault.RETRYABLE_4XX,
    "cancelled": Fault.RETRYABLE_4XX,
}
# A file or a cached prompt that the caller named wrongly is no matter of the key or the model
_CALLERS = re.compile(r"\bthe File\b|CachedContent|cached content", re.IGNORECASE)
# AI Studio and Vertex AI refuse each other's signatures: whoever gave it may still take it
_FOREIGN = re.compile(r"thought.?signature", re.IGNORECASE)
# Limits that no waiting of minutes lifts
_SPENT = re.compile(
    r"credits? (are|is|have been|has been) (depleted|exhausted|used up)|spending (cap|limit)"
    r"|per ?day|limit: 0\b",
    re.IGNORECASE,
)
_SECONDS = re.compile(r"(?P<seconds>[0-9]{1,9}(\.[0-9]+)?)s")


def fault_of(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """Return the failure that an HTTP error reply means."""
    error = _error(body)
    return _failure(error, status, retry_after(headers))


def inband_fault(error: Object) -> Failure:
    """Return the failure that an error object inside a 200 means."""
    code = as_count(error.get("code"))
    status = code if 400 <= code < 600 else 0
    failure = _failure(error, status, None)
    if failure.status:
        return failure
    vague = failure.fault is Fault.UPSTREAM_4XX
    fault = Fault.INBAND_ERROR if vague else failure.fault
    return Failure(fault, 200, failure.message, failure.param, failure.retry_after)


def _failure(error: Object, status: int, wait: float | None) -> Failure:
    details = as_objects(error.get("details"))
    message = clean(error.get("message"))
    words = [*_words(details, "reason"), error.get("status")]
    fault = fault_named(status, words, message, CODES)
    if fault in (Fault.PROVIDER_AUTH, Fault.MODEL_MISSING) and _CALLERS.search(message or ""):
        fault = Fault.UPSTREAM_4XX
    if fault is Fault.UPSTREAM_4XX and _FOREIGN.search(message or ""):
        fault = Fault.UNTRANSLATABLE
    if fault is Fault.RATE_LIMITED and _is_spent(details, message):
        fault = Fault.PROVIDER_QUOTA
    delay = _delay(details)
    return Failure(
        fault,
        status,
        message,
        next(_fields(details), None),
        wait if delay is None else delay,
    )


def _error(body: bytes) -> Object:
    """Return the error of a body: alone, in a list, or as a text of its own."""
    try:
        said: object = parse(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    first = as_object(next(iter(as_list(said)), said))
    error = first.get("error")
    if isinstance(error, str):
        return {"status": error, "message": first.get("error_description") or error}
    return as_object(error) or first


def _words(details: list[dict[str, object]], key: str) -> list[str]:
    return [word for one in details if (word := as_word(one.get(key)))]


def _fields(details: list[dict[str, object]]) -> Iterator[str]:
    for one in details:
        yield from _words(as_objects(one.get("fieldViolations")), "field")


def _is_spent(details: list[dict[str, object]], message: str | None) -> bool:
    quotas = [
        word for one in details for word in _words(as_objects(one.get("violations")), "quotaId")
    ]
    return any(_SPENT.search(text) for text in (*quotas, message or ""))


def _delay(details: list[dict[str, object]]) -> float | None:
    """Return the seconds of google.rpc.RetryInfo."""
    for one in details:
        found = _SECONDS.fullmatch(as_text(one.get("retryDelay")))
        if found:
            return min(float(found["seconds"]), MAX_RETRY_AFTER)
    return None
