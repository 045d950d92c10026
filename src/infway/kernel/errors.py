"""The exceptions of infway.

InfwayError
├── GatewayError             ends a request; the edge renders it as the one error body
│   ├── CallerError          the caller's mistake: 4xx, never worth an automatic retry
│   ├── UnavailableError     nothing could serve it now: 5xx or 429
│   │   └── StoppedError     infway ended it: a stop, or too little memory
│   └── UpstreamError        every attempt failed: status and code from the fault table
├── UpstreamFailed           one attempt failed; only pipeline/attempt.py sees it
└── SettingsError            the configuration is wrong; the command line renders it
"""

import re

from infway.kernel.faults import CONSEQUENCES, Blame, Failure, Fault

ERROR_TYPES: dict[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "payment_required",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    409: "invalid_request_error",
    413: "invalid_request_error",
    414: "invalid_request_error",
    415: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
    431: "invalid_request_error",
}


# Seconds of Retry-After that client SDKs wait: OpenAI's took a longer one for none for years, and
# came back at once.
_LONGEST_WAIT = 60.0
# What an upstream says a mistake is about is passed on where it is the path of a field, and no
# other word of its own: it may be a key that it repeats
_FIELD = re.compile(r"[A-Za-z_]\w{0,31}(?:\[\d{1,6}\]|\.\w{1,32}){0,12}")


class InfwayError(Exception):
    """Everything infway raises on purpose."""


class GatewayError(InfwayError):
    """Ends a request with one error body.

    `param`: the field's path. `retry_after`: seconds. `retryable` False tells client SDKs that
    an automatic retry is pointless; None leaves the choice to them. `request_id`: the request that
    it ended, where the edge has said so. `credits`: what the attempts before it were charged.
    """

    request_id: str | None = None
    credits: str | None = None

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        retry_after: float | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.retry_after = retry_after
        self.retryable = retryable

    @property
    def type(self) -> str:
        """The OpenAI error type that goes with the status."""
        return ERROR_TYPES.get(self.status, "server_error")


class CallerError(GatewayError):
    """The caller's mistake."""

    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(status, code, message, param=param, retryable=False)


class UnavailableError(GatewayError):
    """Nothing can serve the request as it is now."""


class StoppedError(UnavailableError):
    """infway ends what it had begun: it stops, or lacks memory. It travels in a cancellation."""


def stopped_by(error: BaseException) -> StoppedError | None:
    """Return why infway ended a task, from what cancelled it; None where its client left."""
    return next((one for one in error.args if isinstance(one, StoppedError)), None)


def leaving(error: BaseException) -> Failure:
    """Return how an attempt ended whose task was cancelled by `error`, which may name the fault."""
    named = next((one for one in error.args if isinstance(one, Fault)), None)
    if named is not None:
        return Failure(named)
    return Failure(Fault.CLIENT_GONE if stopped_by(error) is None else Fault.STOPPED)


class UpstreamError(GatewayError):
    """Every attempt failed; `failure` is the one the caller is told about.

    `attempts`: what became of each, as the header of the reply says it. Clients may come again
    by themselves only when an upstream said when, and they wait so long; otherwise infway has
    already retried and fallen back, and their retries only add load.
    """

    def __init__(self, failure: Failure, message: str, attempts: str = "") -> None:
        consequence = CONSEQUENCES[failure.fault]
        after = failure.retry_after
        is_field = consequence.blame is Blame.CALLER and _FIELD.fullmatch(failure.param or "")
        super().__init__(
            consequence.status,
            consequence.code,
            message,
            param=failure.param if is_field else None,
            retry_after=after,
            retryable=None if after is not None and after <= _LONGEST_WAIT else False,
        )
        self.failure = failure
        self.attempts = attempts


class UpstreamFailed(InfwayError):
    """One attempt failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.fault.value)
        self.failure = failure


class SettingsError(InfwayError):
    """The configuration is wrong. `problems`: every fault at once, each with its place."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
