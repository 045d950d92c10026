"""What is set aside for one request, attempt by attempt."""

from collections.abc import Sequence

import pytest
from tests.wall.asking import offer, offers

from infway.kernel.account import Budget, Period
from infway.kernel.chat import Offer
from infway.kernel.faults import Failure, Fault
from infway.ledger.purses import Purse
from infway.pipeline.cost import Cost
from infway.pipeline.stakes import Funding, Stake, Worst
from infway.pipeline.tried import Attempt

DEAR, CHEAP, OTHER = offers(offer(model="dear"), offer(model="cheap"), offer(model="other"))
COSTS = {DEAR.id: 50, CHEAP.id: 10, OTHER.id: 30}


class Nothing:
    """No more than there is."""

    lapsed = False

    async def room(self, stakes: Sequence[Stake], amount: int, least: int) -> int:
        return min(stake.free for stake in stakes)


def stake(granted: int) -> Stake:
    one = Stake(Purse("key:k", "total"), Budget(Period.TOTAL, 1000))
    one.granted = granted
    return one


def funding(one: Stake, amount: int, worst: Worst) -> Funding:
    return Funding(Nothing(), [one], amount, worst, lambda attempt: attempt.cost)


def made(where: Offer, cost: int | None = None, fault: Fault | None = None) -> Attempt:
    attempt = Attempt(where, 0.0)
    if cost is not None:
        attempt.cost, attempt.ended = Cost(cost), 1.0
    attempt.failure = fault and Failure(fault)
    return attempt


def test_what_was_reckoned_with_needs_no_more() -> None:
    one = stake(10)
    assert funding(one, 10, Worst(COSTS)).covers([], CHEAP)
    assert (one.reserved, one.free) == (10, 0)


def test_an_offer_that_comes_first_unforeseen_is_paid_for_or_not_asked() -> None:
    assert not funding(stake(40), 10, Worst(COSTS)).covers([], DEAR)
    one = stake(50)
    told = funding(one, 10, Worst(COSTS))
    assert told.covers([], DEAR)
    assert one.reserved == 50
    told.release()
    assert (one.reserved, one.users) == (0, 0)


async def test_a_second_attempt_comes_on_top_of_what_the_first_has_cost() -> None:
    one = stake(25)
    told = funding(one, 10, Worst(COSTS))
    failed = made(CHEAP, 4, Fault.HTTP_500)
    assert await told.secures([failed], CHEAP)
    assert one.reserved == 14
    assert not await told.secures([failed, made(CHEAP)], OTHER)


def test_an_offer_without_a_price_is_never_paid_for() -> None:
    told = funding(stake(100), 10, Worst({CHEAP.id: 10}))
    assert not told.covers([], DEAR)
    assert not told.allows(DEAR)


def test_several_leads_are_paid_for_once() -> None:
    one = stake(60)
    told = funding(one, 60, Worst(COSTS, leads=(DEAR, CHEAP)))
    assert told.covers([], DEAR)
    assert told.covers([made(DEAR)], CHEAP)
    assert one.reserved == 60
    # the other lead has not begun: a fallback of the first may not take its money
    assert told.covers([made(DEAR, 20, Fault.HTTP_500)], OTHER)  # 20 + 30, and 10 to come
    assert not told.covers([made(DEAR, 21, Fault.HTTP_500)], OTHER)


@pytest.mark.parametrize(("cost", "fault", "reserved"), [(3, None, 10), (3, Fault.HTTP_500, 13)])
def test_the_parts_of_a_request_share_what_it_may_cost(
    cost: int, fault: Fault | None, reserved: int
) -> None:
    one = stake(100)
    told = funding(one, 10, Worst(COSTS, divided=True))
    assert told.covers([made(CHEAP), made(CHEAP, cost, fault)], CHEAP)
    assert one.reserved == reserved


def test_what_was_said_already_is_read_again() -> None:
    one = stake(100)
    told = funding(one, 10, Worst(COSTS, dearest=2))
    told.lengthen(5)
    assert told.covers([made(CHEAP, 4, Fault.STREAM_CUT)], CHEAP)
    assert one.reserved == 4 + 10 + 5 * 2
