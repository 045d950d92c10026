"""Messages of a Messages request as messages of a chat.

What tools answered stands in messages of its own there, and what the model thought in
`reasoning_details`: signed by Claude as it came, by others as it was wrapped.
"""

from infway.api.anthropic.notes import Notes, read_as, type_of
from infway.api.anthropic.parts import Part, block_parts, content_of, parts_of, text_part
from infway.api.anthropic.schema import (
    CountTokensBody,
    MessageBody,
    RedactedBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from infway.providers.anthropic.messages import FORMAT
from infway.providers.anthropic.wrapped import unwrap
from infway.providers.shapes import as_objects, write

Message = dict[str, object]
Block = dict[str, object]
_CALL = frozenset({"type", "id", "name", "input", "caller"})
_RESULT = frozenset({"type", "tool_use_id", "content", "cache_control"})
_THOUGHTS = frozenset({"thinking", "redacted_thinking"})


def chat_messages(body: CountTokensBody, notes: Notes) -> list[Message]:
    """Return the conversation; raises CallerError with the path of what is wrong in it."""
    said = _system(body.system, notes)
    for place, message in enumerate(body.messages):
        content, path = message.content, f"messages[{place}].content"
        if isinstance(content, str):
            said.append({"role": message.role, "content": content})
        elif message.role == "assistant":
            said += _assistant(content, path, notes)
        else:
            said += _told(message, content, path, notes)
    if body.cache_control:
        _mark_last(said, body.cache_control, notes)
    return said


def _system(system: str | list[Block] | None, notes: Notes) -> list[Message]:
    if not system:
        return []
    content = system if isinstance(system, str) else content_of(parts_of(system, "system", notes))
    return [{"role": "system", "content": content}] if content else []


def _told(message: MessageBody, blocks: list[Block], path: str, notes: Notes) -> list[Message]:
    """Return what a user or the system says, after what the tools answered."""
    said: list[Message] = []
    parts: list[Part] = []
    for place, block in enumerate(blocks):
        where = f"{path}[{place}]"
        if type_of(block, where) == "tool_result":
            said.append(_result(block, where, notes))
        else:
            parts += block_parts(block, where, notes)
    if parts or not said:
        said.append({"role": message.role, "content": content_of(parts)})
    return said


def _result(block: Block, path: str, notes: Notes) -> Message:
    result = read_as(ToolResultBlock, block, path)
    notes.lose_others(path, block, _RESULT)
    content = result.content
    parts = parts_of(content, f"{path}.content", notes) if isinstance(content, list) else []
    message: Message = {
        "role": "tool",
        "tool_call_id": result.tool_use_id,
        "content": content if isinstance(content, str) else content_of(parts) if parts else "",
    }
    if block.get("cache_control"):
        message["cache_control"] = block["cache_control"]
    return message


class _Answer:
    """One message of the assistant as a chat says it: thoughts, then texts, then calls."""

    def __init__(self) -> None:
        self.thoughts: list[dict[str, object]] = []
        self.parts: list[Part] = []
        self.calls: list[dict[str, object]] = []

    def message(self) -> Message:
        message: Message = {"role": "assistant", "content": content_of(self.parts) or None}
        if self.calls:
            message["tool_calls"] = self.calls
        elif not self.parts:
            message["content"] = ""
        signed = [thought for thought in self.thoughts if "format" in thought]
        if signed:
            message["reasoning_details"] = self.thoughts
        elif self.thoughts:
            message["reasoning_content"] = "".join(str(one["text"]) for one in self.thoughts)
        return message


def _assistant(blocks: list[Block], path: str, notes: Notes) -> list[Message]:
    """Return what the model said; thoughts after a text begin another message."""
    answers = [_Answer()]
    for place, block in enumerate(blocks):
        where, answer = f"{path}[{place}]", answers[-1]
        kind = type_of(block, where)
        if kind == "tool_use":
            answer.calls.append(_call(block, where, notes))
            continue
        thoughts = _thoughts(kind, block, where, notes)
        if answer.calls and (kind not in _THOUGHTS or any("id" not in one for one in thoughts)):
            notes.lose(f"{path}.order")  # chats say texts before calls
        elif kind in _THOUGHTS and answer.parts:
            answer = _Answer()
            answers.append(answer)
        answer.thoughts += thoughts
        if kind not in _THOUGHTS:
            answer.parts += block_parts(block, where, notes)
    return [answer.message() for answer in answers]


def _call(block: Block, path: str, notes: Notes) -> dict[str, object]:
    call = read_as(ToolUseBlock, block, path)
    notes.lose_others(path, block, _CALL)
    if block.get("caller") not in (None, {"type": "direct"}):
        notes.lose(f"{path}.caller")
    function = {"name": call.name, "arguments": write(call.input).decode()}
    return {"id": call.id, "type": "function", "function": function}


def _thoughts(kind: str, block: Block, path: str, notes: Notes) -> list[dict[str, object]]:
    """Return a thought as items of `reasoning_details`: those it was made of, where it was wrapped.

    One that nobody signed has no format.
    """
    if kind == "redacted_thinking":
        data = read_as(RedactedBlock, block, path).data
        item: dict[str, object] = {"type": "reasoning.encrypted", "data": data, "format": FORMAT}
        wrapped = unwrap(data)
    elif kind == "thinking":
        thought = read_as(ThinkingBlock, block, path)
        item = {"type": "reasoning.text", "text": thought.thinking}
        if thought.signature:
            item |= {"signature": thought.signature, "format": FORMAT}
        wrapped = unwrap(thought.signature or "")
    else:
        return []
    if wrapped == []:
        notes.lose(f"{path}.{kind}")  # somebody changed what was wrapped
    return [item] if wrapped is None else wrapped


def _mark_last(said: list[Message], marker: dict[str, object], notes: Notes) -> None:
    """Mark the end of the conversation as the end of what shall be cached, where nothing is."""
    last = said[-1]
    content = last.get("content")
    if last["role"] == "tool":
        last.setdefault("cache_control", marker)
    elif isinstance(content, str) and content:
        last["content"] = [{**text_part(content), "cache_control": marker}]
    elif as_objects(content):
        as_objects(content)[-1].setdefault("cache_control", marker)
    else:
        notes.lose("cache_control")
