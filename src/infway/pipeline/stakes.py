"""What one process holds of each purse, and what is set aside of it for one request."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from infway.kernel.account import Budget, Period
from infway.kernel.chat import Offer
from infway.kernel.errors import CallerError, GatewayError, UnavailableError
from infway.kernel.money import usd_text
from infway.ledger.purses import Purse
from infway.pipeline.cost import Cost
from infway.pipeline.tried import Attempt

_LASTS = {Period.DAY: "each day", Period.MONTH: "each month", Period.TOTAL: "in all"}


class Stake:
    """What this process holds of one purse, in 10^-12 USD.

    `granted`: by the database. `reserved`: for requests that are open. `unwritten`: for those that
    have ended, whose rows the database has not. `wanted`: what requests need that wait for more.
    `peak`: the most that was reserved and unwritten since the last look. `users`: requests that
    wait or are open. `asked`: somebody asked since the last look, `refused`: in vain. `dry`: until
    when (monotonic seconds) the purse is known to have nothing left for anybody. `left`: what it
    had at the last look.
    """

    __slots__ = (
        "asked",
        "budget",
        "dry",
        "granted",
        "left",
        "peak",
        "purse",
        "refused",
        "reserved",
        "unwritten",
        "users",
        "wanted",
    )

    def __init__(self, purse: Purse, budget: Budget) -> None:
        self.purse = purse
        self.budget = budget
        self.granted = 0
        self.reserved = 0
        self.unwritten = 0
        self.wanted = 0
        self.peak = 0
        self.users = 0
        self.asked = False
        self.refused = False
        self.dry = 0.0
        self.left = 0

    @property
    def free(self) -> int:
        """What may be promised."""
        return self.granted - self.reserved - self.unwritten

    @property
    def in_use(self) -> bool:
        """Tell whether anything depends on it."""
        return bool(self.granted or self.reserved or self.unwritten or self.users or self.asked)

    def reserve(self, amount: int) -> None:
        """Set aside so much more; a negative amount is given back."""
        self.reserved += amount
        self.peak = max(self.peak, self.reserved + self.unwritten)

    def owe(self, amount: int) -> None:
        """Count what a request cost, until its rows are written."""
        self.unwritten += amount
        self.peak = max(self.peak, self.reserved + self.unwritten)


def refusal(stakes: Sequence[Stake], amount: int) -> CallerError:
    """Return what is said where `amount` is too much: of which budget, and what is left of it."""
    stake = min(stakes, key=lambda one: one.free)
    kind, _, name = stake.purse.holder.partition(":")
    left = max(0, min(stake.free, amount))
    return CallerError(
        402,
        "not_enough_funds",
        f"The budget of the {kind} `{name}` ({usd_text(stake.budget.most)} USD,"
        f" {_LASTS[stake.budget.period]}) does not suffice: the request may cost up to"
        f" {usd_text(amount, 6)} USD, and {usd_text(left, 6)} USD are left.",
    )


def unseen() -> UnavailableError:
    """Return what is said while the database of budgets is needed, and nothing is heard of it."""
    message = "Budgets cannot be looked at."
    return UnavailableError(503, "accounting_unavailable", message, retry_after=1)


class Source(Protocol):
    """Where more is set aside from."""

    @property
    def lapsed(self) -> bool:
        """Whether nothing may be spent before the database was heard of again."""
        ...

    async def room(self, stakes: Sequence[Stake], amount: int, least: int) -> int:
        """See that `amount` may be promised of each stake, and spent; return what may be."""
        ...


class Worst(NamedTuple):
    """What an attempt at each offer may cost, by the offer's name, in 10^-12 USD.

    `dearest`: of them all, of a token that is read. `leads`: the offers that begin at once, where
    several models answer. `divided`: the attempts of one request share that cost, as each has a
    part of it.
    """

    costs: Mapping[str, int]
    dearest: int = 0
    leads: tuple[Offer, ...] = ()
    divided: bool = False


class Funding:
    """What is set aside for one request, of each purse that it is paid from."""

    __slots__ = ("_charge", "_more", "_source", "_worst", "amount", "stakes")

    def __init__(
        self,
        source: Source,
        stakes: Sequence[Stake],
        amount: int,
        worst: Worst,
        charge: Callable[[Attempt], Cost],
    ) -> None:
        """`charge`: what an attempt that has ended costs its caller."""
        self.stakes = stakes
        self.amount = 0
        self._more = 0
        self._source = source
        self._worst = worst
        self._charge = charge
        for stake in stakes:
            stake.users += 1
        self._add(amount)

    def allows(self, offer: Offer) -> bool:
        """Tell whether it is known what an attempt there may cost."""
        return offer.id in self._worst.costs

    def lengthen(self, tokens: int) -> None:
        """Count so many tokens more of the prompt, of every attempt that is still to come."""
        self._more = tokens * self._worst.dearest

    def covers(self, attempts: Sequence[Attempt], offer: Offer) -> bool:
        """Tell whether one more attempt can be paid for, beside those that were made.

        If so it is: what lacks is set aside now.
        """
        more = self._lacking(attempts, offer)
        if more is None or not self._may_spend(more):
            return False
        self._add(more)
        return True

    async def secures(self, attempts: Sequence[Attempt], offer: Offer) -> bool:
        """Tell the same, after the budgets were asked for what lacks."""
        more = self._lacking(attempts, offer)
        if more is not None and (more or not self._may_spend(0)):
            await self._source.room(self.stakes, more, 0)
        return self.covers(attempts, offer)

    def refusal(self) -> GatewayError:
        """Return what is said where no attempt can be paid for."""
        if self._source.lapsed:
            return unseen()
        return refusal(self.stakes, min(self._worst.costs.values()))

    def release(self) -> None:
        """Give back what was set aside."""
        self._add(-self.amount)
        for stake in self.stakes:
            stake.users -= 1

    def _may_spend(self, more: int) -> bool:
        """Tell whether what was set aside is still this process's to spend, and `more` besides."""
        if self._source.lapsed and self.amount + more:
            return False
        return all(stake.free >= more for stake in self.stakes)

    def _lacking(self, attempts: Sequence[Attempt], offer: Offer) -> int | None:
        """Return what has to be set aside for one more attempt, None where that is unknown."""
        costs, leads = self._worst.costs, self._worst.leads
        needed = costs.get(offer.id)
        if needed is None:
            return None
        needed += self._more + sum(map(self._cost, attempts))
        if leads:
            begun = {offer.id, *(attempt.offer.id for attempt in attempts)}
            needed += sum(costs[lead.id] for lead in leads if lead.id not in begun)
        return max(0, needed - self.amount)

    def _add(self, amount: int) -> None:
        self.amount += amount
        for stake in self.stakes:
            stake.reserve(amount)

    def _cost(self, attempt: Attempt) -> int:
        """Return what an attempt costs, as far as it has ended, else what it may.

        Of a request in parts, only those that failed come on top of what all parts cost together.
        """
        if self._worst.divided and attempt.failure is None:
            return 0
        if attempt.ended is not None:
            return self._charge(attempt).total
        return self._worst.costs.get(attempt.offer.id, 0)
