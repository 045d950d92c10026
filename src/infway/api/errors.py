"""The one error body, for every failure and every client: OpenAI's and Infuzu's shape in one.

Both official SDKs read it: `error` with a string code, and `errors` that is never null.
"""

from collections.abc import Mapping
from math import ceil

import orjson

from infway.kernel.errors import GatewayError, UpstreamError
from infway.kernel.faults import CONSEQUENCES, Failure

Header = tuple[bytes, bytes]


def error_object(error: GatewayError) -> dict[str, object]:
    """Return OpenAI's error object with the HTTP status beside it."""
    return {
        "message": error.message,
        "type": error.type,
        "param": error.param,
        "code": error.code,
        "status": error.status,
    }


def error_body(error: GatewayError) -> bytes:
    """Return the dual body."""
    return orjson.dumps(
        {
            "error": error_object(error),
            "errors": [{"code": error.code, "message": error.message}],
            "warnings": [],
            "results": {},
        }
    )


def error_headers(error: GatewayError) -> list[Header]:
    """Return the headers that go with an error: what was tried, what to do next, and when."""
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"private, no-store")]
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if isinstance(error, UpstreamError) and error.attempts:
        headers.append((b"x-gateway-attempts", error.attempts.encode()))
    if error.credits is not None:
        headers.append((b"infe-unit-cost", error.credits.encode()))
    if error.retry_after is not None:
        headers.append((b"retry-after", str(max(1, ceil(error.retry_after))).encode()))
    if error.retryable is not None:
        headers.append((b"x-should-retry", b"true" if error.retryable else b"false"))
    return headers


def own_fault() -> GatewayError:
    """Return what a caller learns of our own bugs: nothing but that it was one."""
    return GatewayError(500, "internal_server_error", "infway failed; the request id tells which.")


def broken_object(failure: Failure) -> dict[str, object]:
    """Return the error object of a reply that broke after it had begun."""
    consequence = CONSEQUENCES[failure.fault]
    error = GatewayError(
        consequence.status,
        consequence.code,
        f"The upstream's answer broke off ({failure.fault.value}).",
    )
    return error_object(error)


_STATUS_CODES: Mapping[int, tuple[str, str]] = {
    404: ("endpoint_not_found", "There is no such endpoint."),
    405: ("method_not_allowed", "This endpoint does not take this method."),
    400: ("invalid_request_body", "The request cannot be read."),
    401: ("invalid_api_key", "The API key is not valid."),
    403: ("model_not_accessible", "This key may not do that."),
    413: ("payload_too_large", "The body is too large."),
    415: ("unsupported_media_type", "The body must be application/json."),
}


def error_of_status(status: int) -> GatewayError:
    """Return the error that a bare HTTP status of the web framework means."""
    code, message = _STATUS_CODES.get(status, ("invalid_request_body", "The request was refused."))
    if status >= 500:
        return own_fault()
    return GatewayError(status, code, message, retryable=False)
