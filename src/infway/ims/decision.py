"""One decision: an order of offers, and enough to compute every number behind it again."""

from collections.abc import Sequence
from typing import NamedTuple

from infway.ims.field import Field, Ground
from infway.ims.posterior import View
from infway.ims.score import Rate, Window, Work
from infway.kernel.chat import ChatRequest, Offer


class Ballot(NamedTuple):
    """How one group of offers was valued.

    `near`: the places that were drawn for, with these deviates; None where means were used.
    `valued`: (V, place), best first.
    """

    field: Field
    rates: Sequence[Rate]
    views: Sequence[View]
    near: Sequence[int]
    deviates: Window | None
    valued: Sequence[tuple[float, int]]


class Decision:
    """The order for one request, best first, and what it was made from.

    `at`: when, in monotonic seconds. `draw`: the place of its deviates, None where means decide.
    `shut`: offer index -> why it is at the end of the order: its breaker's state, `resting` or
    `at_ceiling`.
    """

    __slots__ = ("ask", "at", "ballots", "draw", "ground", "order", "shut", "work")

    def __init__(
        self, ask: ChatRequest, at: float, ground: Ground, work: Work, draw: int | None
    ) -> None:
        self.ask = ask
        self.at = at
        self.ground = ground
        self.work = work
        self.draw = draw
        self.ballots: list[Ballot] = []
        self.order: list[Offer] = []
        self.shut: dict[int, str] = {}

    @property
    def last_resort(self) -> int:
        """How many at the end of the order are there because something is wrong with them."""
        return sum(offer.index in self.shut for offer in self.order) if self.shut else 0

    @property
    def predicted_output(self) -> float:
        """Output tokens expected of the first offer."""
        first = self.order[0].index
        for ballot in self.ballots:
            place = ballot.field.place_of.get(first)
            if place is not None:
                return min(ballot.views[place].output, self.work.limit)
        return self.work.limit

    def by_model(self) -> list[list[Offer]]:
        """Return the offers of each model in order, the model with the best offer first."""
        grouped: dict[str, list[Offer]] = {}
        for offer in self.order:
            grouped.setdefault(offer.model, []).append(offer)
        return list(grouped.values())
