"""The book of evidence: what infway measured on its own traffic, per offer, upstream and model.

Updated when an attempt starts and ends; read by every decision. Times are monotonic seconds.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from types import MappingProxyType

from infway.ims.account import FOREVER, Account
from infway.ims.evidence import Decay
from infway.ims.outcome import Outcome, lesson
from infway.ims.posterior import View, default, shrink, view
from infway.ims.slot import Pool, Slot
from infway.ims.tuning import Tuning
from infway.kernel.chat import Feature, Offer
from infway.kernel.faults import CONSEQUENCES, Blame, Fault, Rest

_THOUGHT = Feature.REASONING | Feature.AUDIO_OUT
UNSENT = 50_000  # own outcomes kept for other replicas; the oldest go first


class Bell:
    """Rings when an offer may take requests that took none, for whoever waits for that.

    A book that is swapped for another keeps its bell: what it has in flight ends there.
    """

    __slots__ = ("ring",)

    def __init__(self) -> None:
        self.ring: Callable[[], None] | None = None


class Health:
    """The book of all offers of one catalogue, by `Offer.index`.

    `random` shortens the breakers' waits. `share` keeps own outcomes for other replicas until
    they are drained. `allowed`: the most requests in flight, by the upstream's name.
    """

    def __init__(
        self,
        offers: Sequence[Offer],
        tuning: Tuning,
        random: Random,
        *,
        share: bool = False,
        allowed: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self.tuning = tuning
        self.bell = Bell()
        self._random = random
        self.decay = Decay(tuning.slow_half_life, tuning.fast_half_life)
        self._default = default(tuning.prior)
        names = dict.fromkeys(o.upstream.name for o in offers)
        self.accounts = {one: Account(tuning.rests, allowed.get(one, FOREVER)) for one in names}
        self.upstreams = {one: Pool() for one in names}
        self.models = {o.model: Pool() for o in offers}
        self.slots = [
            Slot(
                self.accounts[o.upstream.name],
                self.upstreams[o.upstream.name],
                self.models[o.model],
                tuning,
            )
            for o in offers
        ]
        for offer, slot in zip(offers, self.slots, strict=True):
            # an offer of which nothing is known is said to do everything, and to speak as well
            slot.thinks = _THOUGHT & offer.features == Feature.REASONING
        self.by_id = {offer.id: slot for offer, slot in zip(offers, self.slots, strict=True)}
        self._unsent: deque[tuple[str, Outcome]] | None = deque(maxlen=UNSENT) if share else None
        self._troubled_until = 0.0
        self._look_again = 0.0

    def dispatched(self, offer: Offer, now: float) -> None:
        """Count an attempt that starts."""
        slot = self.slots[offer.index]
        slot.began(now)
        slot.account.dispatched(now)
        self._note(slot)

    def heard(self, offer: Offer, now: float) -> None:
        """Count a first token: silence is held against an offer long before its timeout."""
        self.slots[offer.index].heard(now)
        if self.bell.ring is not None:
            self.bell.ring()

    def observe(self, offer: Offer, now: float, outcome: Outcome) -> None:
        """Count an attempt that ended; exactly once for each `dispatched`."""
        slot = self.slots[offer.index]
        account = slot.account
        if outcome.fault in (Fault.RATE_LIMITED, Fault.OVERLOADED):
            account.refused(now)
        slot.ended(silent=outcome.start is None)
        account.returned(now, outcome.input_tokens + (outcome.output_tokens or 0))
        if outcome.limits is not None:
            account.told(now, *outcome.limits)
        was_tripped = slot.breaker.tripped
        turned = self._learn(slot, now, outcome)
        if self._unsent is not None:
            told = outcome._replace(probe=True) if was_tripped and turned else outcome
            self._unsent.append((offer.id, told))

    @property
    def shares(self) -> bool:
        """Whether what is new is kept for other replicas."""
        return self._unsent is not None

    def drain(self) -> list[tuple[str, Outcome]]:
        """Return and forget own outcomes since the last drain, as (offer id, outcome)."""
        if self._unsent is None:
            return []
        drained = list(self._unsent)
        self._unsent.clear()
        return drained

    def absorb(self, outcomes: Iterable[tuple[str, Outcome]], now: float) -> None:
        """Learn from what other replicas observed; offers unknown here are skipped."""
        for offer_id, outcome in outcomes:
            slot = self.by_id.get(offer_id)
            if slot is not None:
                if outcome.probe:
                    slot.breaker.follow()
                self._learn(slot, now, outcome)

    def shut(self, slot: Slot, until: float) -> None:
        """Leave an offer alone until then: another replica finds out about it."""
        slot.breaker.lease(until)
        slot.settle()
        self._note(slot)

    def trip(self, offer_id: str, now: float, wait: float) -> None:
        """Open the breaker of an offer of which nothing is known here, since another replica's is."""
        slot = self.by_id.get(offer_id)
        if slot is not None and not slot.breaker.tripped and not slot.evidence.slow.n:
            slot.breaker.trip(now + wait)
            slot.settle()
            self._note(slot)

    def carry(self, old: "Health") -> None:
        """Take over what an earlier book knew of the same offers, upstreams and models.

        What is in flight stays with the earlier book, which sees it end; the accounts, and so
        what counts against their ceilings, are the same in both.
        """
        self.bell = old.bell
        self.decay.epoch = old.decay.epoch
        for offer_id in self.by_id.keys() & old.by_id.keys():
            self.by_id[offer_id].inherit(old.by_id[offer_id])
        for mine, theirs in ((self.upstreams, old.upstreams), (self.models, old.models)):
            for name in mine.keys() & theirs.keys():
                mine[name].inherit(theirs[name])
        heirs: dict[Account, Account] = {}
        for name in self.accounts.keys() & old.accounts.keys():
            kept = heirs[self.accounts[name]] = old.accounts[name]
            kept.allow(self.accounts[name].allowed)
            if kept.is_off:
                kept.turn_on()  # whoever reads the settings anew may have paid, or has another key
            self.accounts[name] = kept
        for slot in self.slots:
            slot.account = heirs.get(slot.account, slot.account)
            self._note(slot)

    def refresh(self, slot: Slot, now: float) -> View:
        """Compute what is believed of an offer now, and keep it for a while."""
        tuning, strength = self.tuning, self.tuning.strength
        spread = tuning.prior.spread
        if now >= slot.prior_until:
            peers = shrink(slot.model.counts(now, self.decay, tuning), self._default, strength)
            like = shrink(slot.upstream.counts(now, self.decay, tuning), peers, strength)
            slot.prior = like._replace(output=peers.output)
            slot.prior_until = now + tuning.refresh
        own = slot.evidence.counts(self.decay.factors(now), tuning.disagreement, spread * spread)
        posterior = view(own, slot.prior, strength, spread)
        slot.start = posterior.start
        slot.fresh = now + tuning.refresh
        return slot.show(posterior, now)

    def troubled(self, now: float) -> bool:
        """Tell whether any offer may be shut now; False is certain, and costs one comparison."""
        if self._troubled_until <= now:
            return False
        if now >= self._look_again:
            self._look_again = now + self.tuning.refresh
            self._troubled_until = max(slot.troubled_until for slot in self.slots)
        return self._troubled_until > now

    def _learn(self, slot: Slot, now: float, outcome: Outcome) -> bool:
        """Move evidence, breaker and rests by one outcome; return whether the breaker turned."""
        turned = False
        if outcome.fault is not None:
            self._rest(slot, now, outcome.fault, outcome.retry_after)
        learnt = lesson(outcome, slot.start)
        if learnt is None:
            slot.breaker.abandoned(now)
        else:
            if now - self.decay.epoch > self.decay.longest:
                self._rebase(now)
            weights = self.decay.weights(now)
            slot.evidence.add(learnt, weights)
            slot.upstream.learn(learnt, weights)
            slot.model.learn(learnt, weights)
            turned = self._judge(slot, now, learnt.failed + learnt.seen, outcome)
        slot.settle()
        failed = learnt is not None and learnt.failed + learnt.seen > 0
        slot.fresh = 0.0 if failed else min(slot.fresh, now + self.tuning.notice)
        self._note(slot)
        if self.bell.ring is not None:
            self.bell.ring()
        return turned

    def _judge(self, slot: Slot, now: float, failure: float, outcome: Outcome) -> bool:
        """Tell breaker and account; one that opens or closes has dealt with the past: return whether."""
        if failure:
            slow = FOREVER if outcome.end is None else outcome.end
            turned = slot.breaker.failed(now, failure, self._random.random(), slow)
            slot.breaker.silent = outcome.start is None and slow > self.tuning.trip.quick
        else:
            turned = slot.breaker.succeeded(now)
            slot.account.succeeded(now)
        if turned:
            slot.evidence.cap(self.tuning.trip.doubt, self.decay.factors(now))
        return turned

    def _rest(self, slot: Slot, now: float, fault: Fault, asked: float | None) -> None:
        """Leave alone what the fault table says, for as long as was asked or is usual."""
        consequence = CONSEQUENCES[fault]
        if consequence.rest is Rest.NOTHING:
            return
        rests = self.tuning.rests
        if consequence.blame is Blame.OPERATOR:
            if consequence.rest is Rest.UPSTREAM:
                slot.account.turn_off(now)
            else:
                slot.rest(now + rests.operator)
            return
        if asked is None and consequence.rest is Rest.UPSTREAM:
            slot.account.tire(now)
            return
        until = now + min(rests.longest, max(0.0, asked or 0.0))
        if consequence.rest is Rest.UPSTREAM:
            slot.account.rest(until)
        else:
            slot.rest(until)

    def _note(self, slot: Slot) -> None:
        """Remember until when something is shut."""
        ramps = slot.breaker.ramps_until
        self._troubled_until = max(self._troubled_until, slot.shut, slot.account.shut, ramps)

    def _rebase(self, now: float) -> None:
        """Count weights from now on, before they grow out of a float's range."""
        slow, fast = self.decay.factors(now)
        for pool in (*self.upstreams.values(), *self.models.values()):
            pool.evidence.scale(slow, fast)
        for slot in self.slots:
            slot.evidence.scale(slow, fast)
        self.decay.epoch = now
