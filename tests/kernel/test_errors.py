"""Every error has a type that OpenAI's clients know, and no caller's mistake asks for a retry."""

import pytest

from infway.kernel.errors import CallerError, GatewayError, InfwayError, SettingsError
from infway.kernel.errors import UnavailableError as Unavailable


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"), (401, "authentication_error"), (403, "permission_error"),
        (404, "not_found_error"), (429, "rate_limit_error"), (500, "server_error"),
        (502, "server_error"), (503, "server_error"), (504, "server_error"),
    ],
)  # fmt: skip
def test_the_type_goes_with_the_status(status: int, kind: str):
    assert GatewayError(status, "code", "message").type == kind


def test_a_callers_mistake_is_not_worth_an_automatic_retry():
    error = CallerError(400, "bad", "It is bad.", "messages.0")
    assert error.retryable is False
    assert error.param == "messages.0"
    assert Unavailable(503, "later", "Later.", retry_after=2).retryable is None


def test_settings_errors_tell_every_problem():
    error = SettingsError(("a is missing", "b is wrong"))
    assert str(error) == "a is missing\nb is wrong"
    assert isinstance(error, InfwayError)
