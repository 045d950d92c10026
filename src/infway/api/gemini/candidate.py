"""One candidate of a reply, as its events add up to parts.

Calls come whole, so they wait for the end. Thoughts are shown to those who asked for them; what
has to come back with the next turn is there for all, as `thoughtSignature`.
"""

from collections.abc import Mapping

from infway.api.gemini.grounding import grounding_of
from infway.kernel.events import (
    Annotation,
    Detail,
    Finish,
    Image,
    Logprobs,
    Piece,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from infway.providers.gemini.signatures import hidden, is_googles, plain, wrapped
from infway.providers.shapes import Object, as_object, as_objects, as_text, read_object

PIECES = (Text, Reasoning, Detail, ToolCall, Refusal, Annotation, Image, Logprobs)
# Google has one word for an answer that ended and for one that calls functions
_FINISHES: Mapping[str, str] = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "error": "OTHER",
}
_TEXTS = {"reasoning.text": "text", "reasoning.summary": "summary"}  # type -> where its text is
_Parts = list[dict[str, object]]


class Candidate:
    """One candidate. `shows`: thoughts are shown."""

    def __init__(self, index: int, *, shows: bool) -> None:
        self._index = index
        self._shows = shows
        self._text: list[str] = []  # all: sources come after the words they quote by their places
        self._thought: list[str] = []  # since the last signature
        self._hidden: list[Mapping[str, object]] = []  # to come back, with the next part
        self._calls: dict[int, ToolCall] = {}
        self._signatures: dict[str, str] = {}  # of calls, by id
        self._sources: list[Mapping[str, object]] = []
        self._tokens: list[Mapping[str, object]] = []
        self._finish: Finish | None = None
        self._parts: _Parts = []

    def take(self, event: Piece | Finish) -> None:  # noqa: C901 - one case a piece
        """Take one event of this candidate."""
        match event:
            case Text() | Refusal():
                self._text.append(event.text)
                self._add({"text": event.text})
            case Reasoning():
                self._thought.append(event.text)
                if self._shows:
                    self._add({"text": event.text, "thought": True})
            case Detail():
                self._detail(event.item)
            case ToolCall():
                self._call(event)
            case Annotation():
                self._sources.append(event.item)
            case Image():
                self._add(_picture(event.url))
            case Logprobs():
                self._tokens += event.tokens
            case Finish():
                self._finish = event

    def said(self) -> dict[str, object] | None:
        """Return what was said since the last time, None where that is nothing."""
        if not (self._parts or self._tokens):
            return None
        return self._object(self._taken())

    def end(self) -> dict[str, object]:
        """Return the rest: calls, sources, and why it ended."""
        for _, call in sorted(self._calls.items()):
            self._add(self._whole(call))
        if self._hidden or self._signatures:
            left = [hidden(one) | {"id": id_} for id_, one in self._signatures.items()]
            self._hidden += left
            self._add({"text": ""})
        said = self._object(self._taken() or [{"text": ""}])
        reason = self._finish.reason if self._finish is not None else "stop"
        said["finishReason"] = _FINISHES[reason]
        grounding = grounding_of(self._sources, "".join(self._text))
        return said | ({"groundingMetadata": grounding} if grounding else {})

    def _taken(self) -> _Parts:
        parts, self._parts = self._parts, []
        return parts

    def _object(self, parts: _Parts) -> dict[str, object]:
        said: dict[str, object] = {
            "content": {"parts": parts, "role": "model"},
            "index": self._index,
        }
        if self._tokens:
            said["logprobsResult"] = _logprobs(self._tokens)
            self._tokens = []
        return said

    def _add(self, part: dict[str, object]) -> None:
        """Add a part; words go on in the one before, and what is hidden goes with what is shown."""
        if self._hidden and not part.get("thought") and "thoughtSignature" not in part:
            part["thoughtSignature"] = wrapped(self._hidden)
            self._hidden = []
        last = self._parts[-1] if self._parts else {}
        goes_on = "text" in part and "text" in last and "thoughtSignature" not in last
        if goes_on and last.get("thought") == part.get("thought"):
            part["text"] = f"{last['text']}{part['text']}"
            self._parts[-1] = part
        else:
            self._parts.append(part)

    def _detail(self, item: Object) -> None:
        """Say what has to come back. A thought that nobody signed or named is said already."""
        if not any(item.get(name) for name in ("signature", "data", "id")):
            return
        data = as_text(item.get("data"))
        if is_googles(item) and data:
            self._googles(as_text(item.get("id")), data)
            return
        if not self._shows:
            self._hidden.append(item)
            return
        key = _TEXTS.get(as_text(item.get("type")))
        signature = as_text(item.get("signature"))
        if is_googles(item) and signature:
            signature = plain(signature)
        else:
            said = item if key is None else self._without_said(item, key)
            signature = wrapped([said])
        self._add({"text": "", "thought": True, "thoughtSignature": signature})

    def _without_said(self, item: Object, key: str) -> Object:
        """Return an item without its text, where the thoughts that were shown are the same."""
        thought, self._thought = "".join(self._thought), []
        return {name: one for name, one in item.items() if name != key or one != thought}

    def _googles(self, call: str, data: str) -> None:
        """Say a signature of a call or of words, or a part of Google's own tools."""
        native = read_object(data.encode(errors="replace")) if data.startswith("{") else None
        if native:
            self._parts.append(native)
        elif call:
            self._signatures[call] = data
        else:
            self._add({"text": "", "thoughtSignature": plain(data)})

    def _call(self, piece: ToolCall) -> None:
        so_far = self._calls.get(piece.position)
        if so_far is not None:
            piece = ToolCall(
                piece.position,
                so_far.arguments + piece.arguments,
                so_far.id or piece.id,
                so_far.name or piece.name,
                signature=so_far.signature or piece.signature,
            )
        self._calls[piece.position] = piece

    def _whole(self, call: ToolCall) -> dict[str, object]:
        """Return a call; arguments that are no object stand under a name of their own."""
        args = read_object(call.arguments.encode(errors="replace")) if call.arguments else {}
        said: dict[str, object] = {"name": call.name or "", "args": args}
        if args is None:
            said["args"] = {"arguments": call.arguments}
        if call.id:
            said["id"] = call.id
        whole: dict[str, object] = {"functionCall": said}
        signature = self._signatures.pop(call.id or "", None) or call.signature
        return whole | ({"thoughtSignature": plain(signature)} if signature else {})


def _picture(url: str) -> dict[str, object]:
    head, found, data = url.partition(";base64,")
    if found and head.startswith("data:"):
        return {"inlineData": {"mimeType": head[5:], "data": data}}
    return {"fileData": {"mimeType": "image/*", "fileUri": url}}


def _logprobs(tokens: list[Mapping[str, object]]) -> dict[str, object]:
    """Return tokens as Google tells them: the chosen ones, and the likeliest at each place."""
    tops = [{"candidates": _chances(as_objects(one.get("top_logprobs")))} for one in tokens]
    told: dict[str, object] = {"chosenCandidates": _chances(tokens)}
    return told | ({"topCandidates": tops} if any(one["candidates"] for one in tops) else {})


def _chances(tokens: list[Mapping[str, object]] | list[dict[str, object]]) -> list[object]:
    said = [as_object(one) for one in tokens]
    return [{"token": one.get("token"), "logProbability": one.get("logprob")} for one in said]
