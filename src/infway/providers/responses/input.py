"""Messages as the `input` items of OpenAI Responses.

https://platform.openai.com/docs/api-reference/responses/create. Every message keeps its place,
those of the system as well; texts stand as plain strings where there is but one.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infway.providers.conversation.parts import (
    CallPart,
    Conversation,
    MediaPart,
    Part,
    ResultPart,
    Said,
    TextPart,
    ThoughtPart,
    cannot_say,
)

FORMAT = "openai-responses-v1"
_KINDS = frozenset({"text", "summary", "encrypted"})
_LONGEST_ID = 64  # characters of a call's id; the published schema, FunctionCallOutputItemParam
Item = dict[str, object]


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says messages. `customs`: names of tools that take free text; the rest is what the model can.

    `marks_cache`: ends of cached prefixes may be marked. `hides_thoughts`: reasoning is read only
    where it is encrypted. `is_stored`: the server keeps what it answers.
    """

    talk: Conversation
    customs: frozenset[str]
    marks_cache: bool
    hides_thoughts: bool
    is_stored: bool

    def items(self) -> list[Item]:
        """Return all messages; raises UpstreamFailed(untranslatable) for media without words."""
        said: list[Item] = []
        for message in self.talk.messages:
            if message.name is not None:
                self.talk.drop(f"messages[{message.place}].name")
            if message.role == "assistant":
                said += self._answer(message)
            elif message.role == "tool":
                said += [self._result(part) for part in _results(message.parts)]
            else:
                said.append({"role": message.role, "content": self._content(message.parts)})
        return said

    def _answer(self, message: Said) -> Iterator[Item]:
        """Yield an earlier answer: its reasoning, its text, its calls.

        Reasoning that nothing follows is refused, so it is not said.
        """
        thoughts = [part for part in message.parts if isinstance(part, ThoughtPart)]
        rest = [part for part in message.parts if not isinstance(part, ThoughtPart)]
        if rest:
            yield from self._thoughts(thoughts)
        elif thoughts:
            self.talk.drop(thoughts[0].path)
        yield from self._texts(message)
        for part in rest:
            if isinstance(part, CallPart):
                yield self._call(part)

    def _texts(self, message: Said) -> Iterator[Item]:
        """Yield the texts of an earlier answer, a message each: only new answers have parts."""
        texts = [part for part in message.parts if isinstance(part, TextPart)]
        for part in texts:
            if part.cache:
                self.talk.drop(f"{part.path}.cache_control")
        if any(isinstance(part, MediaPart) for part in message.parts):
            cannot_say(f"messages[{message.place}].content", "an answer can hold no media.")
        for part in texts:
            yield {"role": "assistant", "content": part.text}

    def _thoughts(self, parts: list[ThoughtPart]) -> Iterator[Item]:
        """Yield one reasoning item for what came as one: parts of an id, up to the encrypted one."""
        group: list[ThoughtPart] = []
        for part in parts:
            if part.format != FORMAT or part.kind not in _KINDS:
                self.talk.drop(part.path)
                continue
            if group and (group[-1].id != part.id or group[-1].kind == "encrypted"):
                yield from self._reasoning(group)
                group = []
            group.append(part)
        if group:
            yield from self._reasoning(group)

    def _reasoning(self, group: list[ThoughtPart]) -> Iterator[Item]:
        """Yield a reasoning item, if it says anything that the server can read.

        That is its encrypted content, or its text where the model is open. Where answers are
        stored, an id would have the server ask for those of the items that follow, which no
        chat message holds.
        """
        data = next((part.data for part in group if part.kind == "encrypted"), None)
        texts = [part.text for part in group if part.kind == "text"]
        if texts and (data or self.hides_thoughts):
            self.talk.drop(group[0].path)
            texts = []
        if not (data or texts):
            self.talk.drop(group[0].path)
            return
        summary = [part.text for part in group if part.kind == "summary"]
        item: Item = {"type": "reasoning"}
        if group[0].id is not None and not self.is_stored:
            item["id"] = group[0].id
        item["summary"] = [{"type": "summary_text", "text": text} for text in summary]
        if texts:
            item["content"] = [{"type": "reasoning_text", "text": text} for text in texts]
        if data:
            item["encrypted_content"] = data
        yield item

    def _call(self, part: CallPart) -> Item:
        if part.signature is not None:
            self.talk.drop(f"{part.path}.extra_content")
        said: Item = {"call_id": _call_id(part.id), "name": part.name}
        if part.name in self.customs:
            text = part.arguments.get("input")
            said["input"] = text if isinstance(text, str) and not part.is_odd else part.raw
            return {"type": "custom_tool_call", **said}
        return {"type": "function_call", **said, "arguments": part.raw}

    def _result(self, part: ResultPart) -> Item:
        kind = "custom_tool_call_output" if part.name in self.customs else "function_call_output"
        parts = part.parts
        if part.cache is not None and not parts:
            self.talk.drop(f"{part.path}.cache_control")
        elif part.cache is not None:
            parts = (*parts[:-1], *(last._replace(cache=part.cache) for last in parts[-1:]))
        return {"type": kind, "call_id": _call_id(part.id), "output": self._content(parts)}

    def _content(self, parts: Iterable[Part]) -> object:
        """Return what is said, as a string where it is one text without a mark."""
        said: list[Item] = []
        for part in parts:
            match part:
                case TextPart():
                    said.append({"type": "input_text", "text": part.text, **self._mark(part)})
                case MediaPart():
                    said.append({**self._media(part), **self._mark(part)})
                case _:
                    continue  # only answers hold calls and reasoning, only tools hold results
        if not said:
            return ""
        return said[0]["text"] if len(said) == 1 and set(said[0]) == {"type", "text"} else said

    def _mark(self, part: TextPart | MediaPart) -> Item:
        """Return the mark of a cached prefix's end, which lives for 30 minutes at least."""
        if part.cache is None:
            return {}
        if not self.marks_cache:
            self.talk.drop(f"{part.path}.cache_control")
            return {}
        return {"prompt_cache_breakpoint": {"mode": "explicit"}}

    def _media(self, part: MediaPart) -> Item:
        if part.url is not None and not part.url.startswith(("https://", "http://")):
            cannot_say(part.where, "only http addresses can be said to this upstream.")
        match part.kind:
            case "image":
                source = part.url or _data_uri(part)
                return {"type": "input_image", "image_url": source, "detail": part.detail or "auto"}
            case "file":
                return {"type": "input_file", **self._file(part)}
            case _:
                return cannot_say(part.where, f"{part.kind} cannot be said there.")

    def _file(self, part: MediaPart) -> Item:
        """Return a file by its id, its address or its data; data needs a name, so one is made."""
        if part.data is not None:
            ending = part.media_type.rpartition("/")[2]
            made = f"file.{ending}" if ending.isalnum() else "file"
            return {"filename": part.name or made, "file_data": _data_uri(part)}
        if part.name is not None:
            self.talk.drop(f"{part.where}.filename")
        return {"file_url": part.url} if part.id is None else {"file_id": part.id}


def _results(parts: Iterable[Part]) -> Iterator[ResultPart]:
    return (part for part in parts if isinstance(part, ResultPart))


def _call_id(id_: str) -> str:
    """Return an id; other vendors' may be too long, and are shortened alike in call and result."""
    if len(id_) <= _LONGEST_ID:
        return id_
    return f"call_{hashlib.sha256(id_.encode(errors='replace')).hexdigest()[:40]}"


def _data_uri(part: MediaPart) -> str:
    return f"data:{part.media_type};base64,{part.data}"
