"""Errors of Cohere: a sentence as `message`, seldom with a word as `error_type`.

https://docs.cohere.com/reference/errors
"""

import re
from collections.abc import Mapping

from infway.kernel.faults import Failure, Fault
from infway.providers.faults import clean, fault_named, retry_after
from infway.providers.shapes import Object, as_text, read_object

CODES: Mapping[str, Fault] = {
    "too_many_tokens": Fault.CONTEXT_LENGTH,
    # The model wrote nothing that could be given; another one may
    "no_valid_response_generated": Fault.EMPTY_CHOICES,
    "invalid_tool_generation": Fault.INBAND_ERROR,
}
_LIMIT = re.compile(r"max tokens must be", re.IGNORECASE)
# What the status does not say. Trial keys end after so many calls in a month.
_TEXTS: tuple[tuple[re.Pattern[str], Fault], ...] = (
    (_LIMIT, Fault.UPSTREAM_4XX),  # of the caller's own limit, though it begins `too many tokens`
    (re.compile(r"/ ?month|monthly", re.IGNORECASE), Fault.PROVIDER_QUOTA),
    (re.compile(r"invalid api (token|key)|no api key", re.IGNORECASE), Fault.PROVIDER_AUTH),
    (re.compile(r"^model '.*' not found", re.IGNORECASE), Fault.MODEL_MISSING),
    (re.compile(r"blocked (input|output)", re.IGNORECASE), Fault.CONTENT_FILTER),
)
_STATUSES: Mapping[int, Fault] = {
    498: Fault.PROVIDER_AUTH,  # an invalid token
    499: Fault.RETRYABLE_4XX,  # the request was given up, on whichever side
    503: Fault.OVERLOADED,
}


def fault_of(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """Return the failure that an HTTP error reply means."""
    error = read_object(body) or {}
    message = _message(error)
    fault = _named(status, error, message)
    param = "max_tokens" if _LIMIT.search(message or "") else None
    return Failure(fault, status, message, param, retry_after(headers))


def inband_fault(error: Object) -> Failure:
    """Return the failure that an error inside a 200 means: an event, or a body without a message."""
    message = _message(error)
    fault = _named(0, error, message)
    return Failure(Fault.INBAND_ERROR if fault is Fault.UPSTREAM_4XX else fault, 200, message)


def _message(error: Object) -> str | None:
    return clean(error.get("message")) or clean(error.get("error"))


def _named(status: int, error: Object, message: str | None) -> Fault:
    if status in (0, 400, 401, 403, 404, 422, 429):
        for pattern, fault in _TEXTS:
            if pattern.search(message or ""):
                return fault
    word = as_text(error.get("error_type")).lower()
    if word not in CODES and status in _STATUSES:
        return _STATUSES[status]
    return fault_named(status, (word,), message, CODES)
