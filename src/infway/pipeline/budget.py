"""What keeps further attempts from multiplying load: a share of the requests of the last seconds.

One budget for all lines of a process. Retries, tries of what is shut, and hedges are drawn from
it. Going on to another healthy offer is always allowed, and counts. Reliability, section 3, N4.
"""

from collections import deque

MARGIN = 0.9  # of the share is given out: the rate of requests moves, and the share is a bound
_ROUNDING = 1e-9
WINDOW = 11  # seconds that count, in slices of one: whatever ten of them are looked at


class RetryBudget:
    """Retries are at most `share` of the requests of any ten seconds; `floor` are always allowed.

    Whoever begins a request adds one to `begun`, and calls `turn` once `until` has passed. Times
    are seconds, monotonic. `hedge_share` is the same for hedges, of which one is always allowed.
    """

    __slots__ = (
        "_floor", "_hedge_share", "_share", "_slices", "begun", "hedged", "retried", "until",
    )  # fmt: skip

    def __init__(self, share: float = 0.2, floor: int = 3, hedge_share: float = 0.05) -> None:
        self._share = share
        self._floor = floor
        self._hedge_share = hedge_share
        self._slices: deque[tuple[float, int, int, int]] = deque()
        self.begun = self.retried = self.hedged = 0
        self.until = 0.0

    def turn(self, now: float) -> None:
        """Begin a slice, and forget those that are too old."""
        slices = self._slices
        slices.append((self.until - 1.0, self.begun, self.retried, self.hedged))
        while slices and slices[0][0] <= now - WINDOW:
            slices.popleft()
        self.begun = self.retried = self.hedged = 0
        self.until = now + 1.0

    def allows(self, now: float) -> bool:
        """Tell whether one more retry may be made, and count it."""
        begun, retried, _ = self._totals(now)
        if retried + 1 > max(self._floor, MARGIN * self._share * begun + _ROUNDING):
            return False
        self.retried += 1
        return True

    def hedges(self, now: float) -> bool:
        """Tell whether one more offer may be asked beside another, and count it."""
        begun, _, hedged = self._totals(now)
        if hedged + 1 > max(1.0, self._hedge_share * begun + _ROUNDING):
            return False
        self.hedged += 1
        return True

    def _totals(self, now: float) -> tuple[int, int, int]:
        if now >= self.until:
            self.turn(now)
        begun, retried, hedged = self.begun, self.retried, self.hedged
        for _, one, again, beside in self._slices:
            begun, retried, hedged = begun + one, retried + again, hedged + beside
        return begun, retried, hedged
