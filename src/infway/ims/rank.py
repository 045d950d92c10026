"""From candidates and health to an order: one decision per request.

Everything that can be worked out beforehand is in the field; what is left is one read of each
offer's view, the score, and a sort.
"""

from collections.abc import Sequence
from random import Random

from infway.ims.affinity import Affinity, Warm
from infway.ims.breaker import Probing
from infway.ims.candidates import candidates
from infway.ims.catalog import Catalog
from infway.ims.decision import Ballot, Decision
from infway.ims.draws import SIZE, Draws
from infway.ims.field import Field, Ground, prepare
from infway.ims.health import Health
from infway.ims.posterior import View
from infway.ims.score import INFINITE, Rate, Row, Work, drawn, plans, steady
from infway.ims.tuning import Tuning
from infway.kernel.chat import ChatRequest, Feature, Offer, Principal, Selection

KINDS = 4096  # kinds of requests that are remembered before all are forgotten
STRANGERS = 4  # how many offers far from the best are drawn for in one decision, in turn

Kind = tuple[Selection, Feature, tuple[int, int, int], Principal, object]


class Router:
    """Orders the offers of one catalogue; `random` is its only source of chance.

    `probing`: who else probes offers; None: nobody.
    """

    def __init__(self, catalog: Catalog, health: Health, tuning: Tuning, random: Random) -> None:
        self.catalog = catalog
        self.health = health
        self.tuning = tuning
        self.affinity = Affinity(tuning.cache_life, tuning.remembered, share=health.shares)
        self.probing: Probing | None = None
        self.place_of = {offer.id: offer.index for offer in catalog.offers}
        self.draws = Draws()
        self._random = random
        self._grounds: dict[Kind, Ground] = {}

    def decide(self, ask: ChatRequest, who: Principal, now: float) -> Decision:
        """Return the order of all offers that can serve this request; `now` in monotonic seconds.

        Raises CallerError and UnavailableError as `candidates` does.
        """
        kind = (ask.selection, ask.features, self.catalog.size_class(ask), who, _words(ask))
        ground = self._grounds.get(kind)
        if ground is None:
            ground = self._prepare(kind, ask)
        chance = self._random.random()
        explore = self.tuning.explore
        draw = int(chance / explore * SIZE) if ground.drawn and chance < explore else None
        work = Work(ask.input_tokens, float(ask.output_tokens or INFINITE))
        decision = Decision(ask, now, ground, work, draw)
        decision.ballots = [self._ballot(decision, field) for field in ground.fields]
        self._arrange(decision)
        return decision

    def served(self, offer: Offer, ask: ChatRequest, now: float) -> None:
        """Take note of a reply's first token: the offer is alive, and its prompt cache warm."""
        self.health.heard(offer, now)
        if ask.affinity is not None:
            self.affinity.served(ask.affinity, Warm(offer.index, now, ask.input_tokens))

    def _prepare(self, kind: Kind, ask: ChatRequest) -> Ground:
        chosen = candidates(self.catalog, ask, kind[3])
        ground = prepare(chosen, self.health.slots, self.tuning, ask.input_tokens)
        if len(self._grounds) >= KINDS:
            self._grounds.clear()
        self._grounds[kind] = ground
        return ground

    def _ballot(self, decision: Decision, field: Field) -> Ballot:
        """Value every offer of one group."""
        now, work, draw = decision.at, decision.work, decision.draw
        ground, ask, refresh = decision.ground, decision.ask, self.health.refresh
        views = [s.view if s.fresh > now else refresh(s, now) for s in field.slots]
        rates: Sequence[Rate] = field.rates
        if ask.affinity is not None:
            rates = self._warmed(field, ask, ask.affinity, now)
        places: Sequence[int] = range(len(views))
        if ground.catalogue:
            valued = [(float(place), place) for place in places]
            return Ballot(field, rates, views, places, None, valued)
        if draw is None:
            valued = plans(steady(places, rates, views, work, ground.scale), ground.scale)
            return Ballot(field, rates, views, places, None, valued)
        if len(views) <= self.tuning.wide:
            deviates = self.draws.window(draw, len(views))
            rows = drawn(places, rates, views, deviates, work, ground.scale)
            return Ballot(field, rates, views, places, deviates, plans(rows, ground.scale))
        near, far = self._near(steady(places, rates, views, work, ground.scale), draw)
        deviates = self.draws.window(draw, len(near))
        theirs, seen = [rates[place] for place in near], [views[place] for place in near]
        rows = drawn(near, theirs, seen, deviates, work, ground.scale)
        valued = plans(rows, ground.scale) + [row[:2] for row in far]
        valued.sort()
        return Ballot(field, rates, views, near, deviates, valued)

    def _near(self, rows: list[Row], draw: int) -> tuple[list[int], list[Row]]:
        """Split a wide field: who is drawn for, and who keeps its mean since it is far behind."""
        rows.sort()
        wide = self.tuning.wide
        first = wide + draw % (len(rows) - wide)
        last = first + STRANGERS
        near = [row[1] for row in rows[:wide]]
        near += [row[1] for row in rows[first:last]]
        return near, rows[wide:first] + rows[last:]

    def _warmed(self, field: Field, ask: ChatRequest, affinity: int, now: float) -> Sequence[Rate]:
        """Return the rates, lower where this conversation's prompt cache is likely to be warm."""
        warm = self.affinity.warm(affinity, now)
        place = None if warm is None else field.place_of.get(warm.offer)
        if warm is None or place is None or not ask.input_tokens:
            return field.rates
        rates = list(field.rates)
        rate = rates[place]
        share = self.tuning.cache_hit * min(warm.tokens, ask.input_tokens) / ask.input_tokens
        into = rate.input - share * rate.cache_saving
        rates[place] = Rate(into, rate.output, rate.quality, rate.cache_saving)
        return rates

    def _arrange(self, decision: Decision) -> None:
        """Turn values into an order: what is shut goes to the end, wishes and pins come before."""
        said = decision.ground.chosen.said
        now = decision.at
        troubled = self.health.troubled(now)
        alive: list[Offer] = []
        ramping: list[Offer] = []
        shut: list[tuple[float, Offer]] = []
        for ballot in decision.ballots:
            field = ballot.field
            places = [place for _, place in ballot.valued]
            if field.pins or decision.ground.wished:
                places = _preferred(places, ballot, said)
            if troubled:
                places = self._sift(decision, field, places, ramping, shut)
            alive += [field.offers[place] for place in places]
        # what will be back soonest is the best of what is left when nothing else is
        shut.sort(key=_wakes)
        decision.order = alive + ramping + [offer for _, offer in shut]
        if not said.allow_fallbacks:
            _restrict(decision, said)

    def _sift(
        self,
        decision: Decision,
        field: Field,
        places: Sequence[int],
        ramping: list[Offer],
        shut: list[tuple[float, Offer]],
    ) -> list[int]:
        """Return the places whose turn it is; what is back since a moment has its turn by chance."""
        now, open_ones = decision.at, list[int]()
        for place in places:
            slot, offer = field.slots[place], field.offers[place]
            if slot.closed(now):
                decision.shut[offer.index] = slot.condition(now)
                shut.append((slot.wakes, offer))
            elif slot.breaker.ramps_until > now and self._random.random() >= slot.breaker.share(
                now
            ):
                ramping.append(offer)
            else:
                open_ones.append(place)
        return open_ones


