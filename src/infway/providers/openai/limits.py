"""What OpenAI's rate-limit headers say is left of an allowance.

https://platform.openai.com/docs/guides/rate-limits, "Rate limits in headers".
"""

import re
from collections.abc import Mapping

# `1s`, `6m0s`, `120ms`, `1h2m3.5s`, or plain seconds.
_RESET = re.compile(
    r"(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m(?!s))?(?:(?P<s>\d+(?:\.\d+)?)(?:s|$))?(?:(?P<ms>\d+)ms)?"
)
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_LONGEST = 1e6  # seconds; a larger number is a date, which means nothing without a clock
_SOON = 1.0  # seconds that are assumed where a reset cannot be read


def limits_of(headers: Mapping[str, str]) -> tuple[float, float] | None:
    """Return how many requests are left, and the seconds until all are; None where nobody says."""
    left = headers.get("x-ratelimit-remaining-requests")
    if left is None or not (left.isascii() and left.isdecimal()) or len(left) > 12:
        return None
    return float(left), _seconds(headers.get("x-ratelimit-reset-requests", ""))


def _seconds(text: str) -> float:
    found = _RESET.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return _SOON
    told = sum(float(value) * _UNITS[unit] for unit, value in found.groupdict("0").items())
    return told if told < _LONGEST else _SOON
