"""Rate-limit headers as vendors really spell them."""

import pytest

from infway.providers.openai.limits import limits_of
from infway.providers.registry import ADAPTERS


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("120ms", 0.12),
        ("1h2m3.5s", 3723.5),
        ("17", 17.0),
        ("", 1.0),
        ("soon", 1.0),
        ("1795245183", 1.0),
    ],
)
def test_what_is_left_comes_with_the_time_until_all_is(reset: str, seconds: float):
    headers = {"x-ratelimit-remaining-requests": "42", "x-ratelimit-reset-requests": reset}
    assert limits_of(headers) == (42.0, pytest.approx(seconds))


@pytest.mark.parametrize("left", [None, "", "-1", "many", "\u00b2", "9" * 40])
def test_a_header_that_says_nothing_is_no_limit(left: str | None):
    assert limits_of({} if left is None else {"x-ratelimit-remaining-requests": left}) is None


def test_every_adapter_takes_a_reply_without_such_headers():
    assert all(adapter.limits({}) is None for adapter in ADAPTERS.values())