def _words(ask: ChatRequest) -> object:
    """Return what decides whether a dialect has the words for a request, beside its features."""
    native = ask.native
    said = None if native is None else (native.dialect, bool(native.needs), bool(native.lost))
    return (said, ask.parameters) if ask.selection.require_parameters else said


def _wakes(shut: tuple[float, Offer]) -> float:
    return shut[0]


def _preferred(places: list[int], ballot: Ballot, said: Selection) -> list[int]:
    """Return the places with pinned upstreams first, and those too slow for the caller last."""
    pins, views = ballot.field.pins, ballot.views
    latest = INFINITE if said.max_latency is None else said.max_latency
    slowest = INFINITE if not said.min_throughput else 1.0 / said.min_throughput

    def rank(place: int) -> tuple[int, bool]:
        view: View = views[place]
        return (pins[place] if pins else 0, view.start > latest or view.pace > slowest)

    return sorted(places, key=rank)


def _restrict(decision: Decision, said: Selection) -> None:
    """Keep what may be tried without falling back: the pinned upstreams, or the best offer.

    With imsn > 1 that is the best offer of each of the models that answer.
    """
    pinned = {
        field.offers[place].index
        for field in decision.ground.fields
        for place, pin in enumerate(field.pins or ())
        if pin < len(said.order)
    }
    if pinned:
        decision.order = [offer for offer in decision.order if offer.index in pinned]
    else:
        decision.order = [offers[0] for offers in decision.by_model()[: said.imsn]]
