"""Replies of the Gemini API: whole, as server-sent events, or as an array that grows.

https://ai.google.dev/api/generate-content#GenerateContentResponse. There is no mark of a stream's
end but the end of its bytes; its last object has why it ended, and what was used.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from infway.api.gemini.candidate import PIECES, Candidate
from infway.api.gemini.errors import broken_body
from infway.api.gemini.reading import Wishes
from infway.api.stamp import bill_fields
from infway.api.withheld import before_failure
from infway.kernel.events import Broken, Event, Facts, Finish, Raw, Usage
from infway.pipeline.gateway import Answer
from infway.providers.sse import frames

_SPOKEN = (*PIECES, Finish)
_write = msgspec.json.Encoder().encode
_TIERS: Mapping[object, str] = {"default": "standard", "flex": "flex", "priority": "priority"}


class Stamp(NamedTuple):
    """What infway writes into every object: the request's id, and the model that served."""

    id: str
    model: str

    def object(self, candidates: Sequence[Mapping[str, object]]) -> dict[str, object]:
        """Return one object of a reply."""
        return {"candidates": candidates, "modelVersion": self.model, "responseId": self.id}


class Framing(Protocol):
    """How objects follow one another."""

    def frame(self, data: bytes) -> bytes:
        """Return an object with what stands around it."""
        ...

    def end(self) -> bytes:
        """Return what ends the stream."""
        ...


class Events:
    """Server-sent events: `alt=sse`."""

    def frame(self, data: bytes) -> bytes:
        """Return one event."""
        return b"data: %b\n\n" % data

    def end(self) -> bytes:
        """Return nothing: the end of the bytes is the end."""
        return b""


class Listing:
    """One JSON array, whose items come as they are ready."""

    def __init__(self) -> None:
        self._begins = b"["

    def frame(self, data: bytes) -> bytes:
        """Return one item."""
        item, self._begins = self._begins + data, b",\n"
        return item

    def end(self) -> bytes:
        """Return the end of the array."""
        return b"[]" if self._begins == b"[" else b"]"


class Candidates:
    """All candidates of one reply, and what is said of it as a whole."""

    def __init__(self, *, shows: bool) -> None:
        self._shows = shows
        self._candidates: dict[int, Candidate] = {}
        self._tier = ""

    def take(self, events: Iterable[Event]) -> None:
        """Take what was said."""
        for event in events:
            if isinstance(event, _SPOKEN):
                known = self._candidates.get(event.index)
                if known is None:
                    known = Candidate(event.index, shows=self._shows)
                    self._candidates[event.index] = known
                known.take(event)
            elif isinstance(event, Facts):
                self._tier = _TIERS.get(event.fields.get("service_tier"), self._tier)

    def said(self) -> list[dict[str, object]]:
        """Return what the candidates said since the last time."""
        return [said for one in self._candidates.values() if (said := one.said()) is not None]

    def end(self) -> list[dict[str, object]]:
        """Return what is left of all of them."""
        return [one.end() for _, one in sorted(self._candidates.items())]

    def usage(self, usage: Usage) -> dict[str, object]:
        """Return the `usageMetadata`: thoughts are counted apart from the answer."""
        counts: dict[str, object] = {
            "promptTokenCount": usage.prompt,
            "candidatesTokenCount": max(usage.completion - usage.reasoning, 0),
            "totalTokenCount": usage.total,
        }
        if usage.reasoning:
            counts["thoughtsTokenCount"] = usage.reasoning
        if usage.cached:
            counts["cachedContentTokenCount"] = usage.cached
        if usage.audio_input or usage.image_input:
            read = _kinds(usage.prompt, usage.audio_input, usage.image_input)
            counts["promptTokensDetails"] = read
        if usage.audio_output or usage.image_output:
            answered = max(usage.completion - usage.reasoning, 0)
            made = _kinds(answered, usage.audio_output, usage.image_output)
            counts["candidatesTokensDetails"] = made
        if self._tier:
            counts["serviceTier"] = self._tier
        return {"usageMetadata": counts}


def whole_body(answer: Answer, stamp: Stamp, wishes: Wishes) -> bytes:
    """Return the body of a whole reply."""
    candidates = Candidates(shows=wishes.thoughts)
    candidates.take(answer.first)
    return _last(candidates, answer, stamp, wishes)


def mirrored_body(answer: Answer) -> bytes:
    """Return the body of a whole reply as the upstream sent it."""
    return b"".join(event.data for event in answer.first if isinstance(event, Raw))


class GeminiWriter:
    """Writes one stream from pieces."""

    def __init__(self, answer: Answer, stamp: Stamp, framing: Framing, wishes: Wishes) -> None:
        self._answer = answer
        self._stamp = stamp
        self._framing = framing
        self._wishes = wishes
        self._candidates = Candidates(shows=wishes.thoughts)

    def encode(self, events: Sequence[Event]) -> bytes:
        """Return one object with all that came together; nothing where that says nothing yet."""
        self._candidates.take(events)
        said = self._candidates.said()
        data = self._framing.frame(_write(self._stamp.object(said))) if said else b""
        return data + _broken(events, self._framing)

    def close(self) -> bytes:
        """Return the last object."""
        last = _last(self._candidates, self._answer, self._stamp, self._wishes)
        return self._framing.frame(last) + self._framing.end()

    def cut(self) -> bytes:
        """Return what ends a stream after an error."""
        return self._framing.end()


class MirrorWriter:
    """Passes on a stream of the caller's own dialect."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing

    def encode(self, events: Sequence[Event]) -> bytes:
        """Return the bytes as they came; of a block that breaks off, the objects that are whole."""
        block = b"".join(event.data for event in events if isinstance(event, Raw))
        is_broken = bool(events) and isinstance(events[-1], Broken)
        if is_broken:
            block = before_failure(block)
        elif isinstance(self._framing, Events):
            return block
        said = [self._framing.frame(frame.data) for frame in frames(block)]
        return b"".join(said) + _broken(events, self._framing)

    def close(self) -> bytes:
        """Return what ends a whole stream."""
        return self._framing.end()

    def cut(self) -> bytes:
        """Return what ends a stream after an error."""
        return self._framing.end()


def _last(candidates: Candidates, answer: Answer, stamp: Stamp, wishes: Wishes) -> bytes:
    """Return the object with all that is left, what was used, and the cost where it is wanted."""
    said = stamp.object(candidates.end()) | candidates.usage(answer.usage)
    return _write(said | (bill_fields(answer.settlement.bill()) if wishes.cost else {}))


def _broken(events: Sequence[Event], framing: Framing) -> bytes:
    last = events[-1] if events else None
    return framing.frame(broken_body(last.failure)) if isinstance(last, Broken) else b""


def _kinds(tokens: int, sound: int, pictures: int) -> list[dict[str, object]]:
    """Return tokens by what they are of; text is the rest."""
    counts = {"TEXT": tokens - sound - pictures, "AUDIO": sound, "IMAGE": pictures}
    return [{"modality": kind, "tokenCount": count} for kind, count in counts.items() if count > 0]
