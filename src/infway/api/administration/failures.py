"""How often an address presented keys that nobody has: who guesses has to wait."""

from collections import OrderedDict
from collections.abc import Callable

from infway.kernel.errors import CallerError

MOST = 10  # wrong keys of one address within a window
WINDOW = 60.0  # seconds
_ADDRESSES = 10_000  # that are remembered; the one that failed longest ago is forgotten first


class Failures:
    """Wrong keys by address. `now`: monotonic seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._seen: OrderedDict[str, list[float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Raise CallerError 429 where an address has to wait, before any key is looked at."""
        seen = self._seen.get(address)
        if seen is None or len(seen) < MOST:
            return
        left = seen[-MOST] + WINDOW - self._now()
        if left > 0:
            error = CallerError(429, "rate_limit_exceeded", "Too many wrong keys: wait.")
            error.retry_after = left
            raise error

    def add(self, address: str) -> None:
        """Count a wrong key."""
        seen = self._seen.setdefault(address, [])
        seen.append(self._now())
        del seen[:-MOST]
        self._seen.move_to_end(address)
        if len(self._seen) > _ADDRESSES:
            self._seen.popitem(last=False)
