"""Output items as they are made: each tells its own events in OpenAI's order.

https://platform.openai.com/docs/api-reference/responses-streaming. An item is added, its parts are
added, grow and are done, and the item is done.
"""

from collections.abc import Mapping

from infway.api.responses.frames import Teller, head_of
from infway.providers.responses.sealed import sealed
from infway.providers.shapes import as_object, as_objects

Object = dict[str, object]


class Item:
    """One item. `body`: what it is so far; `index`: its place in the output."""

    def __init__(self, teller: Teller, index: int, body: Object) -> None:
        self.body = body
        self._teller = teller
        self._place: Mapping[str, object] = {"item_id": body["id"], "output_index": index}
        self._index = index
        teller.tell("response.output_item.added", {"output_index": index, "item": dict(body)})

    def close(self, status: str) -> None:
        """End the item; `status` is completed or incomplete."""
        self.body["status"] = status
        fields = {"output_index": self._index, "item": self.body}
        self._teller.tell("response.output_item.done", fields)


class _Part:
    """A part that text is added to. `key`: where its text stands; `name`: what its events are called."""

    def __init__(self, teller: Teller, name: str, key: str, place: Object, empty: Object) -> None:
        self.body = empty
        self.name = name
        self._teller = teller
        self._key = key
        self._place = place
        self._pieces: list[str] = []
        self._tokens: list[Object] = []
        self._sources: list[Object] = []
        more = {"logprobs": ()} if name == "output_text" else {}
        self._head = head_of(f"response.{name}.delta", {**place, **more})
        teller.tell(_AROUND[name].format("added"), {**place, "part": dict(empty)})

    def add(self, piece: str) -> None:
        """Take a piece of its text."""
        self._pieces.append(piece)
        self._teller.piece(self._head, piece)

    def weigh(self, tokens: list[Object]) -> None:
        """Take log probabilities of what was said."""
        self._tokens += tokens
        fields = {**self._place, "delta": "", "logprobs": tokens}
        self._teller.tell(f"response.{self.name}.delta", fields)

    def cite(self, source: Object) -> None:
        """Take where something in it comes from."""
        place = len(self._sources)
        self._sources.append(source)
        fields = {**self._place, "annotation_index": place, "annotation": source}
        self._teller.tell("response.output_text.annotation.added", fields)

    def close(self) -> None:
        """End the part: its whole text is told, then the part."""
        self.body[self._key] = text = "".join(self._pieces)
        done: Object = {**self._place, self._key: text}
        if self.name == "output_text":
            done["logprobs"] = self._tokens
            self.body |= {"annotations": self._sources, "logprobs": self._tokens}
        self._teller.tell(f"response.{self.name}.done", done)
        self._teller.tell(_AROUND[self.name].format("done"), {**self._place, "part": self.body})


_CONTENT = "response.content_part.{}"
# What the events around a part are called
_AROUND: Mapping[str, str] = {
    "output_text": _CONTENT,
    "refusal": _CONTENT,
    "reasoning_text": _CONTENT,
    "reasoning_summary_text": "response.reasoning_summary_part.{}",
}


class Message(Item):
    """The answer's text, or the refusal to give one; where both come, a part each."""

    def __init__(self, teller: Teller, index: int, id_: str) -> None:
        self._content: list[Object] = []
        self._open: _Part | None = None
        begun: Object = {"id": id_, "type": "message", "status": "in_progress"}
        super().__init__(teller, index, {**begun, "role": "assistant", "content": []})
        self.body["content"] = self._content

    def text(self) -> _Part:
        """Return the part that holds the text."""
        empty: Object = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        return self._part("output_text", "text", empty)

    def refusal(self) -> _Part:
        """Return the part that holds the refusal."""
        return self._part("refusal", "refusal", {"type": "refusal", "refusal": ""})

    def _part(self, name: str, key: str, empty: Object) -> _Part:
        if self._open is not None and self._open.name == name:
            return self._open
        if self._open is not None:
            self._open.close()
        place = {**self._place, "content_index": len(self._content)}
        self._open = _Part(self._teller, name, key, place, empty)
        self._content.append(self._open.body)
        return self._open

    def close(self, status: str) -> None:
        """End the message."""
        if self._open is not None:
            self._open.close()
        super().close(status)


