"""Offers that fell silent: which of them is asked, where a request is left with nothing better.

Whoever asks one may wait for as long as a first token is waited for. So one request at a time
finds out, with the offer that was left alone for longest, and all others leave them out: who has
nothing else is refused at once. Offers that fail quickly cost nothing, and are asked by anyone.
Reliability, section 3 and row 78.
"""

from collections.abc import Iterable, Sequence

from infway.ims.slot import Slot
from infway.kernel.chat import Offer


class Silence:
    """What fell silent of an order by `now`. `pause`: seconds from one trial of it to the next."""

    def __init__(
        self, order: Iterable[Offer], slots: Sequence[Slot], now: float, pause: float
    ) -> None:
        self._breakers = {offer.index: slots[offer.index].breaker for offer in order}
        self._silent = [one for one, b in self._breakers.items() if b.is_silent(now)]
        self._now = now
        self._pause = pause

    def left_out(self) -> frozenset[int]:
        """Return the indexes of the offers that a request may not ask now."""
        silent = self._silent
        if not silent or self._trial_at() > self._now:
            return frozenset(silent)
        return frozenset(silent) - {min(silent, key=self._alone_since)}

    def reopens(self) -> float | None:
        """Return the seconds until one is let in, None where some breaker is not open."""
        soonest = min((one.shut for one in self._breakers.values()), default=0.0)
        if self._silent:
            soonest = min(soonest, self._trial_at())
        return soonest - self._now if soonest > self._now else None

    def _trial_at(self) -> float:
        """Return when one may be tried, whatever its breaker waits for."""
        lately = max(self._breakers[one].tried for one in self._silent)
        return max(lately, min(map(self._alone_since, self._silent))) + self._pause

    def _alone_since(self, index: int) -> float:
        return self._breakers[index].alone_since
