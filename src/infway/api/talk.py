"""What differs between the dialects of clients: how a request is read and its reply is written.

An endpoint (`line.py`) makes one `Talk` of each request; everything else is the same for all.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from infway.api.errors import Header
from infway.kernel.chat import ChatRequest
from infway.kernel.clock import Clock
from infway.kernel.errors import CallerError, GatewayError
from infway.kernel.events import Event
from infway.pipeline.gateway import Answer
from infway.pipeline.several import Result

COMMENT = b": PROCESSING\n\n"


class Times(NamedTuple):
    """When things of one exchange happened. `began`: its receipt, in monotonic seconds."""

    clock: Clock
    began: float

    def elapsed(self, until: float | None) -> int:
        """Return milliseconds from the receipt until then; 0 where that is not known."""
        return 0 if until is None else round((until - self.began) * 1000)

    def now(self) -> int:
        """Return milliseconds since the receipt."""
        return round((self.clock.monotonic() - self.began) * 1000)

    def created(self) -> int:
        """Return the time of day in seconds of the epoch."""
        return int(self.clock.wall())


class Writer(Protocol):
    """Writes one stream in the caller's dialect."""

    def encode(self, events: Sequence[Event]) -> bytes:
        """Return the bytes of events that came together; may be empty. `Broken` is an error."""
        ...

    def close(self) -> bytes:
        """Return what ends a whole stream: usage and cost are known now."""
        ...

    def cut(self) -> bytes:
        """Return what ends a stream after `Broken`."""
        ...


class Talk(ABC):
    """One request in its caller's dialect. `comment`: what keeps a silent stream alive.

    `has_several`: it has a place for the answers of several models.
    """

    comment: bytes = COMMENT
    has_several: bool = False

    def __init__(self, ask: ChatRequest) -> None:
        self.ask = ask

    @abstractmethod
    def whole(self, answer: Answer, times: Times) -> bytes:
        """Return the body of a whole reply, which is settled: usage and cost are known."""

    def several(
        self,
        answers: Sequence[Answer],  # noqa: ARG002 - most dialects have one answer
        failed: Sequence[Result],  # noqa: ARG002 - the same
        times: Times,  # noqa: ARG002 - the same
    ) -> bytes:
        """Return the body of several models' answers, best first, and of those that failed.

        Raises CallerError where the dialect has no place for several.
        """
        raise CallerError(400, "invalid_field", "imsn: chats alone have several answers.", "model")

    @abstractmethod
    def writer(self, answer: Answer, times: Times) -> Writer:
        """Return what writes a stream that has begun."""

    @abstractmethod
    def late(self, error: GatewayError, times: Times) -> bytes:
        """Return what ends a stream whose head was sent before anything could answer."""

    def headers(self, answer: Answer) -> list[Header]:  # noqa: ARG002 - most say nothing more
        """Return what else this dialect says in headers."""
        return []