class Thoughts(Item):
    """What the model thought: told as a summary where one was asked for, else as it is.

    Details that its maker wants back are sealed into `encrypted_content`.
    """

    def __init__(self, teller: Teller, index: int, id_: str, *, summed: bool) -> None:
        self.details: list[Mapping[str, object]] = []
        self._summed = summed
        self._open: _Part | None = None
        super().__init__(teller, index, {"id": id_, "type": "reasoning", "summary": []})

    def text(self) -> _Part:
        """Return the part that holds the thoughts."""
        if self._open is None and self._summed:
            place = {**self._place, "summary_index": 0}
            empty: Object = {"type": "summary_text", "text": ""}
            self._open = _Part(self._teller, "reasoning_summary_text", "text", place, empty)
            self.body["summary"] = [self._open.body]
        elif self._open is None:
            place = {**self._place, "content_index": 0}
            empty = {"type": "reasoning_text", "text": ""}
            self._open = _Part(self._teller, "reasoning_text", "text", place, empty)
            self.body["content"] = [self._open.body]
        return self._open

    def close(self, status: str) -> None:
        """End the item."""
        if self._open is not None:
            self._open.close()
        if self.details:
            self.body["encrypted_content"] = sealed(self.details)
        super().close(status)


class Call(Item):
    """A call of a function. `signature`: what Gemini wants back with it."""

    def __init__(self, teller: Teller, index: int, id_: str, call: tuple[str, str]) -> None:
        self.signature: str | None = None
        self._pieces: list[str] = []
        call_id, self._name = call
        begun: Object = {"id": id_, "type": "function_call", "status": "in_progress"}
        said = {"call_id": call_id, "name": self._name, "arguments": ""}
        super().__init__(teller, index, {**begun, **said})
        self._head = head_of("response.function_call_arguments.delta", self._place)

    def add(self, piece: str) -> None:
        """Take a piece of the arguments."""
        self._pieces.append(piece)
        self._teller.piece(self._head, piece)

    def close(self, status: str) -> None:
        """End the call."""
        arguments = "".join(self._pieces) or "{}"
        self.body["arguments"] = arguments
        done = {**self._place, "name": self._name, "arguments": arguments}
        self._teller.tell("response.function_call_arguments.done", done)
        super().close(status)


class Picture(Item):
    """A picture that the model made."""

    def __init__(self, teller: Teller, index: int, id_: str, data: str) -> None:
        begun: Object = {"id": id_, "type": "image_generation_call", "status": "generating"}
        super().__init__(teller, index, {**begun, "result": None})
        self.body["result"] = data


def token_of(token: Mapping[str, object]) -> Object:
    """Return the log probability of a token as this dialect says it."""
    others = as_objects(token.get("top_logprobs"))
    return {**_bare(token), "top_logprobs": [_bare(one) for one in others]}


def _bare(token: Mapping[str, object]) -> Object:
    known = {"token": token.get("token"), "logprob": token.get("logprob")}
    return {**known, "bytes": token.get("bytes") or []}


def source_of(item: Mapping[str, object]) -> Object:
    """Return an annotation of a chat, whose facts stand below the name of its type, flat."""
    kind = item.get("type")
    facts = as_object(item.get(str(kind))) or item
    if kind == "file_citation":
        title = facts.get("title")
        empty = {"file_id": "", "filename": title or "", "index": facts.get("start_index") or 0}
    else:
        empty = {"url": "", "title": "", "start_index": 0, "end_index": 0}
    said = {name: value for name, value in facts.items() if value is not None}
    return {**empty, **said, "type": kind}
