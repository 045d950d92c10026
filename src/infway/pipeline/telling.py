"""What a message of one replica to the others says, and that nothing else is taken for one."""

from collections.abc import Iterable, Sequence
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from infway.ims.account import Terms
from infway.ims.outcome import Outcome
from infway.kernel.faults import Fault

MOST = 500  # outcomes of one message; a process ends fewer attempts between two trades
MOST_WARM = 2000  # prompt caches in one message
_LONGEST = 1e9
_MOST_TOKENS = 2**31

# Bounded, because a sum that has taken in one NaN or infinity never recovers.
_Number = TypeVar("_Number", int, float)
_Amount = Annotated[float, Meta(ge=0.0, le=_LONGEST)]
_Tokens = Annotated[int, Meta(ge=0, le=_MOST_TOKENS)]


class _Array(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An array, in the order of its fields.

    New fields go to the end, with a default: older replicas skip them. Any other change needs a
    new version in the name of the board's key.
    """


class Told(_Array, frozen=True, array_like=True, gc=False):
    """How one attempt ended: what `Health.absorb` learns from."""

    offer: str
    fault: Fault | None
    start: _Amount | None
    end: _Amount | None
    output_tokens: _Tokens | None
    retry_after: _Amount | None
    visible: bool
    probe: bool = False


class ToldTerms(_Array, frozen=True, array_like=True, gc=False):
    """What was learned of an upstream's account: `Terms`."""

    upstream: str
    most: _Amount | None
    tokens: _Amount | None
    left: _Amount | None
    reset: _Amount
    rest: _Amount


class ToldWarm(_Array, frozen=True, array_like=True, gc=False):
    """Where a prompt cache is warm: a number that stands for the prompt, who served it, seconds ago."""

    value: int
    offer: str
    tokens: _Tokens
    age: _Amount = 0.0


class ToldOpen(_Array, frozen=True, array_like=True, gc=False):
    """An offer whose breaker is open, for so many seconds more."""

    offer: str
    wait: _Amount


class Message(_Array, frozen=True, array_like=True):
    """What one replica tells at once.

    `asks`: it knows nothing yet, and wants all that others know; `whole`: this is the answer.
    """

    outcomes: Annotated[list[Told], Meta(max_length=MOST)] = msgspec.field(default_factory=list)
    terms: list[ToldTerms] = msgspec.field(default_factory=list)
    warm: Annotated[list[ToldWarm], Meta(max_length=MOST_WARM)] = msgspec.field(
        default_factory=list
    )
    open: list[ToldOpen] = msgspec.field(default_factory=list)
    asks: bool = False
    whole: bool = False


NOTHING = Message()
UnreadableError = (msgspec.DecodeError, UnicodeDecodeError)
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Message)


def encode(message: Message) -> bytes:
    """Return a message as it is sent."""
    return _encoder.encode(message)


def decode(message: bytes) -> Message:
    """Return what a message tells; raises one of UnreadableError where it is none."""
    return _decoder.decode(message)


def told_outcomes(outcomes: Iterable[tuple[str, Outcome]]) -> list[Told]:
    """Return outcomes by offer id as a message tells them."""
    return [
        Told(
            offer,
            outcome.fault,
            outcome.start,
            outcome.end,
            _within(outcome.output_tokens, _MOST_TOKENS),
            _within(outcome.retry_after, _LONGEST),
            outcome.visible,
            outcome.probe,
        )
        for offer, outcome in outcomes
    ]


def outcomes_of(message: Message) -> Sequence[tuple[str, Outcome]]:
    """Return the outcomes that a message tells, by offer id."""
    return [
        (
            told.offer,
            Outcome(
                fault=told.fault,
                start=told.start,
                end=told.end,
                output_tokens=told.output_tokens,
                retry_after=told.retry_after,
                visible=told.visible,
                probe=told.probe,
            ),
        )
        for told in message.outcomes
    ]


def told_terms(upstream: str, terms: Terms) -> ToldTerms:
    """Return what was learned of an account as a message tells it."""
    most, tokens, left = (_within(one, _LONGEST) for one in terms[:3])
    return ToldTerms(upstream, most, tokens, left, min(terms.reset, _LONGEST), terms.rest)


def terms_of(told: ToldTerms) -> Terms:
    """Return what a message tells of an account."""
    return Terms(told.most, told.tokens, told.left, told.reset, told.rest)


def _within(number: _Number | None, most: _Number) -> _Number | None:
    """Return what an upstream said, within what a message may carry."""
    return None if number is None else max(type(most)(0), min(number, most))
