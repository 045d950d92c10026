"""What the model said before, as one message of a chat: its words, its calls, its reasoning."""

import base64

from infway.api.gemini.body import FunctionCall, Part
from infway.api.gemini.media import file_part, inline_part
from infway.api.gemini.notes import Notes
from infway.providers.gemini.contents import FORMAT
from infway.providers.gemini.signatures import hidden, unwrapped
from infway.providers.shapes import write

# What Google's documentation gives for calls that no Gemini made; in the SDKs as bytes
_STAND_INS = frozenset(
    one
    for word in ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")
    for one in (
        word,
        base64.b64encode(word.encode()).decode(),
        base64.urlsafe_b64encode(word.encode()).decode(),
    )
)
_TEXTS = {"reasoning.text": "text", "reasoning.summary": "summary"}  # type -> where its text is


class ModelTurn:
    """One message of the model, part by part."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._content: list[dict[str, object]] = []
        self._calls: list[dict[str, object]] = []
        self._details: list[dict[str, object]] = []
        self._thoughts: list[str] = []
        self._unsigned: list[str] = []  # thoughts whose signature may still come

    def say(self, part: Part, path: str) -> None:
        """Take a part that is no call."""
        if part.thought:
            self._think(part, path)
            return
        if part.text or part.inline_data or part.file_data:
            if self._calls or (self._content and part.thought_signature):
                self._notes.lose(path)  # words come first in chats, in one piece
            self._add(part, path)
        if part.thought_signature:
            self._sign(part.thought_signature, path)

    def call(self, id_: str, call: FunctionCall, part: Part, path: str) -> None:
        """Take a call, and the signature that stands beside it."""
        function = {"name": call.name, "arguments": write(call.args or {}).decode()}
        told: dict[str, object] = {"id": id_, "type": "function", "function": function}
        signature = part.thought_signature
        if signature and signature not in _STAND_INS and not self._sign(signature, path, id_):
            told["extra_content"] = {"google": {"thought_signature": signature}}
        self._calls.append(told)

    def messages(self) -> list[dict[str, object]]:
        """Return the message, none where nothing is left of it."""
        self._flush()
        if not (self._content or self._calls or self._details):
            return []
        message: dict[str, object] = {"role": "assistant", "content": self._words()}
        if self._thoughts:
            message["reasoning_content"] = "".join(self._thoughts)
        if self._details:
            message["reasoning_details"] = self._details
        if self._calls:
            message["tool_calls"] = self._calls
        return [message]

    def _words(self) -> object:
        texts = [str(part["text"]) for part in self._content if "text" in part]
        if len(texts) < len(self._content):
            return self._content
        return "".join(texts) if texts or not self._calls else None

    def _add(self, part: Part, path: str) -> None:
        if part.text:
            last = self._content[-1] if self._content else {}
            if "text" in last:
                last["text"] = str(last["text"]) + part.text  # pieces of a stream
            else:
                self._content.append({"type": "text", "text": part.text})
        elif part.inline_data is not None:
            self._content.append(inline_part(part.inline_data))
        elif part.file_data is not None:
            self._content.append(file_part(part.file_data, path, self._notes))

    def _think(self, part: Part, path: str) -> None:
        if part.inline_data is not None or part.file_data is not None:
            self._notes.lose(f"{path}.thought")  # a picture that it thought with
        if self._content or self._calls:
            self._notes.lose(path)  # thoughts come before all else in chats
        if part.text:
            self._thoughts.append(part.text)
            self._unsigned.append(part.text)
        signature = part.thought_signature
        if not signature:
            return
        items = unwrapped(signature)
        if items is not None:
            self._unwrap(items, path)
            return
        text = self._unsigned.pop() if part.text else ""
        self._flush()
        self._details.append(_thought(text) | {"signature": signature})

    def _sign(self, signature: str, path: str, call: str | None = None) -> bool:
        """Take a signature of words, or of a call; tell whether it was a wrapper."""
        items = unwrapped(signature)
        if items is not None:
            self._unwrap(items, path)
            return True
        self._flush()
        self._details.append(hidden(signature) | ({} if call is None else {"id": call}))
        return False

    def _unwrap(self, items: list[dict[str, object]], path: str) -> None:
        """Take items back; one without its text is that of the thoughts before it."""
        if not items:
            self._notes.lose(f"{path}.thoughtSignature")
        for item in items:
            key = _TEXTS.get(str(item.get("type")))
            if key is not None:
                item.setdefault(key, "".join(self._unsigned))
                self._unsigned.clear()
            self._details.append(item)

    def _flush(self) -> None:
        """Keep thoughts that nobody signed as they are."""
        self._details += map(_thought, self._unsigned)
        self._unsigned.clear()


def _thought(text: str) -> dict[str, object]:
    return {"type": "reasoning.text", "text": text, "format": FORMAT}
