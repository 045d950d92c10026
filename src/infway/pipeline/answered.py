"""How requests end: what settles them on every way out, and what their answers cost."""

import asyncio
from dataclasses import dataclass

from infway.kernel.errors import GatewayError, UpstreamError, leaving
from infway.kernel.faults import CONSEQUENCES, LEFT, Failure, Fault
from infway.pipeline.cost import Cost
from infway.pipeline.settle import Settlement
from infway.pipeline.tried import Attempt


@dataclass(frozen=True, slots=True)
class Bill:
    """What an answer costs its caller, and all attempts together, in 10^-12 USD."""

    cost: Cost
    total: int


class Begun:
    """An answer that has begun, at one attempt of its request."""

    def __init__(self, attempt: Attempt, settlement: Settlement) -> None:
        self.attempt = attempt
        self.offer = attempt.offer
        self.settlement = settlement

    def settle(self) -> None:
        """Settle a whole reply that is about to be sent."""
        self.settlement.close("ok", 200)

    def settle_stream(self, failure: Failure | None) -> None:
        """Settle a stream that has ended, however it ended."""
        if failure is None:
            self.settlement.close("ok", 200)
        elif failure.fault in LEFT:
            _close(self.settlement, failure.fault)
        else:
            self.settlement.close(failure.fault.value, 200)

    def bill(self) -> Bill:
        """Return the cost so far: that of this answer, and the sum over all attempts."""
        settlement = self.settlement
        if settlement.tariff is None:
            attempts = settlement.attempts
            return Bill(self.attempt.cost, sum(attempt.cost.total for attempt in attempts))
        return Bill(settlement.charge(self.attempt), settlement.cost)


def settle_failed(settlement: Settlement, error: BaseException) -> None:
    """Settle a request that has no answer: it was refused, its caller left, or infway failed."""
    if isinstance(error, GatewayError):
        settlement.close(_outcome(settlement, error), error.status)
    elif isinstance(error, asyncio.CancelledError):
        _close(settlement, leaving(error).fault)
    else:
        _close(settlement, Fault.OWN_FAULT)


def _close(settlement: Settlement, fault: Fault) -> None:
    settlement.close(fault.value, CONSEQUENCES[fault].status)


def _outcome(settlement: Settlement, error: GatewayError) -> str:
    """Return the fault that an upstream's error tells of, or the last one there was."""
    failure = settlement.attempts[-1].failure if settlement.attempts else None
    if isinstance(error, UpstreamError):
        failure = error.failure
    return error.code if failure is None else failure.fault.value
