"""What happened at one offer: its times, what it said, and what that costs."""

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from infway.kernel.chat import ChatRequest, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import (
    Chunk,
    Event,
    Facts,
    Finish,
    Held,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
    Verbatim,
)
from infway.kernel.faults import LEFT, Failure, Fault
from infway.pipeline.cost import NOTHING, Cost, cost_of, unsaid
from infway.pipeline.measured import text_in
from infway.pipeline.tiers import USUAL, paid_at, tier_named, unsaid_tier
from infway.pipeline.worst import reckoned

_LONGEST_HEADER = 2000  # characters
_SELDOM = 16  # a frame is measured once there are a sixteenth more than at the last one
_FREE = Cost()
CHARS_PER_TOKEN = 4  # the rule of thumb of the wire design, part 3


class Attempt:
    """What happened at one offer. Times are seconds of the monotonic clock.

    `limits`: requests left, and seconds until all are, as the upstream's headers said.
    `dropped`: what of the request the upstream was not told. `mirrored`: it was asked in the
    caller's own dialect, and answers in it. `tactic`: how it was to finish an answer that broke
    off elsewhere. `most`: tokens beyond which a stream is ended. `frames`, `chars`: pieces of the
    answer so far, and about how long their text is. `funded`: what it may cost is set aside, and it
    costs no more. `said`: usage, as its upstream said it last. `finish`: how the answer ended, as
    its upstream said. `is_void`: it ended without a token and a reason, or as an error; that its
    caller left is neither (row 55). `prompt`: tokens of what was asked of it, as estimated.
    `noted`, `noted_at`: tokens made when the journal was last told of it, and when. `asked`: the
    service tier that it was to be served at, where there are prices of any. `told`: its upstream's
    last word of that, as it came. `prices`: those it costs as far as nothing is told.
    """

    __slots__ = (
        "_due",
        "_length",
        "asked",
        "began",
        "chars",
        "cost",
        "dropped",
        "ended",
        "failure",
        "finish",
        "first",
        "frames",
        "funded",
        "is_void",
        "limits",
        "mirrored",
        "most",
        "noted",
        "noted_at",
        "offer",
        "prices",
        "prompt",
        "said",
        "tactic",
        "told",
        "usage",
    )

    def __init__(self, offer: Offer, began: float, asked: str | None = None) -> None:
        self.offer = offer
        self.prices = offer.prices
        self.asked = asked
        self.told: object = None
        if self.prices.tiers:
            self.prices = self.prices.of(unsaid_tier(asked) or USUAL)._replace(tiers=())
        self.began = began
        self.first: float | None = None
        self.ended: float | None = None
        self.failure: Failure | None = None
        self.finish: Finish | None = None
        self.is_void = False
        self.limits: tuple[float, float] | None = None
        self.dropped: tuple[str, ...] = ()
        self.mirrored = False
        self.tactic = ""
        self.most = float("inf")
        self.usage = NOTHING
        self.cost = _FREE
        self.said: Usage | None = None
        self.frames = 0
        self.chars = 0.0
        self.funded = False
        self.prompt = 0
        self.noted = -1
        self.noted_at = began
        self._due = 0  # the frame that is measured next
        self._length = 0.0  # of a frame's text, by those that were measured last

    @property
    def outcome(self) -> str:
        """`ok`, or the fault's name."""
        return "ok" if self.failure is None else self.failure.fault.value

    def see(self, events: Sequence[Event]) -> None:
        """Count what goes by; the last usage that an upstream sends is the valid one."""
        for event in events:
            if isinstance(event, Verbatim):
                self._hear(event.block, event.frames)
            elif isinstance(event, Chunk):
                said = event.fields.get("choices")
                # the first and the last of a stream may say whose turn it is, and no more
                is_edge = (event.finishes or event.usage) if self.frames else not event.usage
                is_empty = is_edge and said is not None and not _text_of(said)
                self._hear(None if event.usage else said, int(event.content and not is_empty))
                self.said = event.usage or self.said
                self.told = event.fields.get("service_tier", self.told)
                self.finish = event.finishes[-1] if event.finishes else self.finish
            elif isinstance(event, Usage):
                self.said = event
            elif isinstance(event, (Text, Reasoning, Refusal, ToolCall)):
                self.frames += 1
                self.chars += len(event.text) if not isinstance(event, ToolCall) else _size(event)
            elif isinstance(event, Held):
                self.frames += event.pieces
                self.chars += event.chars
            elif isinstance(event, (Finish, Facts)):
                self._learn(event)

    def _learn(self, event: Finish | Facts) -> None:
        """Note how the answer ended, or at which tier it was made."""
        if isinstance(event, Finish):
            self.finish = event
        else:
            self.told = event.fields.get("service_tier", self.told)

    def _hear(self, block: object, frames: int) -> None:
        """Count frames: the text of some is measured, and the next ones are taken to be as long.

        `block`: None where their usage was said too.
        """
        self.frames += frames
        if block is None:
            return
        if self.frames <= self._due:
            self.chars += frames * self._length
            return
        text = _text_of(block)
        self.chars += text
        length = text / (frames or 1)
        self._length = (self._length + length) / 2 if self._due else length
        self._due = self.frames + self.frames // _SELDOM

    def made(self) -> int:
        """Return about how many tokens came so far, by any count."""
        return max(self.frames, int(self.chars) // CHARS_PER_TOKEN)

    def _estimate(self, ask: ChatRequest) -> int:
        """Return how many tokens are counted where nobody says: no more than were reckoned with.

        Pieces that came beyond those count as well where nothing was set aside.
        """
        most = reckoned(ask, self.offer)
        return min(self.made(), most if self.funded else max(most, self.frames))

    def check(self) -> None:
        """Raise UpstreamFailed(stream_cap) where there are too many tokens by any count."""
        if self.frames > self.most and self.chars > self.most * CHARS_PER_TOKEN:
            raise UpstreamFailed(Failure(Fault.STREAM_CAP, 200))

    def end(self, now: float, failure: Failure | None, ask: ChatRequest) -> None:
        """Close the account: usage as the upstream said it, or estimated, and what it costs.

        An attempt that gave no token and no usage costs what the fault table says.
        """
        self.ended = now
        self.failure = failure
        said = self.said
        if said is not None and failure is not None and said.completion < self.frames:
            # it broke off behind the last count, which vendors give at the beginning too
            made = max(said.completion, self._estimate(ask))
            said = said._replace(completion=made, total=said.prompt + made, estimated=True)
        if said is not None:
            self.usage = said
        elif self.frames:
            made = self._estimate(ask)
            self.usage = Usage(ask.input_tokens, made, ask.input_tokens + made, estimated=True)
        elif failure is not None:
            self.usage = unsaid(failure.fault, ask.input_tokens)
        if self.usage is not NOTHING:
            if self.offer.prices.tiers:
                tier = tier_named(self.told) or unsaid_tier(self.asked, self.dropped)
                self.usage = paid_at(self.usage, tier, self.asked, funded=self.funded)
            self.cost = cost_of(self.usage, self.offer.prices)
        finish = self.finish
        is_error = finish is not None and finish.reason == "error"
        is_blank = not self.usage.completion and (finish is None or not finish.native)
        is_cut = failure is not None and failure.fault not in LEFT
        self.is_void = is_error or is_cut or (is_blank and failure is None)

    def interrupted(self, now: float, ask: ChatRequest) -> "Attempt":
        """Return what it would be if infway died now."""
        other = Attempt(self.offer, self.began, self.asked)
        other.told = self.told
        other.dropped = self.dropped
        other.first = self.first
        other.tactic = self.tactic
        other.frames = self.frames
        other.chars = self.chars
        other.funded = self.funded
        other.said = self.said
        other.end(now, Failure(Fault.INTERRUPTED), ask)
        return other


def _text_of(block: object) -> int:
    return text_in(block) if isinstance(block, bytes | msgspec.Raw) else 0


def _size(call: ToolCall) -> int:
    """Return how many characters a piece of a call has."""
    return len(call.name or "") + len(call.arguments)


def trail(attempts: Iterable[Attempt]) -> str:
    """Return what became of attempts, as headers say it; equal ones in a row are said once."""
    ends = [f"{one.offer.upstream.name}:{one.outcome}" for one in attempts]
    if len(ends) == 1:
        return ends[0][:_LONGEST_HEADER]
    runs = [(said, len(list(run))) for said, run in groupby(ends)]
    return ", ".join(said if n == 1 else f"{said} x{n}" for said, n in runs)[:_LONGEST_HEADER]
