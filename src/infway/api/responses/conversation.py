"""Items of the input as the messages of a chat.

Items of an assistant that stand together are one message: its reasoning, its text, its calls. A
new one begins where reasoning, or a second text, follows a text that no call has followed.
"""

from collections.abc import Callable, Mapping, Sequence

from infway.api.responses.checks import checked
from infway.api.responses.parts import chat_content
from infway.api.responses.schema import CallItem, MessageItem, ReasoningItem, ResultItem
from infway.kernel.errors import CallerError
from infway.providers.responses.input import FORMAT
from infway.providers.responses.sealed import is_sealed, unsealed
from infway.providers.shapes import as_list, as_objects

Item = dict[str, object]
Chat = dict[str, object]
# What a model did with a server's own tool, and what no other model needs to know to go on
_ASIDES = frozenset({"web_search_call", "file_search_call", "mcp_list_tools", "compaction_trigger"})
_GOOGLE = "google"


class _Answer:
    """What an assistant said in one turn."""

    def __init__(self) -> None:
        self.content: object = None
        self.details: list[Mapping[str, object]] = []
        self.thoughts: list[str] = []
        self.calls: list[Chat] = []

    def message(self) -> Chat:
        """Return the message of a chat: signatures of calls stand at the calls."""
        message: Chat = {"role": "assistant"}
        details = [item for item in self.details if not self._sign(item)]
        if details:
            message["reasoning_details"] = details
        if self.thoughts:
            message["reasoning_content"] = "\n\n".join(self.thoughts)
        if self.content is not None or not self.calls:
            message["content"] = _plain(self.content) or ""
        if self.calls:
            message["tool_calls"] = self.calls
        return message

    def _sign(self, item: Mapping[str, object]) -> bool:
        """Give a call its signature; tell whether the detail was one."""
        if _GOOGLE not in str(item.get("format")) or not item.get("data"):
            return False
        for call in self.calls:
            if call["id"] == item.get("id"):
                call["extra_content"] = {"google": {"thought_signature": item["data"]}}
                return True
        return False


class Conversation:
    """Messages so far. `needs`, `lost`: the paths of what no chat can say, and of what it is spared."""

    def __init__(self, instructions: str | None) -> None:
        self.needs: dict[str, None] = {}
        self.lost: dict[str, None] = {}
        self._said: list[Chat | _Answer] = []
        self._open: _Answer | None = None
        if instructions:
            self._said.append({"role": "system", "content": instructions})

    def say(self, items: Sequence[Item], path: str = "input") -> None:
        """Take items; raises CallerError with the path of the field that is wrong."""
        for place, item in enumerate(items):
            self._item(item, f"{path}[{place}]")

    def messages(self) -> list[Chat]:
        """Return the messages of a chat."""
        return [one.message() if isinstance(one, _Answer) else one for one in self._said]

    def _item(self, item: Item, path: str) -> None:
        kind = kind_of(item)
        read = _ITEMS.get(kind)
        if read is not None:
            read(self, item, path)
        elif not kind:
            raise CallerError(
                400, "missing_required_field", f"{path}.type is required.", f"{path}.type"
            )
        elif kind in _ASIDES:
            self.lost[f"{path}.type"] = None
        else:
            self.need(f"{path}.type")

    def need(self, path: str) -> None:
        """Note what only upstreams that speak Responses understand."""
        self.needs[path] = None

    def message(self, item: Item, path: str) -> None:
        """Take a message."""
        said = checked(MessageItem, item, path)
        content = chat_content(said.content, f"{path}.content", self.need)
        if said.role != "assistant":
            self._open = None
            self._said.append({"role": said.role, "content": content})
            return
        answer = self._answer(fresh=self._is_told())
        before = answer.content
        answer.content = [*_parts(before), *_parts(content)] if before else content

    def reasoning(self, item: Item, path: str) -> None:
        """Take what the model thought: sealed by infway, encrypted by OpenAI, or plain text."""
        said = checked(ReasoningItem, item, path)
        summary = [part.text for part in said.summary or ()]
        texts = [part.text for part in said.content or ()]
        answer = self._answer(fresh=self._is_told() and bool(summary or texts))
        data = said.encrypted_content
        if data and is_sealed(data):
            answer.details += unsealed(data)
        elif data:
            known = {"format": FORMAT, **({"id": said.id} if said.id else {})}
            answer.details += [
                {"type": "reasoning.summary", "summary": text, **known} for text in summary
            ]
            answer.details.append({"type": "reasoning.encrypted", "data": data, **known})
        else:
            answer.thoughts += texts or summary

    def call(self, item: Item, path: str) -> None:
        """Take a call of a function."""
        said = checked(CallItem, item, path)
        function = {"name": said.name, "arguments": said.arguments}
        call: Chat = {"id": said.call_id, "type": "function", "function": function}
        self._answer(fresh=False).calls.append(call)

    def result(self, item: Item, path: str) -> None:
        """Take what a function answered."""
        said = checked(ResultItem, item, path)
        self._open = None
        content = chat_content(said.output, f"{path}.output", self.need)
        self._said.append({"role": "tool", "tool_call_id": said.call_id, "content": content})

    def _answer(self, *, fresh: bool) -> _Answer:
        """Return the assistant's turn that goes on, a new one where there is none."""
        if self._open is None or fresh:
            self._open = _Answer()
            self._said.append(self._open)
        return self._open

    def _is_told(self) -> bool:
        """Tell whether the turn that goes on has a text, and no call has followed it."""
        turn = self._open
        return turn is not None and turn.content is not None and not turn.calls


def kind_of(item: Mapping[str, object]) -> str:
    """Return the kind of an item, which messages and references may leave out; empty for none."""
    kind = item.get("type")
    if isinstance(kind, str) and kind:
        return kind
    if "role" in item:
        return "message"
    return "item_reference" if isinstance(item.get("id"), str) else ""


def _plain(content: object) -> object:
    """Return a single text as such, which servers know that know no parts of answers."""
    parts = as_objects(content)
    is_single = len(parts) == 1 and parts[0].keys() == {"type", "text"}
    return parts[0]["text"] if is_single else content


def _parts(content: object) -> list[object]:
    return as_list(content) or [{"type": "text", "text": content}]


_ITEMS: Mapping[str, Callable[[Conversation, Item, str], None]] = {
    "message": Conversation.message,
    "reasoning": Conversation.reasoning,
    "function_call": Conversation.call,
    "function_call_output": Conversation.result,
}
