"""A decision as rows: the numbers it used, computed again from what it kept.

JSON-ready, for the command line, the admin API, the console, and the reply when asked for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from infway.ims.decision import Ballot, Decision
from infway.ims.score import Deviates, Parts, Rate, forecast, parts


@dataclass(frozen=True, slots=True)
class Reasons:
    """The numbers of one offer that was ranked.

    `cost_usd` is by the prices, without the floor that `parts.price` has; times in seconds;
    probabilities 0..1. `parts` are weighted and add up to `own`; `value` is V, which the order is by. `draw`: the deviates of start, pace and
    failure, None where means were used. `attempts`: decayed count behind all of it.
    """

    cost_usd: float
    priced: bool
    start_s: float
    end_s: float
    p_fail: float
    q_fail: float
    output_tokens: float
    parts: Parts
    own: float
    value: float
    draw: Deviates | None
    attempts: float


@dataclass(frozen=True, slots=True)
class Row:
    """One offer of a decision. `place`: 1 is tried first, None where it is not tried at all.

    `removed_by`: the constraint that ruled it out. `state`: of its breaker, or `resting`, or
    `at_ceiling`.
    """

    offer: str
    model: str
    upstream: str
    place: int | None = None
    removed_by: str | None = None
    state: str | None = None
    in_flight: int | None = None
    reasons: Reasons | None = None


def explain(decision: Decision) -> dict[str, object]:
    """Return a decision as plain data: facts about the request, and its offers, best first."""
    ground = decision.ground
    return {
        "id": decision.ask.id,
        "input_tokens": decision.ask.input_tokens,
        "output_tokens": decision.predicted_output,
        "weights": ground.weights._asdict(),
        "explored": any(ballot.deviates is not None for ballot in decision.ballots),
        "models_compete": ground.chosen.open,
        "catalogue_order": ground.catalogue,
        "last_resort": decision.last_resort,
        "offers": [_plain(row) for row in rows(decision)],
    }


def rows(decision: Decision) -> list[Row]:
    """Return a row per offer: those tried, in order; then those not tried; then those ruled out."""
    tried = {offer.index: place for place, offer in enumerate(decision.order, 1)}
    ranked = [row for ballot in decision.ballots for row in _ranked(decision, ballot, tried)]
    last = len(ranked) + 1
    ranked.sort(key=lambda row: row.place or last)
    return ranked + [
        Row(offer.id, offer.model, offer.upstream.name, removed_by=constraint)
        for constraint, offers in decision.ground.chosen.removed.items()
        for offer in offers
    ]


def _ranked(decision: Decision, ballot: Ballot, tried: Mapping[int, int]) -> Iterator[Row]:
    """Yield the rows of one group, best value first."""
    drawn: dict[int, Deviates] = {}
    if ballot.deviates is not None:
        of_each = zip(*ballot.deviates, strict=True)
        drawn = {p: Deviates(*three) for p, three in zip(ballot.near, of_each, strict=True)}
    for value, place in ballot.valued:
        offer, view = ballot.field.offers[place], ballot.views[place]
        usual = "half_open" if view.tripped else "closed"
        yield Row(
            offer.id,
            offer.model,
            offer.upstream.name,
            tried.get(offer.index),
            None,
            decision.shut.get(offer.index, usual),
            view.in_flight,
            _reasons(decision, ballot, place, value, drawn.get(place)),
        )


def _reasons(
    decision: Decision, ballot: Ballot, place: int, value: float, draw: Deviates | None
) -> Reasons:
    """Compute one offer's numbers again."""
    rate, view = ballot.rates[place], ballot.views[place]
    guess = forecast(rate, view, decision.work, draw)
    weighted = parts(rate, guess, decision.ground.scale)
    return Reasons(
        _cost(rate, decision.work.input, guess.output, ballot.field.floor),
        ballot.field.offers[place].prices.known,
        guess.start,
        guess.end,
        guess.failure,
        guess.seen,
        guess.output,
        weighted,
        sum(weighted),
        value,
        draw,
        view.attempts,
    )


def _cost(rate: Rate, read: int, made: float, floor: float) -> float:
    """Return the USD of tokens that are read and made, where a free offer costs nothing."""
    return max(0.0, read * (rate.input - floor) + made * (rate.output - floor))


def _plain(row: Row) -> dict[str, object]:
    """Return a row as one flat object for JSON."""
    plain = asdict(row)
    del plain["reasons"]
    if row.reasons is not None:
        plain |= asdict(row.reasons)
        plain["parts"] = row.reasons.parts._asdict()
        plain["draw"] = None if row.reasons.draw is None else row.reasons.draw._asdict()
    return plain
