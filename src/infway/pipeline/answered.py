"""How requests end: what settles them on every way out."""

import asyncio

from infway.kernel.errors import GatewayError, UpstreamError, leaving
from infway.kernel.faults import CONSEQUENCES, LEFT, Failure, Fault
from infway.pipeline.settle import Settlement
from infway.pipeline.tried import Attempt


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


def settle_failed(settlement: Settlement, error: BaseException) -> None:
    """Settle a request that has no answer: it was refused, its caller left, or infway failed.

    A refusal is told what the attempts cost, if there were any.
    """
    if isinstance(error, GatewayError):
        settlement.close(_outcome(settlement, error), error.status)
        tell_cost(settlement, error)
    elif isinstance(error, asyncio.CancelledError):
        _close(settlement, leaving(error).fault)
    else:
        _close(settlement, Fault.OWN_FAULT)


def tell_cost(settlement: Settlement, error: GatewayError) -> None:
    """Let an error say what was charged for the attempts, where there were any."""
    if settlement.attempts:
        error.credits = settlement.credits


def _close(settlement: Settlement, fault: Fault) -> None:
    settlement.close(fault.value, CONSEQUENCES[fault].status)


def _outcome(settlement: Settlement, error: GatewayError) -> str:
    """Return the fault that an upstream's error tells of, or the last one there was."""
    failure = settlement.attempts[-1].failure if settlement.attempts else None
    if isinstance(error, UpstreamError):
        failure = error.failure
    return error.code if failure is None else failure.fault.value
