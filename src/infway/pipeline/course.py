"""What one request carries down the line."""

from typing import NamedTuple

from infway.ims.decision import Decision
from infway.ims.rank import Router
from infway.kernel.chat import ChatRequest
from infway.pipeline.settle import Settlement


class Course(NamedTuple):
    """A request that was admitted and ranked; `router` is the one that ranked it and learns."""

    ask: ChatRequest
    router: Router
    decision: Decision
    settlement: Settlement
