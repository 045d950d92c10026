"""Pieces of a translated reply in OpenAI's words: deltas of a stream, and a message they add up to."""

from collections.abc import Iterable, Mapping

from infway.kernel.events import (
    Annotation,
    Detail,
    Event,
    Finish,
    Image,
    Logprobs,
    Piece,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)


def delta_of(event: Piece) -> dict[str, object]:  # noqa: C901, PLR0911 - one case a piece
    """Return what a stream's delta says of one piece; log probabilities stand beside it."""
    match event:
        case Text():
            return {"content": event.text}
        case Reasoning():
            return {"reasoning": event.text, "reasoning_content": event.text}
        case Detail():
            return {"reasoning_details": [event.item]}
        case Refusal():
            return {"refusal": event.text}
        case ToolCall():
            return {"tool_calls": [_call_piece(event)]}
        case Annotation():
            return {"annotations": [event.item]}
        case Image():
            return {"images": [_image(event.url)]}
        case Logprobs():
            return {}


def logprobs_of(tokens: object) -> dict[str, object]:
    """Return the `logprobs` of a choice."""
    return {"content": tokens, "refusal": None}


def _image(url: str) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": url}}


def _call_piece(event: ToolCall) -> dict[str, object]:
    function: dict[str, object] = {"arguments": event.arguments}
    call: dict[str, object] = {"index": event.position, "function": function}
    if event.name is not None:
        function["name"] = event.name
    if event.id is not None:
        call |= {"id": event.id, "type": "function"}
    return call | _extra(event.signature)


def _extra(signature: str | None) -> dict[str, object]:
    """Google's place for a thought signature in the OpenAI dialect."""
    return {"extra_content": {"google": {"thought_signature": signature}}} if signature else {}


class Message:
    """One choice of a whole reply as its events add up."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.reasoning: list[str] = []
        self.details: list[Mapping[str, object]] = []
        self.refusal: list[str] = []
        self.calls: dict[int, ToolCall] = {}
        self.annotations: list[Mapping[str, object]] = []
        self.images: list[Mapping[str, object]] = []
        self.logprobs: list[Mapping[str, object]] = []
        self.finish: Finish | None = None

    def add(self, event: Piece | Finish) -> None:  # noqa: C901 - one case a piece
        """Take one event of this choice."""
        match event:
            case Text():
                self.text.append(event.text)
            case Reasoning():
                self.reasoning.append(event.text)
            case Detail():
                self.details.append(event.item)
            case Refusal():
                self.refusal.append(event.text)
            case ToolCall():
                self._call(event)
            case Annotation():
                self.annotations.append(event.item)
            case Image():
                self.images.append(_image(event.url))
            case Logprobs():
                self.logprobs.extend(event.tokens)
            case Finish():
                self.finish = event

    def _call(self, piece: ToolCall) -> None:
        so_far = self.calls.get(piece.position)
        if so_far is None:
            self.calls[piece.position] = piece
            return
        self.calls[piece.position] = ToolCall(
            piece.position,
            so_far.arguments + piece.arguments,
            piece.id or so_far.id,
            piece.name or so_far.name,
            signature=piece.signature or so_far.signature,
        )

    def object(self) -> dict[str, object]:
        """Return the message in OpenAI's shape."""
        content = "".join(self.text)
        is_bare = not (self.calls or self.refusal)
        message: dict[str, object] = {
            "role": "assistant",
            "content": content if content or is_bare else None,
        }
        if self.refusal:
            message["refusal"] = "".join(self.refusal)
        if self.reasoning:
            message["reasoning"] = message["reasoning_content"] = "".join(self.reasoning)
        if self.details:
            message["reasoning_details"] = self.details
        if self.annotations:
            message["annotations"] = self.annotations
        if self.images:
            message["images"] = self.images
        if self.calls:
            message["tool_calls"] = [_whole_call(call) for _, call in sorted(self.calls.items())]
        return message


def messages_of(events: Iterable[Event]) -> list[tuple[int, Message]]:
    """Return the choices of a whole reply in order, each with its place."""
    messages: dict[int, Message] = {}
    for event in events:
        if isinstance(event, Piece | Finish):
            messages.setdefault(event.index, Message()).add(event)
    return sorted(messages.items())


def _whole_call(call: ToolCall) -> dict[str, object]:
    function = {"name": call.name or "", "arguments": call.arguments}
    whole = {"id": call.id or "", "type": "function", "function": function}
    return whole | _extra(call.signature)
