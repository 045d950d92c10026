"""The output of one response as the events of its reply add up: items, one after the other."""

from collections.abc import Mapping

from infway.api.responses.frames import Teller
from infway.api.responses.items import Call, Item, Message, Picture, Thoughts, source_of, token_of
from infway.kernel.events import (
    Annotation,
    Detail,
    Event,
    Facts,
    Finish,
    Image,
    Logprobs,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)

_GEMINI = "google-gemini-v1"
# Why a response is not whole, by the reason for which its reply ended
INCOMPLETE: Mapping[str, str] = {"length": "max_output_tokens", "content_filter": "content_filter"}


class Output:
    """Items so far. `summed`: thoughts are told as a summary. `request_id` is part of their ids."""

    def __init__(self, teller: Teller, request_id: str, *, summed: bool) -> None:
        self.items: list[Mapping[str, object]] = []
        self.finish: Finish | None = None
        self.service_tier: str | None = None
        self._teller = teller
        self._request = request_id
        self._summed = summed
        self._open: Message | Thoughts | None = None
        self._calls: dict[int, Call] = {}
        self._unnamed: dict[int, list[ToolCall]] = {}
        self._late: list[Mapping[str, object]] = []

    def hear(self, event: Event) -> None:  # noqa: C901 - one case an event
        """Take one event."""
        match event:
            case Text():
                if event.text:
                    self._message().text().add(event.text)
            case Reasoning():
                self._thoughts().text().add(event.text)
            case Detail():
                self._detail(event.item)
            case ToolCall():
                self._call(event)
            case Refusal():
                self._message().refusal().add(event.text)
            case Annotation():
                self._message().text().cite(source_of(event.item))
            case Logprobs():
                self._message().text().weigh([token_of(token) for token in event.tokens])
            case Image():
                self._picture(event.url)
            case Finish():
                self.finish = event
            case Facts():
                tier = event.fields.get("service_tier")
                self.service_tier = tier if isinstance(tier, str) else self.service_tier
            case _:
                pass  # frames of no meaning here, and usage, which the attempt knows

    def end(self) -> None:
        """End what is open."""
        reason = self.finish.reason if self.finish is not None else "error"
        status = "completed" if reason in ("stop", "tool_calls") else "incomplete"
        for position, pieces in list(self._unnamed.items()):
            self._begin(position, pieces, name="")
        self._close(status)

    def incomplete(self) -> str | None:
        """Return why the response is not whole."""
        return None if self.finish is None else INCOMPLETE.get(self.finish.reason)

    def _id(self, kind: str) -> str:
        return f"{kind}_{self._request}_{len(self.items)}"

    def _add(self, item: Item) -> None:
        self.items.append(item.body)

    def _message(self) -> Message:
        if isinstance(self._open, Message):
            return self._open
        self._close("completed")
        message = Message(self._teller, len(self.items), self._id("msg"))
        self._open = message
        self._add(message)
        return message

    def _thoughts(self) -> Thoughts:
        if isinstance(self._open, Thoughts):
            return self._open
        self._close("completed")
        thoughts = self._new_thoughts()
        self._open = thoughts
        return thoughts

    def _new_thoughts(self) -> Thoughts:
        index, id_ = len(self.items), self._id("rs")
        thoughts = Thoughts(self._teller, index, id_, summed=self._summed)
        self._add(thoughts)
        return thoughts

    def _detail(self, item: Mapping[str, object]) -> None:
        """Take a detail: of the thoughts that are open, or of what comes between other items."""
        if isinstance(self._open, Message) or self._calls:
            self._late.append(item)
        else:
            self._thoughts().details.append(item)

    def _call(self, piece: ToolCall) -> None:
        call = self._calls.get(piece.position)
        if call is None:
            pieces = self._unnamed.setdefault(piece.position, [])
            pieces.append(piece)
            if piece.name:
                self._begin(piece.position, pieces, piece.name)
            return
        self._add_to(call, piece)

    def _begin(self, position: int, pieces: list[ToolCall], name: str) -> None:
        """Begin a call whose name is known, with what was said of it before."""
        del self._unnamed[position]
        if self._open is not None:
            self._close("completed")
        index = len(self.items)
        made = f"call_{self._request}_{index}"
        call_id = next((piece.id for piece in pieces if piece.id), made)
        call = Call(self._teller, index, self._id("fc"), (call_id, name))
        self._calls[position] = call
        self._add(call)
        for piece in pieces:
            self._add_to(call, piece)

    @staticmethod
    def _add_to(call: Call, piece: ToolCall) -> None:
        call.signature = piece.signature or call.signature
        if piece.arguments:
            call.add(piece.arguments)

    def _picture(self, url: str) -> None:
        head, mark, data = url.partition(";base64,")
        if not (mark and head.startswith("data:")):
            self._message().text().add(f"![image]({url})")
            return
        self._close("completed")
        picture = Picture(self._teller, len(self.items), self._id("ig"), data)
        self._add(picture)
        picture.close("completed")

    def _close(self, status: str) -> None:
        """End the items that are open, and say what their maker wants back with them."""
        if self._open is not None:
            self._open.close(status)
            self._open = None
        for call in self._calls.values():
            call.close(status)
            if call.signature:
                known = {"type": "reasoning.encrypted", "format": _GEMINI}
                self._late.append({**known, "id": call.body["call_id"], "data": call.signature})
        self._calls.clear()
        late, self._late = self._late, []
        if late:
            thoughts = self._new_thoughts()
            thoughts.details += late
            thoughts.close(status)
