"""What an error reply means when its status, its vendor's words or its text are all that is known.

The vendor's own code comes first, the status second, the text last. Each dialect brings its table
of codes; the rest is the same for all.
"""

import re
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime

import msgspec

from infway.kernel.faults import Fault

MAX_RETRY_AFTER = 300.0  # seconds; reliability row 22
_MAX_MESSAGE = 1000  # characters of an upstream's message that are passed on

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
TEXTS: tuple[tuple[re.Pattern[str], Fault], ...] = (
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
        re.compile(
            r"content (management )?policy|safety (system|filter)|content violates", re.IGNORECASE
        ),
        Fault.CONTENT_FILTER,
    ),
    (
        # the key is good, and so are the other models behind it
        re.compile(
            r"not allowed to \w[\w ]* from this model|\bmodel \S+ (is not supported|does not exist)",
            re.IGNORECASE,
        ),
        Fault.MODEL_MISSING,
    ),
    (
        re.compile(r"invalid api key|incorrect api key|api key not valid", re.IGNORECASE),
        Fault.PROVIDER_AUTH,
    ),
)
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_write = msgspec.json.Encoder().encode


def fault_named(
    status: int, words: Iterable[object], message: str | None, codes: Mapping[str, Fault]
) -> Fault:
    """Return the fault. `words`: the vendor's own codes and types, the most telling one first.

    `status` 0: an error inside a reply, without a status of its own. `codes` are in lower case.
    """
    for word in words:
        fault = codes.get(str(word).lower())
        if fault is not None:
            return fault
    if status in (0, 400, 403, 404, 413, 422, 429) and message:
        for pattern, fault in TEXTS:
            if pattern.search(message):
                return fault
    if 300 <= status < 400:
        return Fault.REDIRECT
    if 200 <= status < 300:
        return Fault.INVALID_JSON
    return STATUSES.get(status, Fault.HTTP_5XX if status >= 500 else Fault.UPSTREAM_4XX)


def clean(message: object) -> str | None:
    """Return a message as one short line; what is no text is shown as JSON."""
    if not message:
        return None
    text = message if isinstance(message, str) else _write(message).decode()
    return _CONTROL.sub(" ", text)[:_MAX_MESSAGE]


def retry_after(headers: Mapping[str, str]) -> float | None:
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
