"""What a Gemini reply says, frame by frame: the same for a stream and for a whole reply.

https://ai.google.dev/api/generate-content#GenerateContentResponse. Calls come whole, in one part.
What Google's own tools did is neither text nor a call: it becomes an item of the reasoning, which
the caller gives back. Sounds have no place in the events of a chat and are left out.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import count

import msgspec

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import (
    Annotation,
    Detail,
    Event,
    Facts,
    Finish,
    Image,
    Logprobs,
    Reasoning,
    Text,
    ToolCall,
)
from infway.kernel.faults import Failure, Fault
from infway.providers.faults import clean
from infway.providers.gemini.contents import FORMAT
from infway.providers.gemini.faults import inband_fault
from infway.providers.gemini.finishes import FINISHES, GOING_ON
from infway.providers.gemini.grounding import annotations
from infway.providers.gemini.usage import tier_of, usage_of
from infway.providers.gemini.wire import Blob, Candidate, Frame, Function, Part
from infway.providers.shapes import (
    Object,
    as_count,
    as_object,
    as_objects,
    as_text,
    read_object,
    write,
)

_UNFIT = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_ID = 40  # characters of a reply's id that become part of a call's id


class _Choice:
    """One candidate so far."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.thoughts: list[str] = []  # since the last signature
        self.calls = 0
        self.finish: str | None = None
        self.grounding = b""
        self.citations = b""


class Reply:
    """Adds up the frames of one reply. `begun`: something of an answer was said."""

    def __init__(self) -> None:
        self.begun = False
        self._choices: defaultdict[int, _Choice] = defaultdict(_Choice)
        self._usage = b""
        self._tier = ""
        self._is_told = False

    @property
    def is_whole(self) -> bool:
        """Whether there are candidates, and every one that began has ended."""
        ends = [choice.finish for choice in self._choices.values()]
        return bool(ends) and None not in ends

    @property
    def is_empty(self) -> bool:
        """Whether no candidate was seen."""
        return not self._choices

    def read(self, frame: Frame) -> list[Event]:
        """Return what a frame says. Raises UpstreamFailed for an error, or a blocked prompt."""
        if frame.error is not None:
            raise UpstreamFailed(inband_fault(as_object(frame.error)))
        candidates = frame.candidates or []
        if not candidates:
            _check(bytes(frame.prompt_feedback))
        self._count(bytes(frame.usage_metadata))
        events: list[Event] = []
        for index, candidate in _numbered(candidates):
            choice = self._choices[index]
            if choice.finish is None:  # what follows an end is no part of the answer
                _say(events, choice, candidate, index, frame.response_id)
            if candidate.grounding_metadata:
                choice.grounding = bytes(candidate.grounding_metadata)
            if candidate.citation_metadata:
                choice.citations = bytes(candidate.citation_metadata)
        self.begun = self.begun or bool(events)
        return self._tell() + events if events else events

    def end(self) -> list[Event]:
        """Return what is known at the end: sources, how each candidate ended, and the usage."""
        events: list[Event] = self._tell()
        for index, choice in sorted(self._choices.items()):
            grounding, citations = _object(choice.grounding), _object(choice.citations)
            if grounding or citations:
                found = annotations(grounding, citations, "".join(choice.text))
                events += [Annotation(item, index) for item in found]
            events.append(_finish(choice, index))
        usage = usage_of(_object(self._usage))
        return events if usage is None else [*events, usage]

    def _count(self, usage: bytes) -> None:
        """Keep the counts, of which the last are right, and the tier when it is first said."""
        if b'TokenCount"' in usage:
            self._usage = usage
        if not self._tier and (b'"serviceTier"' in usage or b'"trafficType"' in usage):
            self._tier = tier_of(_object(usage)) or ""

    def _tell(self) -> list[Event]:
        """Return the tier, once."""
        if not self._tier or self._is_told:
            return []
        self._is_told = True
        return [Facts({"service_tier": self._tier})]


def _check(feedback: bytes) -> None:
    """Raise UpstreamFailed where the prompt was blocked."""
    said = _object(feedback)
    reason = as_text(said.get("blockReason"))
    if reason:
        message = clean(said.get("blockReasonMessage")) or f"The prompt was blocked: {reason[:60]}."
        raise UpstreamFailed(Failure(Fault.CONTENT_FILTER, 200, message))


def _numbered(candidates: list[Candidate]) -> Iterable[tuple[int, Candidate]]:
    """Return candidates with their indexes; 0 is not written, nor is any in a single answer."""
    if len(candidates) == 1:
        return ((as_count(candidates[0].index), candidates[0]),)
    given = {as_count(one.index) for one in candidates if one.index is not None}
    free = (index for index in count() if index not in given)
    return [(next(free) if one.index is None else as_count(one.index), one) for one in candidates]


