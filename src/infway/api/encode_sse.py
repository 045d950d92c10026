"""Events to server-sent event frames: `data: {...}`, a blank line, and `data: [DONE]` last."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from infway.api.dialect import usage_object
from infway.api.errors import broken_object, error_object
from infway.api.pieces import delta_of, logprobs_of
from infway.api.stamp import Stamp, rescue_fields
from infway.kernel.errors import GatewayError
from infway.kernel.events import (
    Broken,
    Chunk,
    Event,
    Facts,
    Finish,
    Held,
    Joint,
    Logprobs,
    Piece,
    Raw,
    Text,
    Usage,
    Verbatim,
)
from infway.kernel.faults import Failure

DONE = b"data: [DONE]\n\n"

_Fields = dict[str, msgspec.Raw]
_NOTHING: Mapping[str, object] = {}
_read_fields = msgspec.json.Decoder(_Fields).decode
_read_choices = msgspec.json.Decoder(list[_Fields]).decode
_write = msgspec.json.Encoder().encode


class SseEncoder:
    """Encodes one stream. `usage_chunk`: usage comes in a last chunk of its own, with no choices.

    Otherwise the finish chunk is held back for the usage that follows it, and carries it.
    `elapsed`: milliseconds since the receipt of the request.
    """

    def __init__(
        self, stamp: Stamp, elapsed: Callable[[], int], *, flat: bool, usage_chunk: bool
    ) -> None:
        self._stamp = stamp
        self._elapsed = elapsed
        self._flat = flat
        self._usage_chunk = usage_chunk
        self._old = b""
        self._new = b""
        self._held: dict[str, object] | None = None
        self._tail: Mapping[str, object] = {}
        self._usage: Usage | None = None
        self._begun: set[int] = set()
        self._facts: dict[str, object] = {}
        self._text_head = b""
        self._rescued: Mapping[str, object] = _NOTHING

    def encode(self, events: Sequence[Event]) -> bytes:
        """Return the frames of `events`."""
        if len(events) == 1 and isinstance(events[0], Verbatim) and not self._stamp.text:
            return self._flush() + self._verbatim(events[0])
        return b"".join([self._one(event) for event in events])

    def _one(self, event: Event) -> bytes:
        match event:
            case Raw() | Held() | Usage() | Facts() | Joint():
                self._note(event)
                return b""
            case Verbatim():
                frames = self._as_text(event) if self._stamp.text else self._verbatim(event)
            case Chunk():
                return self._chunk(event)
            case Broken():
                frames = self._broken(event.failure)
            case Finish():
                choice: dict[str, object] = {"index": event.index, "delta": _NOTHING}
                choice |= self._stamp.ending(event, self._elapsed())
                return self._finished(self._own([self._in_style(choice)]))
            case _:
                frames = self._piece(event)
        return self._flush() + frames

    def _note(self, event: Raw | Held | Usage | Facts | Joint) -> None:
        """Take what is written later, or not at all."""
        if isinstance(event, Usage):
            self._usage = event
        elif isinstance(event, Facts):
            self._facts |= event.fields
            self._text_head = b""
        elif isinstance(event, Joint):
            self._join(event)

    def _join(self, joint: Joint) -> None:
        """Go on with what another offer says; the last chunk tells of it."""
        before = self._stamp.offer
        self._stamp = self._stamp._replace(offer=joint.offer)
        self._begun |= joint.choices
        self._text_head = b""
        self._usage = None
        self._rescued = rescue_fields(before, joint)

    def _verbatim(self, event: Verbatim) -> bytes:
        if event.prefix is not self._old:
            self._learn(event.prefix)
        return event.block.replace(self._old, self._new)

    def _learn(self, prefix: bytes) -> None:
        """Work out how a frame begins once the root fields infway owns are in it."""
        fields = _read_fields(prefix[6:] + b'"choices":[]}')
        del fields["choices"]
        self._old = prefix
        self._new = b"data: " + _write(self._stamp.root(fields))[:-1] + b","

    def _as_text(self, event: Verbatim) -> bytes:
        blocks = event.block.split(b"\n\n")
        read = [_read_fields(block[6:]) for block in blocks if block]
        chunks = [Chunk(fields, _read_choices(fields["choices"])) for fields in read]
        return b"".join([self._chunk(chunk) for chunk in chunks])

    def _chunk(self, event: Chunk) -> bytes:
        fields = self._stamp.root(event.fields)
        if event.usage is not None:
            self._usage = event.usage
            fields.pop("usage", None)
        if not event.content:
            self._tail = fields
            return b""
        if event.finishes or self._stamp.text:
            end = self._elapsed()
            fields["choices"] = self._stamp.choices(event, end)
        return self._finished(fields) if event.finishes else self._flush() + _frame(fields)

    def _finished(self, fields: dict[str, object]) -> bytes:
        before = self._flush()
        if self._usage_chunk:
            return before + _frame(fields)
        self._held = fields
        return before

    def _flush(self) -> bytes:
        """Let the held finish chunk go: something else came after it."""
        if self._held is None:
            return b""
        held, self._held = self._held, None
        return _frame(held)

    def _piece(self, event: Piece) -> bytes:
        """Return one chunk of a translated stream."""
        index = event.index
        if index in self._begun and isinstance(event, Text) and not self._stamp.text and not index:
            return self._text_frame(event.text)
        delta = delta_of(event)
        if index not in self._begun:
            self._begun.add(index)
            delta = {"role": "assistant", **delta}
        choice: dict[str, object] = {"index": index, "delta": delta, "finish_reason": None}
        if isinstance(event, Logprobs):
            choice["logprobs"] = logprobs_of(event.tokens)
        return _frame(self._own([self._in_style(choice)]))

    def _text_frame(self, text: str) -> bytes:
        """Return the most frequent chunk of all, a piece of text of the first choice."""
        if not self._text_head:
            root = _write(self._own(()))
            self._text_head = (
                b"data: " + root[: root.rindex(b"[")] + b'[{"index":0,"delta":{"content":'
            )
        return self._text_head + _write(text) + b'},"finish_reason":null}]}\n\n'

    def _in_style(self, choice: Mapping[str, object]) -> Mapping[str, object]:
        return self._stamp.plain(choice) if self._stamp.text else choice

    def _own(self, choices: Sequence[Mapping[str, object]]) -> dict[str, object]:
        return {
            "id": self._stamp.id,
            "object": "chat.completion.chunk",
            "created": self._stamp.created,
            "model": self._stamp.offer.model,
            **self._facts,
            "choices": choices,
        }

    def _broken(self, failure: Failure) -> bytes:
        error = broken_object(failure)
        return _error_frame(self._own([]), error, flat=self._flat, text=self._stamp.text)

    def close(self, usage: Usage, extras: Mapping[str, object]) -> bytes:
        """Return what ends a whole stream: usage where it belongs, then the sentinel."""
        if self._rescued:
            self._usage = None  # what one part of the answer used is not what all of it did
        told = usage_object(self._usage or usage, flat=self._flat)
        extras = {**extras, **self._rescued}
        if self._usage_chunk:
            root: dict[str, object] = {**self._own(()), **self._tail, "choices": ()}
            return self._flush() + _frame({**root, "usage": told, **extras}) + DONE
        if self._held is not None:
            self._held |= {"usage": told, **extras}
        return self._flush() + DONE


def late_error(error: GatewayError, root: Mapping[str, object], *, flat: bool, text: bool) -> bytes:
    """Return what ends a stream whose head was sent before anything could answer."""
    return _error_frame(root, error_object(error), flat=flat, text=text) + DONE


def _error_frame(
    root: Mapping[str, object], error: Mapping[str, object], *, flat: bool, text: bool
) -> bytes:
    """Return the terminal error: only a top-level `error` makes the OpenAI SDK raise."""
    said = {"text": ""} if text else {"delta": {"content": ""}}
    told = {"code": error["code" if flat else "status"], "message": error["message"]}
    choice = {"index": 0, **said, "finish_reason": "error", "error": told}
    return _frame({**root, "choices": [choice], "error": error})


def _frame(fields: Mapping[str, object]) -> bytes:
    return b"data: " + _write(fields) + b"\n\n"
