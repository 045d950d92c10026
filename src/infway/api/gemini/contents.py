"""The `contents` of a request as messages of a chat: `providers/gemini/contents.py`, backwards.

Contents of the model that follow one another are one message, as clients give back a stream piece
by piece. Results of functions are messages of their own.
"""

from collections.abc import Iterable, Mapping, Sequence

from infway.api.gemini.body import Content, FunctionCall, FunctionResponse, Part
from infway.api.gemini.media import file_part, inline_part
from infway.api.gemini.notes import Notes
from infway.api.gemini.turn import ModelTurn
from infway.kernel.errors import CallerError
from infway.providers.shapes import Object, as_list, as_objects, write

_Placed = tuple[str, Part]  # a part behind its path
# What every dialect has words for, and what Google's alone has
_SAID: Mapping[str, str] = {
    "text": "text",
    "inline_data": "inlineData",
    "file_data": "fileData",
    "function_call": "functionCall",
    "function_response": "functionResponse",
}
_SERVERS: Mapping[str, str] = {
    "executable_code": "executableCode",
    "code_execution_result": "codeExecutionResult",
    "tool_call": "toolCall",
    "tool_response": "toolResponse",
}
PART = frozenset(Part.__struct_encode_fields__)  # names in a part that are known
_KINDS = ", ".join([*_SAID.values(), *_SERVERS.values()])


def messages_of(
    contents: Sequence[Content], sent: Sequence[Object], notes: Notes
) -> list[dict[str, object]]:
    """Return the messages; `sent`: the contents as they were sent.

    Raises CallerError where a part says nothing.
    """
    said = _Messages(notes)
    for place, (content, raw) in enumerate(zip(contents, sent, strict=True)):
        parts: list[_Placed] = []
        listed = zip(content.parts or (), as_objects(raw.get("parts")), strict=True)
        for at, (part, fields) in enumerate(listed):
            path = f"contents[{place}].parts[{at}]"
            if _is_told(part, fields, path, notes):
                parts.append((path, part))
        if content.role == "model":
            said.models(parts)
        else:
            said.users(parts)
    return said.end()


def instructions_of(content: Content | None, notes: Notes) -> list[dict[str, object]]:
    """Return the system message, none where nothing is said in it."""
    parts = (content.parts or ()) if content is not None else ()
    texts = [part.text for part in parts if part.text]
    for place, part in enumerate(parts):
        if part.text is None:
            notes.lose(f"systemInstruction.parts[{place}]")
    return [{"role": "system", "content": _texts(texts)}] if texts else []


def _is_told(part: Part, fields: Object, path: str, notes: Notes) -> bool:
    """Tell whether a part can be said in a chat; what only Google understands is noted.

    A part of no kind that is known may be one of Google's newest.
    """
    if any(getattr(part, field) is not None for field in _SAID):
        return True
    named = [name for field, name in _SERVERS.items() if getattr(part, field) is not None]
    if not named:
        named = [name for name in fields if name not in PART and fields[name] is not None]
    for name in named:
        notes.need(f"{path}.{name}")
    if not named and part.thought_signature is None:
        message = f"{path}: one of {_KINDS} is required."
        raise CallerError(400, "missing_required_field", message, path)
    return not named


class _Messages:
    """Messages so far, and the calls that wait for their results."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._said: list[dict[str, object]] = []
        self._turn: ModelTurn | None = None
        self._open: list[tuple[str, str]] = []  # id and name
        self._calls = 0

    def models(self, parts: Iterable[_Placed]) -> None:
        """Take what the model said."""
        if self._turn is None:
            self._turn = ModelTurn(self._notes)
            self._open = []
        for path, part in parts:
            if part.function_call is not None:
                call = part.function_call
                self._turn.call(self._named(call), call, part, path)
            else:
                self._turn.say(part, path)

    def users(self, parts: Iterable[_Placed]) -> None:
        """Take what the user said, and the results of functions."""
        self._close()
        beside: list[dict[str, object]] = []
        for path, part in parts:
            if part.function_response is not None:
                self._speak(beside)
                beside = []
                self._said.append(self._result(part.function_response, path))
            else:
                beside += self._plain(part, path)
        self._speak(beside)

    def end(self) -> list[dict[str, object]]:
        """Return all messages."""
        self._close()
        return self._said

    def _close(self) -> None:
        if self._turn is not None:
            self._said += self._turn.messages()
            self._turn = None

    def _named(self, call: FunctionCall) -> str:
        """Return the id of a call; many clients number none."""
        self._calls += 1
        id_ = call.id or f"call_{self._calls}"
        self._open.append((id_, call.name))
        return id_

    def _speak(self, parts: list[dict[str, object]]) -> None:
        if parts:
            alone = parts[0].get("text") if len(parts) == 1 else None
            self._said.append({"role": "user", "content": parts if alone is None else alone})

    def _plain(self, part: Part, path: str) -> list[dict[str, object]]:
        if part.text:
            return [{"type": "text", "text": part.text}]
        if part.inline_data is not None:
            return [inline_part(part.inline_data)]
        return [] if part.file_data is None else [file_part(part.file_data, path, self._notes)]

    def _result(self, said: FunctionResponse, path: str) -> dict[str, object]:
        """Return the result of the call it names, or of the first that is open by that name."""
        found = next((one for one in self._open if said.id == one[0]), None)
        if not said.id:
            found = next((one for one in self._open if said.name == one[1]), None)
        if found is not None:
            self._open.remove(found)
        id_ = said.id or (found[0] if found else f"call_{said.name}")
        told = {"role": "tool", "tool_call_id": id_, "content": self._output(said, path)}
        return told if found and found[1] == said.name else {**told, "name": said.name}

    def _output(self, said: FunctionResponse, path: str) -> object:
        """Return what a function answered: the text under `output` alone, or the JSON of it all."""
        content = _output_of(said.response or {})
        media = [
            self._plain(
                Part(inline_data=part.inline_data, file_data=part.file_data),
                f"{path}.functionResponse.parts[{place}]",
            )
            for place, part in enumerate(said.parts or ())
        ]
        if not any(media):
            return content
        texts = [{"type": "text", "text": content}] if content else []
        listed = texts if isinstance(content, str) else as_list(content)
        return [*listed, *(one for part in media for one in part)]


def _output_of(response: Object) -> str | list[dict[str, object]]:
    output = response.get("output")
    if set(response) != {"output"}:
        return write(response).decode() if response else ""
    if isinstance(output, str):
        return output
    texts = [text for text in as_list(output) if isinstance(text, str) and text]
    if len(texts) > 1 and len(texts) == len(as_list(output)):
        return [{"type": "text", "text": text} for text in texts]
    return write(output).decode()


def _texts(texts: list[str]) -> object:
    return texts[0] if len(texts) == 1 else [{"type": "text", "text": text} for text in texts]