def _say(
    events: list[Event], choice: _Choice, candidate: Candidate, index: int, reply_id: object
) -> None:
    """Add what a candidate says; plain text comes first, since most of a stream is that."""
    parts = candidate.content.parts if candidate.content else None
    for part in parts or ():
        if part.text and not part.thought and not part.thought_signature:
            choice.text.append(part.text)
            events.append(Text(part.text, index))
        else:
            events += _part(choice, part, index, reply_id)
    if candidate.logprobs_result:
        tokens = list(_tokens(_object(bytes(candidate.logprobs_result))))
        events += [Logprobs(tokens, index)] if tokens else []
    if candidate.finish_reason is not None:
        word = str(candidate.finish_reason)
        choice.finish = None if word in GOING_ON else word


def _part(choice: _Choice, part: Part, index: int, reply_id: object) -> Iterator[Event]:
    """Yield what a part says that is more than plain text."""
    if part.function_call is not None and part.function_call.name:
        yield from _call(choice, part.function_call, part.thought_signature, index, reply_id)
    elif part.thought:
        yield from _thought(choice, part, index)
    elif part.inline_data is not None or part.file_data is not None:
        address = _picture(part)
        if address:
            yield Image(address, index)
    elif native := _native(part):
        yield Detail(_hidden(native), index)
    else:
        if part.text:
            choice.text.append(part.text)
            yield Text(part.text, index)
        if part.thought_signature and part.text is not None:
            yield Detail(_hidden(part.thought_signature), index)


def _call(
    choice: _Choice, said: Function, signature: str | None, index: int, reply_id: object
) -> Iterator[Event]:
    position = choice.calls
    choice.calls += 1
    id_ = said.id or f"call_{position}_{_UNFIT.sub('', as_text(reply_id))[-_LONGEST_ID:]}"
    given = bytes(said.args) or b"null"
    compact = msgspec.json.format(given, indent=-1).decode()
    yield ToolCall(
        position, "{}" if compact == "null" else compact, id_, said.name, index, signature
    )
    if signature:
        yield Detail({**_hidden(signature), "id": id_}, index)


def _thought(choice: _Choice, part: Part, index: int) -> Iterator[Event]:
    if part.text:
        choice.thoughts.append(part.text)
        yield Reasoning(part.text, index)
    if part.thought_signature:
        item = {"type": "reasoning.text", "text": "".join(choice.thoughts), "format": FORMAT}
        choice.thoughts.clear()
        yield Detail({**item, "signature": part.thought_signature}, index)


def _hidden(data: str) -> Mapping[str, object]:
    return {"type": "reasoning.encrypted", "data": data, "format": FORMAT}


def _picture(part: Part) -> str | None:
    """Return a picture as an address; one that the model thought with has `thought` set."""
    blob = part.inline_data or part.file_data or Blob()
    if not (blob.mime_type or "").startswith("image/"):
        return None
    return f"data:{blob.mime_type};base64,{blob.data}" if blob.data else blob.file_uri


def _native(part: Part) -> str:
    """Return the JSON of a part of Google's own tools, to be given back; empty where it is none."""
    kinds = {
        "executableCode": part.executable_code,
        "codeExecutionResult": part.code_execution_result,
        "toolCall": part.tool_call,
        "toolResponse": part.tool_response,
    }
    said: dict[str, object] = {
        name: found for name, raw in kinds.items() if (found := _object(bytes(raw)))
    }
    if said and part.thought_signature:
        said["thoughtSignature"] = part.thought_signature
    return write(said).decode() if said else ""


def _finish(choice: _Choice, index: int) -> Finish:
    reason = FINISHES.get((choice.finish or "STOP").upper(), "stop")
    if reason == "stop" and choice.calls:
        reason = "tool_calls"
    return Finish(index, reason, choice.finish)


def _tokens(result: Object) -> Iterator[Mapping[str, object]]:
    chosen = as_objects(result.get("chosenCandidates"))
    tops = as_objects(result.get("topCandidates"))
    for place, one in enumerate(chosen):
        others = as_objects(tops[place].get("candidates")) if place < len(tops) else []
        yield {**_token(one), "top_logprobs": [_token(other) for other in others]}


def _token(said: Object) -> Mapping[str, object]:
    token = as_text(said.get("token"))
    chance = said.get("logProbability")
    number = chance if isinstance(chance, int | float) else 0.0  # 0 is not written
    return {"token": token, "logprob": number, "bytes": list(token.encode())}


def _object(raw: bytes) -> Object:
    return (read_object(raw) if raw else None) or {}
