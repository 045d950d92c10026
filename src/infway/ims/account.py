"""One credential at one upstream: what is in flight, what it lets through, when it wants a rest.

A 429 sets ceilings on requests in flight and on tokens per minute below what was in use;
successes raise them again (multiplicative decrease, additive increase), never above what the
configuration allows.
"""

import math
from typing import NamedTuple

from infway.ims.tuning import Rests

MINUTE = 60.0
FOREVER = float("inf")


class Terms(NamedTuple):
    """What one replica knows of an account. None: nothing new.

    `most`: requests in flight, `tokens` per minute: learned ceilings. `left`: requests until
    `reset`, in seconds from now, as headers said. `rest`: seconds to leave it alone.
    """

    most: float | None = None
    tokens: float | None = None
    left: float | None = None
    reset: float = 0.0
    rest: float = 0.0


class Account:
    """Every method takes the present in monotonic seconds.

    `shut`: until when it is resting or at a limit. `resting_until`: until when it was told, or
    had reason, to be left alone. `is_off`: its key or its bill is refused, and only one request
    now and then finds out whether it still is. `allowed`: requests in flight that the configuration allows.
    `most_in_flight`: that, or the learned ceiling below it.
    """

    __slots__ = (
        "_at", "_born", "_cut", "_cut_at", "_refused", "_remaining", "_reset_at", "_rests",
        "_strikes", "_tokens", "_was_told",
        "allowed", "in_flight", "is_off", "most_in_flight", "resting_until", "shut",
    )  # fmt: skip

    def __init__(self, rests: Rests, allowed: float = FOREVER) -> None:
        self._rests = rests
        self._born = FOREVER
        self._at = 0.0
        self._tokens = 0.0  # decayed with a time constant of one minute: tokens per minute
        self._cut = FOREVER  # tokens per minute that the last refusal left
        self._cut_at = -FOREVER
        self._remaining: float | None = None
        self._reset_at = 0.0
        self._refused = self._was_told = False  # since what is new was asked for
        self.resting_until = 0.0
        self.is_off = False
        self._strikes = 0
        self.in_flight = 0
        self.allowed = self.most_in_flight = allowed
        self.shut = 0.0

    def dispatched(self, now: float) -> None:
        """Count a request that goes out."""
        self._born = min(self._born, now)
        self.in_flight += 1
        if self._remaining is not None:
            self._remaining -= 1.0
        if self.is_off and now >= self.resting_until:
            self.resting_until = now + self._rests.operator  # this one finds out; others stay away
        self._settle(now)

    def returned(self, now: float, tokens: float) -> None:
        """Count a request that came back, and the tokens it used."""
        self.in_flight = max(0, self.in_flight - 1)
        self._tokens = self.tokens(now) + tokens
        self._at = now
        self._settle(now)

    def tokens(self, now: float) -> float:
        """Return the tokens of the last minute, older ones fading."""
        return self._tokens * math.exp(min(0.0, self._at - now) / MINUTE)

    def most_tokens(self, now: float) -> float:
        """Return the learned ceiling in tokens per minute; it rises steadily after a refusal."""
        if self._cut == FOREVER:
            return FOREVER
        return self._cut * (1.0 + self._rests.growth * (now - self._cut_at) / MINUTE)

    def succeeded(self, now: float) -> None:
        """Move a learned ceiling up a little: a request went well."""
        self._strikes = 0
        if self.is_off:
            self.turn_on()
        most = self.most_in_flight
        if most < self.allowed:
            self.most_in_flight = min(self.allowed, most + self._rests.increase / max(1.0, most))
            self._settle(now)

    def refused(self, now: float) -> None:
        """Learn ceilings from a 429 or an overload, its request still counted as in flight.

        Refusals that come together are one. Tokens are judged only after a whole minute's use:
        before, what was used says nothing about what may be.
        """
        if now - self._cut_at < self._rests.rate_limited:
            return
        in_use = min(self.most_in_flight, float(max(1, self.in_flight)))
        self.most_in_flight = max(1.0, in_use * self._rests.decrease)
        if now - self._born >= MINUTE:
            self._cut = min(self.most_tokens(now), self.tokens(now)) * self._rests.decrease
        self._cut_at = now
        self._refused = True
        self._settle(now)

    def tire(self, now: float) -> None:
        """Leave it alone after a 429 that names no time: longer each time, until one goes well.

        Refusals of requests that were under way together are one.
        """
        rests = self._rests
        if now >= self.resting_until:
            self._strikes = min(self._strikes + 1, 20)
        self.rest(now + min(rests.tired, rests.rate_limited * 2.0 ** (self._strikes - 1)))

    def rest(self, until: float) -> None:
        """Leave it alone until then."""
        self.resting_until = max(self.resting_until, until)
        self.shut = max(self.shut, until)

    def turn_off(self, now: float) -> None:
        """Leave it alone until its key or its bill is seen to: somebody, or a later try, will tell."""
        self.is_off = True
        self.rest(now + self._rests.operator)

    def turn_on(self) -> None:
        """Use it again: a request went well, or the configuration was read anew."""
        self.is_off = False
        self.resting_until = 0.0
        if self.shut != FOREVER:
            self.shut = 0.0

    def told(self, now: float, remaining: float, reset: float) -> None:
        """Its headers said: this many more requests, or tokens' worth of them, in `reset` s."""
        self._remaining = remaining
        self._reset_at = now + min(reset, self._rests.longest)
        self._was_told = True
        self._settle(now)

    def terms(self, now: float, *, whole: bool = False) -> Terms | None:
        """Return what was learned here since the last time, or with `whole` all; None: nothing."""
        told = Terms()
        if (self._refused or whole) and self.most_in_flight < self.allowed:
            told = told._replace(most=self.most_in_flight)
        if (self._refused or whole) and self._cut < FOREVER:
            told = told._replace(tokens=self.most_tokens(now))
        if (self._was_told or whole) and self._remaining is not None and self._reset_at > now:
            told = told._replace(left=max(0.0, self._remaining), reset=self._reset_at - now)
        if whole:
            told = told._replace(rest=max(0.0, self.resting_until - now))
        self._refused = self._was_told = False
        return None if told == Terms() else told

    def learn(self, now: float, told: Terms, *, whole: bool = False) -> None:
        """Take over what another replica learned; all that it knows only where nothing is known here.

        Whoever has more in flight than the other goes down from there: a replica of which little
        is asked would else hold back one of which much is.
        """
        down = self._rests.decrease
        is_new = told.most is not None or told.tokens is not None
        if is_new and (not whole or self._cut_at == -FOREVER):
            most = max(1.0, self.in_flight * down, told.most or FOREVER)
            self.most_in_flight = min(self.most_in_flight, most)
            tokens = max(self.tokens(now) * down, told.tokens or FOREVER)
            self._cut = min(self.most_tokens(now), tokens)
            self._cut_at = now
        if told.left is not None:
            known = self._remaining if now < self._reset_at else None
            if known is None or told.left < known:
                self._remaining = told.left
                self._reset_at = now + min(told.reset, self._rests.longest)
        if told.rest:
            self.rest(now + min(told.rest, self._rests.longest))
        self._settle(now)

    def allow(self, allowed: float) -> None:
        """Take another ceiling of the configuration; what was learned below it stays."""
        learned = self.most_in_flight if self.most_in_flight < self.allowed else FOREVER
        self.allowed = allowed
        self.most_in_flight = min(learned, allowed)
        if self.in_flight >= self.most_in_flight:
            self.shut = FOREVER
        elif self.shut == FOREVER:
            self.shut = self.resting_until

    def _settle(self, now: float) -> None:
        """Work out until when it is at a limit, so that deciding needs one comparison."""
        free_at = 0.0
        if self._remaining is not None and now >= self._reset_at:
            self._remaining = None
        if self._remaining is not None and self._remaining < 1.0:
            free_at = self._reset_at
        if self.in_flight >= self.most_in_flight:
            free_at = FOREVER
        elif self._cut < FOREVER:
            used, most = self.tokens(now), self.most_tokens(now)
            if used > most > 0.0:
                free_at = max(free_at, now + MINUTE * math.log(used / most))
        self.shut = max(free_at, self.resting_until)
