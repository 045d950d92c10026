"""What the book holds of one offer, and of the pools it belongs to."""

from functools import partial
from typing import Any

from infway.ims.account import FOREVER, Account
from infway.ims.breaker import Breaker, State
from infway.ims.evidence import Counts, Decay, Evidence, Lesson
from infway.ims.posterior import View, default, view
from infway.ims.tuning import Tuning
from infway.kernel.chat import Feature, Timeouts

_PATIENCE = 1000  # lessons that wait at most
_view_of = partial(tuple[Any, ...].__new__, View)  # as `_make` does, without a call of Python's
_KNOWN = 3.0  # attempts, older ones fading, from which on its own time to the first token counts
_SLACK = 4.0  # times the usual: with a spread of 0.5, beyond 99 of 100 first tokens


class Pool:
    """The evidence of all offers of one upstream, or of one model.

    It is read once in a while and learns all the time: lessons wait until it is read.
    """

    __slots__ = ("_counts", "_evidence", "_fresh_until", "_waiting")

    def __init__(self) -> None:
        self._evidence = Evidence()
        self._waiting: list[tuple[Lesson, tuple[float, float]]] = []
        self._counts = Counts()
        self._fresh_until = -FOREVER

    @property
    def evidence(self) -> Evidence:
        """All that was learnt."""
        waiting, self._waiting = self._waiting, []
        for lesson, weights in waiting:
            self._evidence.add(lesson, weights)
        return self._evidence

    def learn(self, lesson: Lesson, weights: tuple[float, float]) -> None:
        """Take one more lesson; `weights` come from `Decay.weights`."""
        self._waiting.append((lesson, weights))
        if len(self._waiting) >= _PATIENCE:
            self._evidence = self.evidence

    def inherit(self, old: "Pool") -> None:
        """Take over what an earlier pool of the same name knew."""
        self._evidence = old.evidence.copy()

    def counts(self, now: float, decay: Decay, tuning: Tuning) -> Counts:
        """Return the evidence, at most `tuning.refresh` seconds old."""
        if now >= self._fresh_until:
            variance = tuning.prior.spread**2
            self._counts = self.evidence.counts(decay.factors(now), tuning.disagreement, variance)
            self._fresh_until = now + tuning.refresh
        return self._counts


class Slot:
    """One offer's health. `view` holds while `fresh` is in the future.

    `usual`: requests in flight as lately found at dispatch. `waiting`: how many of them have no
    first token yet, and `quiet_since` when none came. `start`: believed seconds to the first token
    without regard to them. `prior`: what is believed of its like, until `prior_until`.
    `rest_until`: a rest of the offer alone. `shut`: until when its rest or its breaker keeps it at
    the end of the order. `thinks`: the model is known to reason.
    """

    __slots__ = (
        "account", "breaker", "evidence", "fresh", "habit", "in_flight", "model", "prior",
        "prior_until", "quiet_since", "rest_until", "room", "shut", "start", "thinks",
        "upstream", "usual", "view", "waiting",
    )  # fmt: skip

    def __init__(self, account: Account, upstream: Pool, model: Pool, tuning: Tuning) -> None:
        self.account = account
        self.upstream = upstream
        self.model = model
        self.breaker = Breaker(tuning.trip)
        self.evidence = Evidence(tuning.latest)
        self.in_flight = self.waiting = 0
        self.quiet_since = 0.0
        self.usual = 0.0
        self.room, self.habit = tuning.room, tuning.habit
        self.rest_until = 0.0
        self.shut = 0.0
        self.thinks = False
        self.fresh = -FOREVER
        self.prior = default(tuning.prior)
        self.prior_until = -FOREVER
        self.view = view(Counts(), self.prior, tuning.strength, tuning.prior.spread)
        self.start = self.view.start

    def patience(self, limits: Timeouts, wanted: Feature) -> float:
        """Return the seconds until its first token while another offer could be asked instead.

        A model that thinks before it speaks, or is told to, has all its time until it is known
        how much it needs.
        """
        if (self.thinks or Feature.REASONING in wanted) and self.view.attempts < _KNOWN:
            return limits.first_token
        return min(limits.first_token, max(limits.first_token_fallback, _SLACK * self.start))

    def silence(self, now: float) -> float:
        """Return the seconds in which requests waited for a first token and none came."""
        return now - self.quiet_since if self.waiting else 0.0

    @property
    def troubled_until(self) -> float:
        """Until when it is not simply open."""
        return max(self.shut, self.account.shut, self.breaker.ramps_until)

    @property
    def wakes(self) -> float:
        """Until when it rests or its breaker is open; a ceiling alone does not count."""
        return max(self.shut, self.account.resting_until)

    @property
    def opens(self) -> float:
        """When it takes requests again as far as is known; endless where only an event tells."""
        return max(self.shut, self.account.shut)

    def closed(self, now: float) -> bool:
        """Tell whether it belongs at the end of every order now."""
        return self.shut > now or self.account.shut > now

    def condition(self, now: float) -> str:
        """Name its state: the breaker's, or `resting`, or `at_ceiling`."""
        if self.rest_until > now or self.account.resting_until > now:
            return "resting"
        state = self.breaker.state(now)
        if self.account.shut > now and state in (State.CLOSED, State.HALF_OPEN):
            return "at_ceiling"
        return state.value

    def began(self, now: float) -> None:
        """Count an attempt that starts."""
        self.usual += (self.in_flight - self.usual) / self.habit
        self.in_flight += 1
        if not self.waiting:
            self.quiet_since = now
        self.waiting += 1
        if self.breaker.tripped:
            self.breaker.dispatched(now)
            self.settle()
        self.show(self.view, now)

    def heard(self, now: float) -> None:
        """Count a first token: it lets the next probe in, but only a whole reply closes a breaker."""
        self.waiting = max(0, self.waiting - 1)
        self.quiet_since = now
        if self.breaker.tripped:
            self.breaker.heard(now)
            self.settle()
        self.show(self.view, now)

    def ended(self, *, silent: bool) -> None:
        """Count an attempt that ended; `silent`: before its first token."""
        self.in_flight = max(0, self.in_flight - 1)
        self.waiting = min(self.in_flight, self.waiting - silent)

    def show(self, posterior: View, now: float) -> View:
        """Set `view`: what the evidence says, and what is under way at this moment.

        Requests that wait for their first token say early what their timeouts will say late: half
        of the silence is the least to be expected of the next one.
        """
        silence = (now - self.quiet_since) / 2.0 if self.waiting else 0.0
        start = max(self.start, silence)
        # how much slower a reply is for what is in flight beyond the usual
        load = max(1.0, (self.room + self.in_flight) / (self.room + 2.0 * self.usual))
        self.view = _view_of(
            (
                start,
                posterior.pace,
                load,
                *posterior[3:14],
                self.in_flight,
                self.breaker.tripped,
            )
        )
        return self.view

    def rest(self, until: float) -> None:
        """Leave the offer itself alone until then."""
        self.rest_until = max(self.rest_until, until)
        self.settle()

    def settle(self) -> None:
        """Work out `shut` after its parts changed."""
        self.shut = max(self.rest_until, self.breaker.shut)

    def inherit(self, old: "Slot") -> None:
        """Take over what an earlier book knew; what is in flight stays there."""
        self.evidence = old.evidence.copy()
        self.breaker = old.breaker
        self.usual, self.rest_until, self.shut = old.usual, old.rest_until, old.shut
        self.fresh = self.prior_until = -FOREVER
