"""What Anthropic's rate-limit headers say is left of an allowance.

https://platform.claude.com/docs/en/api/rate-limits, "Response headers".
"""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

_SOON = 1.0  # seconds that are assumed where a reset cannot be read


def limits_of(headers: Mapping[str, str]) -> tuple[float, float] | None:
    """Return how many requests are left, and the seconds until all are; None where nobody says.

    The reset is a moment; it counts from the reply's own date.
    """
    left = headers.get("anthropic-ratelimit-requests-remaining")
    if left is None or not (left.isascii() and left.isdecimal()) or len(left) > 12:
        return None
    return float(left), _seconds(headers)


def _seconds(headers: Mapping[str, str]) -> float:
    try:
        until = datetime.fromisoformat(headers.get("anthropic-ratelimit-requests-reset", ""))
        now = parsedate_to_datetime(headers.get("date", ""))
        return max((until - now).total_seconds(), 0.0)
    except (ValueError, TypeError, IndexError, OverflowError):
        return _SOON
