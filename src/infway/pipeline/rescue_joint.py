"""The joint of an answer that broke off: what another attempt says again is held back.

Decoders around an adapter's own. A joint is exact or there is none: text is never passed on twice,
and what does not say again all that was said is no answer to the same words.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from infway.kernel.begun import Prefill, Said
from infway.kernel.chat import Offer
from infway.kernel.events import (
    Broken,
    Event,
    Facts,
    Held,
    Joint,
    Reasoning,
    Text,
    Usage,
)
from infway.kernel.faults import Failure, Fault
from infway.providers.adapter import Decoder

SPLICE = "splice"
PREFILL = "prefill"
SURE = 32  # characters that nobody says again by chance


class Joiner(ABC):
    """Reads one reply that goes on with an answer. `done`: it is over, or cannot go on with it."""

    tactic = ""

    def __init__(self, inner: Decoder, said: Said, offer: Offer) -> None:
        self._inner = inner
        self._said = said
        self._offer = offer
        self._joined = False
        self.done = False

    def feed(self, data: bytes) -> list[Event]:
        """Return the events behind the joint, and what was held back before it."""
        return [] if self.done else self._join(self._inner.feed(data))

    def close(self) -> list[Event]:
        """Return what the end of the bytes means."""
        return [] if self.done else self._join(self._inner.close())

    def _join(self, events: list[Event]) -> list[Event]:
        passed: list[Event] = []
        for event in events:
            if self._joined:
                passed.append(event)
            else:
                passed += self._before(event)
            if self.done:
                return passed
        self.done = self._inner.done
        return passed

    def _before(self, event: Event) -> Iterator[Event]:
        """Yield what to pass on of an event that comes before the joint."""
        match event:
            case Facts() | Usage() | Broken():
                yield event
            case _:
                yield from self._piece(event)

    @abstractmethod
    def _piece(self, event: Event) -> Iterator[Event]:
        """Yield what to pass on of a piece before the joint, or of the finish."""

    def _joint(self) -> Joint:
        self._joined = True
        said = self._said
        return Joint(self._offer, self.tactic, said.broken, said.choices)

    def _diverge(self) -> Broken:
        self.done = True
        return Broken(Failure(Fault.DIVERGED, 200))


class Splice(Joiner):
    """The same request again: what equals all that was said is held back, and the rest passed on."""

    tactic = SPLICE

    def __init__(self, inner: Decoder, said: Said, offer: Offer) -> None:
        super().__init__(inner, said, offer)
        self._thoughts = said.reasoning
        self._text = said.text
        self._at = 0
        self._nothing = not (said.reasoning or said.text)

    def _piece(self, event: Event) -> Iterator[Event]:
        if self._nothing:
            yield self._joint()
            yield event
        elif isinstance(event, Reasoning) and not event.index:
            yield from self._thought(event.text)
        elif isinstance(event, Text) and not event.index and not self._thoughts:
            yield from self._words(event.text)
        else:
            yield self._diverge()

    def _thought(self, text: str) -> Iterator[Event]:
        if not self._thoughts:
            # nothing of it was shown before, or all of it: more of it is not shown within the answer
            yield Held(1, len(text)) if not self._said.reasoning else self._diverge()
            return
        left = self._compare(self._thoughts, text)
        if left is None or (left and self._text):
            yield self._diverge()
            return
        yield Held(1, len(text) - len(left))
        if self._at == len(self._thoughts):
            self._thoughts, self._at = "", 0
            if not self._text:
                yield self._joint()
        if left:
            yield Reasoning(left)

    def _words(self, text: str) -> Iterator[Event]:
        left = self._compare(self._text, text)
        if left is None:
            yield self._diverge()
            return
        yield Held(1, len(text) - len(left))
        if self._at == len(self._text):
            yield self._joint()
            if left:
                yield Text(left)

    def _compare(self, said: str, text: str) -> str | None:
        """Go on comparing; return what is more than was said, None where it is something else."""
        begins = text[: len(said) - self._at]
        if not said.startswith(begins, self._at):
            return None
        self._at += len(begins)
        return text[len(begins) :]


class Prefilled(Joiner):
    """An answer that goes on from its own beginning.

    A beginning that is said again is held back, where it may be. White space that was read at its end, but could
    not be sent, is not repeated.
    """

    tactic = PREFILL

    def __init__(self, inner: Decoder, said: Said, offer: Offer) -> None:
        super().__init__(inner, said, offer)
        self._sent = sent_of(said.text, offer.prefill)
        self._space = said.text[len(self._sent) :]
        self._waiting = ""
        self._may_repeat = offer.prefill is not None and offer.prefill.repeats
        self._pieces = 0

    def _piece(self, event: Event) -> Iterator[Event]:
        if isinstance(event, Reasoning):
            yield Held(1, len(event.text))  # the answer has begun: it is too late for thoughts
            return
        if not isinstance(event, Text) or event.index:
            yield from self._flush()
            yield event
            return
        self._waiting += event.text
        if self._may_repeat and self._sent.startswith(self._waiting):
            self._pieces += 1
            if len(self._waiting) == len(self._sent):
                yield from self._drop()
            else:
                yield Held(0, 0)
            return
        if self._may_repeat and self._waiting.startswith(self._sent):
            yield from self._drop()
        if self._space and not self._waiting.strip() and len(self._waiting) <= len(self._space):
            yield Held(0, 0)
            return
        yield from self._flush()

    def _drop(self) -> Iterator[Event]:
        """Leave out the beginning, which came again."""
        self._may_repeat = False
        yield Held(max(1, self._pieces), len(self._sent))
        self._waiting = self._waiting[len(self._sent) :]

    def _flush(self) -> Iterator[Event]:
        yield self._joint()
        text = behind(self._space, self._waiting)
        if text:
            yield Text(text)


def behind(space: str, text: str) -> str:
    """Return what of a text follows `space`, white space that stands there already."""
    begins = text[: len(text) - len(text.lstrip())]
    if begins.startswith(space):
        return text[len(space) :]
    return text[len(begins) :] if space.startswith(begins) else text


def sent_of(text: str, prefill: Prefill | None) -> str:
    """Return what of an answer's beginning is sent to a model that goes on with it."""
    return text.rstrip() if prefill is not None and prefill.trims else text


def loops(text: str) -> bool:
    """Tell whether a text may say its own beginning again, so that one more time proves nothing.

    It has begun to, or it is a whole line of what may be a refrain.
    """
    return text[-1:].isspace() or text.find(text[: len(text) // 2], 1) >= 0
