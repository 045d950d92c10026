"""Errors of Ollama: a sentence as `error`, in a reply of its own or as a line of a stream.

https://docs.ollama.com/api/errors
"""

import re
from collections.abc import Mapping

from infway.kernel.faults import Failure, Fault
from infway.providers.faults import clean, fault_named, retry_after
from infway.providers.shapes import as_object, read_object

# What Ollama says whatever the status; it has no codes
_TEXTS: tuple[tuple[re.Pattern[str], Fault], ...] = (
    (re.compile(r"prompt (is )?too long|exceed\w* max\w* context", re.IGNORECASE), Fault.CONTEXT_LENGTH),
    (re.compile(r"^model .* not found", re.IGNORECASE), Fault.MODEL_MISSING),
    (re.compile(r"maximum pending requests|server busy", re.IGNORECASE), Fault.OVERLOADED),
)  # fmt: skip
_STATUSES: Mapping[int, Fault] = {
    499: Fault.RETRYABLE_4XX,  # the request was given up while the model was loaded
    503: Fault.OVERLOADED,  # more requests wait than the server lets
}


def fault_of(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """Return the failure that an HTTP error reply means."""
    message = _message(as_object(read_object(body)).get("error"))
    fault = _told(message) or _STATUSES.get(status) or fault_named(status, (), message, {})
    return Failure(fault, status, message, retry_after=retry_after(headers))


def inband_fault(error: object) -> Failure:
    """Return the failure that an error inside a 200 means."""
    message = _message(error)
    fault = _told(message) or fault_named(0, (), message, {})
    return Failure(Fault.INBAND_ERROR if fault is Fault.UPSTREAM_4XX else fault, 200, message)


def _told(message: str | None) -> Fault | None:
    found = (fault for pattern, fault in _TEXTS if pattern.search(message or ""))
    return next(found, None)


def _message(error: object) -> str | None:
    return clean(as_object(error).get("message") or error)
