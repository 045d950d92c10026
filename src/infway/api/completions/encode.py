"""Events to text completions: one JSON body, or frames of a stream.

An upstream that continues texts sends the objects themselves, and only what infway owns in them is
written anew. Where a chat carried the prompt they are made of the pieces of its reply.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from infway.api.encode_json import root_of
from infway.api.encode_sse import SseEncoder
from infway.api.errors import broken_object
from infway.api.pieces import Message, messages_of
from infway.api.stamp import Stamp
from infway.kernel.events import (
    Broken,
    Chunk,
    Event,
    Facts,
    Finish,
    Held,
    Joint,
    Piece,
    Raw,
    Reasoning,
    Refusal,
    Text,
    Usage,
    Verbatim,
)
from infway.kernel.faults import Failure
from infway.providers.shapes import as_text, value_of

OBJECT = "text_completion"
_write = msgspec.json.Encoder().encode


class TextStamp(Stamp):
    """The facts of one reply; every object of it has the same name, whatever the upstream's is."""

    def root(self, fields: Mapping[str, object]) -> dict[str, object]:
        """Return the root fields of an upstream's object with those that infway owns."""
        return {**super().root(fields), "object": OBJECT}


class Echo:
    """Lets each choice begin with its prompt; `n` choices in a row have the same one."""

    def __init__(self, prompts: Sequence[str], n: int) -> None:
        self._prompts = prompts
        self._n = n
        self._begun: set[int] = set()

    def before(self, events: Sequence[Event]) -> Iterator[Event]:
        """Yield the events, and the prompt before the first of each choice."""
        for event in events:
            for index in _choices_of(event):
                if index not in self._begun:
                    self._begun.add(index)
                    yield Text(self._prompt(index), index)
            yield event

    def whole(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return the events of a whole reply with the prompts in it."""
        first = events[0]
        if not isinstance(first, Chunk):
            return list(self.before(events))
        choices: list[Mapping[str, object]] = []
        for place, choice in enumerate(first.choices):
            prompt = self._prompt(_index_of(choice, place))
            choices.append({**choice, "text": prompt + as_text(value_of(choice.get("text")))})
        return [first._replace(choices=choices)]

    def _prompt(self, index: int) -> str:
        return self._prompts[min(max(index // self._n, 0), len(self._prompts) - 1)]


class TextEncoder(SseEncoder):
    """Encodes one stream; nothing stands in a choice but text and what infway adds to it."""

    def _piece(self, event: Piece) -> bytes:
        choice = _choice(event)
        return b"" if choice is None else _frame(self._own([choice]))

    def _in_style(self, choice: Mapping[str, object]) -> Mapping[str, object]:
        rest = {name: value for name, value in choice.items() if name != "delta"}
        return {"text": "", "logprobs": None, **rest}

    def _own(self, choices: Sequence[Mapping[str, object]]) -> dict[str, object]:
        return {**super()._own(choices), "object": OBJECT}

    def _broken(self, failure: Failure) -> bytes:
        error = broken_object(failure)
        told = {"code": error["code" if self._flat else "status"], "message": error["message"]}
        choice = {"index": 0, "text": "", "finish_reason": "error", "error": told}
        return _frame({**self._own([choice]), "error": error})


def whole_text(events: Sequence[Event], stamp: TextStamp, end: int) -> dict[str, object]:
    """Return a whole reply but for its usage. `end`: milliseconds from the receipt to now."""
    first = events[0]
    if isinstance(first, Chunk):
        return {**stamp.root(first.fields), "choices": stamp.choices(first, end)}
    choices = [
        {
            **_text_of(message, index),
            **stamp.ending(message.finish or Finish(index, "stop", None), end),
        }
        for index, message in messages_of(events)
    ]
    return {**stamp.root(root_of(events, stamp)), "choices": choices}


def _choices_of(event: Event) -> Sequence[int]:
    """Return the indexes of the choices that an event belongs to."""
    match event:
        case Chunk():
            return [_index_of(choice, place) for place, choice in enumerate(event.choices)]
        case Verbatim():
            return (0,)  # of several choices every frame is read
        case Raw() | Usage() | Facts() | Joint() | Held() | Broken():
            return ()
        case _:
            return (event.index,)


def _index_of(choice: Mapping[str, object], place: int) -> int:
    index = value_of(choice.get("index"))
    return index if isinstance(index, int) else place


def _choice(event: Piece) -> dict[str, object] | None:
    """Return what a stream says of one piece, None where text completions have no place for it."""
    said: dict[str, object] = {"text": "", "index": event.index, "logprobs": None}
    match event:
        case Text() | Refusal():
            said["text"] = event.text
        case Reasoning():
            said["reasoning"] = event.text
        case _:
            return None
    return {**said, "finish_reason": None}


def _text_of(message: Message, index: int) -> dict[str, object]:
    text = "".join((*message.text, *message.refusal))
    said: dict[str, object] = {"text": text, "index": index, "logprobs": None}
    if message.reasoning:
        said["reasoning"] = "".join(message.reasoning)
    return said


def _frame(fields: Mapping[str, object]) -> bytes:
    return b"data: " + _write(fields) + b"\n\n"
