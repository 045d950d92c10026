"""What a request of an account with budgets may be sent to: what it can pay for at worst.

The first offer that every budget suffices for leads, and its worst case is set aside; more is
when another attempt is made. Nothing is sent that is not paid for.
"""

from collections.abc import Mapping, Sequence

from infway.ims.decision import Decision
from infway.kernel.account import Account
from infway.kernel.chat import ChatRequest, Feature, Offer
from infway.kernel.errors import CallerError
from infway.kernel.prices import Prices
from infway.pipeline.escrow import Escrow
from infway.pipeline.settle import Settlement
from infway.pipeline.stakes import Funding, Worst
from infway.pipeline.tiers import open_to
from infway.pipeline.worst import Bounds, dearest_input, worst_of


async def fund(escrow: Escrow, ask: ChatRequest, decision: Decision, into: Settlement) -> None:
    """Set aside what a request may cost, and leave out the offers that it cannot pay for.

    Raises GatewayError: 402 where no offer can be paid for, 403 where none has a price, 503 where
    the budgets cannot be looked at.
    """
    account = into.who.account
    if account is None or not account.budgeted:
        return
    costs = _costs(ask, decision.order, account, into)
    order = [offer for offer in decision.order if offer.id in costs]
    if not order:
        message = "No price is known of what this request may go to, and its key has a budget."
        raise CallerError(403, "model_not_accessible", message, "model")
    stakes = escrow.stakes_of(account, into.at)
    room = await escrow.room(stakes, costs[order[0].id], min(costs.values()))
    lead = next((n for n, offer in enumerate(order) if costs[offer.id] <= room), 0)
    decision.order[:] = order[lead:]
    lots = [decision.order] if ask.selection.imsn == 1 else decision.by_model()
    leads = tuple(lot[0] for lot in lots[: ask.selection.imsn])
    amount = sum(costs[offer.id] for offer in leads)
    await escrow.secure(stakes, amount)
    worst = Worst(
        costs,
        max(_dearest_input(ask, offer, into.prices(offer)) for offer in order),
        leads if len(leads) > 1 else (),
        Feature.EMBEDDINGS in ask.features,
    )
    into.funding = Funding(escrow, stakes, amount, worst, into.charge)


def _dearest_input(ask: ChatRequest, offer: Offer, prices: Prices) -> int:
    return dearest_input(prices, open_to(ask, offer.upstream, prices))


def _costs(
    ask: ChatRequest, order: Sequence[Offer], account: Account, into: Settlement
) -> Mapping[str, int]:
    """Return what an attempt at each offer may cost; those without a price must be allowed by name."""
    costs: dict[str, int] = {}
    bounds = Bounds(ask)
    for offer in order:
        worst = worst_of(ask, bounds, offer, into.prices(offer))
        if worst is None and account.unpriced & {offer.model, offer.id}:
            worst = 0
        if worst is not None:
            costs[offer.id] = worst
    return costs
