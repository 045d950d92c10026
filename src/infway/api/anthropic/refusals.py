"""Errors as Anthropic's clients read them: its types, our codes.

https://platform.claude.com/docs/en/api/errors. The HTTP status stays infway's own.
"""

from collections.abc import Mapping

from infway.api.errors import broken_object, error_object
from infway.kernel.errors import GatewayError
from infway.kernel.faults import Failure
from infway.providers.shapes import write

_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
}
_OVERLOADED = "upstream_overloaded"


def refusal_body(error: GatewayError) -> bytes:
    """Return the body of an error."""
    return write(_body(error_object(error), error.request_id))


def late_frame(error: GatewayError, request_id: str) -> bytes:
    """Return the event that ends a stream before anything was answered."""
    return _frame(_body(error_object(error), request_id))


def broken_frame(failure: Failure, request_id: str) -> bytes:
    """Return the event that ends an answer which broke off."""
    return _frame(_body(broken_object(failure), request_id))


def _body(said: Mapping[str, object], request_id: str | None) -> dict[str, object]:
    """Return Anthropic's error with our code and the field's path beside its type."""
    status = said["status"]
    usual = "api_error" if isinstance(status, int) and status >= 500 else "invalid_request_error"
    kind = _TYPES.get(status, usual) if isinstance(status, int) else usual
    if said["code"] == _OVERLOADED:
        kind = "overloaded_error"
    error = {"type": kind, "message": said["message"], "code": said["code"], "param": said["param"]}
    return {"type": "error", "error": error, "request_id": request_id}


def _frame(body: dict[str, object]) -> bytes:
    return b"event: error\ndata: %b\n\n" % write(body)
