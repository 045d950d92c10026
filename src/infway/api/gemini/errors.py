"""Errors in Google's shape, with infway's own code as the reason.

https://google.aip.dev/193: a canonical word for the status, and details of known types.
"""

from collections.abc import Mapping
from typing import Literal

import orjson
from msgspec import UNSET, Struct, UnsetType, field

from infway.api.errors import broken_object
from infway.kernel.errors import GatewayError
from infway.kernel.faults import Failure

_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_RETRY = "type.googleapis.com/google.rpc.RetryInfo"
# https://cloud.google.com/apis/design/errors#handling_errors
_WORDS: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class ErrorMetadata(Struct):
    """`param`: the path of the field that is wrong."""

    param: str | UnsetType = UNSET


class ErrorDetail(Struct):
    """What the error is about. `reason` is infway's code; `retryDelay` is in seconds, `2s`."""

    type: str = field(name="@type")
    reason: str | UnsetType = UNSET
    domain: Literal["infway"] | UnsetType = UNSET
    metadata: ErrorMetadata | UnsetType = UNSET
    retry_delay: str | UnsetType = field(name="retryDelay", default=UNSET)


class GoogleErrorStatus(Struct):
    """The error. `status`: Google's word for the HTTP status in `code`."""

    code: int
    message: str
    status: str
    details: list[ErrorDetail]


class GoogleError(Struct):
    """The error body of the Gemini API."""

    error: GoogleErrorStatus


def refusal_of(error: GatewayError) -> bytes:
    """Return the body of an error."""
    return _body(error.status, error.code, error.message, error.param, error.retry_after)


def broken_body(failure: Failure) -> bytes:
    """Return the body of what broke a reply after it had begun."""
    said = broken_object(failure)
    status = said["status"]
    code = status if isinstance(status, int) else 500
    return _body(code, str(said["code"]), str(said["message"]))


def _body(
    status: int, code: str, message: str, param: str | None = None, wait: float | None = None
) -> bytes:
    metadata = {} if param is None else {"param": param}
    details: list[object] = [
        {"@type": _INFO, "reason": code, "domain": "infway", "metadata": metadata}
    ]
    if wait is not None:
        details.append({"@type": _RETRY, "retryDelay": f"{max(wait, 0):g}s"})
    word = _WORDS.get(status, "INVALID_ARGUMENT" if status < 500 else "INTERNAL")
    return orjson.dumps(
        {"error": {"code": status, "message": message, "status": word, "details": details}}
    )
