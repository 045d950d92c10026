"""Replies of Ollama's chat: every line of a stream is one object, and so is a whole reply.

https://docs.ollama.com/api/chat. Calls come whole; older servers give them no ids.
"""

import re
from collections.abc import Iterator, Mapping

import msgspec

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import (
    Event,
    Finish,
    Image,
    Logprobs,
    Reasoning,
    Text,
    ToolCall,
    Usage,
)
from infway.kernel.faults import Failure, Fault
from infway.providers.ollama.faults import inband_fault
from infway.providers.shapes import write

FINISHES: Mapping[str, str] = {
    "stop": "stop",
    "length": "length",
    "load": "stop",  # nothing was asked, the model was only loaded
    "unload": "stop",
}
# How the base64 of pictures begins
_PICTURES: Mapping[str, str] = {"/9j/": "jpeg", "UklGR": "webp", "R0lGOD": "gif"}
_MOST = 10**9  # tokens of one reply: more than that is a mistake
_NO_DIGIT = re.compile(r"\D")


class _Function(msgspec.Struct):
    name: str = ""
    arguments: dict[str, msgspec.Raw] | str | None = None  # some servers give the text


class _Call(msgspec.Struct):
    id: str | None = None
    function: _Function | None = None


class _Message(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_Call] | None = None
    images: list[str] | None = None


class _Token(msgspec.Struct):
    token: str = ""
    logprob: float = 0.0
    top_logprobs: "list[_Token] | None" = None


class Line(msgspec.Struct):
    """One object of a reply, as far as it is read."""

    message: _Message | None = None
    done: bool = False
    done_reason: str | None = None
    created_at: object = None
    prompt_eval_count: object = None
    eval_count: object = None
    logprobs: list[_Token] | None = None
    error: object = None


_read_line = msgspec.json.Decoder(Line).decode


def read_line(data: bytes, fault: Fault) -> Line:
    """Return an object of a reply; raises UpstreamFailed(`fault`) where it is none."""
    try:
        if not data.isascii():
            data.decode()  # what is kept raw is checked by nobody else
        return _read_line(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamFailed(Failure(fault, 200)) from error


class Reply:
    """Adds up the objects of one reply. `done`: the last one was read."""

    def __init__(self) -> None:
        self.done = False
        self.begun = False
        self._calls = 0

    def read(self, line: Line) -> list[Event]:
        """Return what an object says; raises UpstreamFailed where it is an error."""
        if line.error:
            raise UpstreamFailed(inband_fault(line.error))
        events: list[Event] = []
        message = line.message
        if message is not None:
            if message.thinking:
                events.append(Reasoning(message.thinking))
            if message.content:
                events.append(Text(message.content))
            if message.images or message.tool_calls:
                events += self._more(message, line)
        if line.logprobs:
            events.append(Logprobs([_token(one) for one in line.logprobs]))
        self.begun = self.begun or bool(events)
        return events + self._end(line) if line.done else events

    def _more(self, message: _Message, line: Line) -> Iterator[Event]:
        for data in message.images or ():
            begins = (kind for start, kind in _PICTURES.items() if data.startswith(start))
            yield Image(f"data:image/{next(begins, 'png')};base64,{data}")
        for call in message.tool_calls or ():
            if call.function is not None:
                yield self._call(call.id, call.function, line)

    def _call(self, id_: str | None, function: _Function, line: Line) -> Event:
        position = self._calls
        self._calls += 1
        id_ = id_ or f"call_{position}_{_NO_DIGIT.sub('', str(line.created_at))}"
        return ToolCall(position, _arguments(function.arguments), id_, function.name)

    def _end(self, line: Line) -> list[Event]:
        self.done = True
        reason = FINISHES.get(line.done_reason or "", "stop")
        if reason == "stop" and self._calls:
            reason = "tool_calls"
        usage = _usage(line)
        finish = Finish(0, reason, line.done_reason)
        return [finish] if usage is None else [finish, usage]


def _arguments(said: dict[str, msgspec.Raw] | str | None) -> str:
    """Return the text of an object."""
    return said or "{}" if isinstance(said, str) else write(said or {}).decode()


def _token(said: _Token) -> Mapping[str, object]:
    token: dict[str, object] = {"token": said.token, "logprob": said.logprob}
    token["bytes"] = list(said.token.encode())
    if said.top_logprobs is not None:
        token["top_logprobs"] = [_token(one) for one in said.top_logprobs]
    return token


def _usage(line: Line) -> Usage | None:
    """Return the tokens; a prompt that was cached whole is not counted by older servers."""
    counts = [_count(line.prompt_eval_count), _count(line.eval_count)]
    prompt, completion = (count or 0 for count in counts)
    return None if counts == [None, None] else Usage(prompt, completion, prompt + completion)


def _count(value: object) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= _MOST else None
