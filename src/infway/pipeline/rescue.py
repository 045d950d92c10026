"""An answer that breaks off after it has begun is finished by the next offer, where that is no lie.

The attempts that finish it go the way of all attempts: their rows, breakers, retry budget and
deadline are those of the request. Reliability, the first rule, and rows 38 to 44.
"""

import logging
from collections.abc import Sequence
from typing import Protocol

from infway.kernel.begun import Said
from infway.kernel.chat import ChatRequest, Feature, Offer, Principal
from infway.kernel.errors import GatewayError, UpstreamFailed
from infway.kernel.events import Usage
from infway.kernel.faults import CONSEQUENCES, Blame, Failure, Fault
from infway.pipeline.course import Course
from infway.pipeline.reply import Reply
from infway.pipeline.rescue_joint import PREFILL
from infway.pipeline.rescue_memory import Memory
from infway.pipeline.tried import Attempt
from infway.pipeline.worst import most_tokens_of

_log = logging.getLogger(__name__)
# What is more than the words of one choice, whatever comes of it
_UNFIT = Feature.AUDIO_OUT | Feature.LOGPROBS | Feature.SEVERAL
_LIMITS = frozenset({Fault.DEADLINE, Fault.STREAM_CAP, Fault.TOO_LARGE})  # infway's own
# What is no word of the upstream's: the answer may be whole all the same
_WORDLESS = frozenset({Fault.STREAM_CUT, Fault.STREAM_STALL, Fault.BAD_EVENT})
_BLAMED = (Blame.UPSTREAM, Blame.OPERATOR)


class Onward(Protocol):
    """What walks on from an attempt that broke off."""

    async def first_reply(
        self, course: Course, order: Sequence[Offer], failure: Failure | None = None
    ) -> Reply:
        """Return the next reply that begins; raises GatewayError where none does."""
        ...


def may_rescue(ask: ChatRequest, who: Principal) -> bool:
    """Tell whether a stream is to be rescued, as far as the request and its key say."""
    return who.rescue and ask.selection.rescue and not ask.features & _UNFIT


class Rescue:
    """Finishes one answer. `usage`: of what its caller has read before the last joint."""

    def __init__(self, onward: Onward, course: Course, attempt: Attempt) -> None:
        self._onward = onward
        self._course = course
        self._attempt = attempt
        self._memory = Memory()
        self._refused: set[int] = set()
        self._broken: Failure | None = None
        self._before: Usage | None = None
        self.keep = self._memory.keep
        self.condense = self._memory.condense

    def is_whole(self, failure: Failure) -> bool:
        """Tell whether nothing but the end mark is missing of an answer that broke off so.

        Never where its upstream said that it failed: that is told (row 42), also after a finish.
        """
        return failure.fault in _WORDLESS and self._memory.finished

    async def go_on(self, failure: Failure) -> Reply:
        """Return the reply that goes on; raises UpstreamFailed, as the caller is told, if none does."""
        attempt = self._attempt
        if self._broken is None or failure.fault is not Fault.DIVERGED:
            self._broken = failure
        if attempt.tactic == "" or self._memory.joined:
            self._before = self._read(attempt)
        self._memory.joined = ""
        said = None if _is_final(failure.fault) else self._memory.said()
        if said is None:
            raise UpstreamFailed(self._broken)
        course = self._course
        ask = course.ask._replace(said=self._said(said))
        funding = course.settlement.funding
        if funding is not None:
            funding.lengthen(most_tokens_of(said.text))
        try:
            reply = await self._onward.first_reply(
                course._replace(ask=ask), course.decision.order, failure
            )
        except GatewayError as error:
            raise UpstreamFailed(self._broken) from error
        self._attempt = reply.attempt
        _log.warning(
            "answer broke off, another offer goes on: upstream=%s fault=%s next=%s tactic=%s request=%s",
            attempt.offer.upstream.name,
            failure.fault.value,
            reply.offer.upstream.name,
            reply.attempt.tactic,
            ask.id,
        )
        return reply

    def usage(self) -> Usage:
        """Return the usage of the whole answer, as its caller got it, once it has ended."""
        return self._read(self._attempt)

    def _read(self, attempt: Attempt) -> Usage:
        """Return the usage of what the caller has read with this attempt's part of it.

        One that went on from the beginning counted that as its prompt; what it made comes on top.
        """
        usage, before = attempt.usage, self._before
        if attempt.tactic != PREFILL or before is None:
            return usage
        completion = before.completion + usage.completion
        return usage._replace(
            prompt=before.prompt,
            completion=completion,
            total=before.prompt + completion,
            cached=before.cached,
            cache_write=before.cache_write,
            cache_write_long=before.cache_write_long,
            audio_input=before.audio_input,
            reasoning=before.reasoning + usage.reasoning,
            billed=None,
            details=None,
            estimated=before.estimated or usage.estimated,
        )

    def _said(self, said: Said) -> Said:
        tokens = 0 if self._before is None else self._before.completion
        broken = self._broken.fault if self._broken is not None else Fault.STREAM_CUT
        return said._replace(tokens=tokens, broken=broken, refused=self._refused)


def _is_final(fault: Fault) -> bool:
    """Tell whether an answer that broke off so is left as it is."""
    if fault is Fault.DIVERGED:
        return False
    return fault in _LIMITS or CONSEQUENCES[fault].blame not in _BLAMED
