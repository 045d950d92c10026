"""Requests for no token at all: servers that make one nevertheless, as llama.cpp's does.

OpenAI's answer to `max_tokens: 0` is an empty text, or with `echo` the prompt alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.events import Chunk, Event, Verbatim
from infway.providers.adapter import Adapter, Decoder
from infway.providers.completions.carry import DIALECT
from infway.providers.openai.objects import index_of
from infway.providers.shapes import as_count, as_list, as_text, value_of

_write = msgspec.json.Encoder().encode
_NO_LOGPROBS: Mapping[str, object] = {"logprobs": msgspec.Raw(b"null")}


def is_unanswered(ask: ChatRequest, offer: Offer) -> bool:
    """Tell whether no token is wanted, and no echo that the upstream gives itself."""
    native = ask.native
    if native is None or native.dialect != DIALECT:
        return False
    wants_none = value_of(native.fields.get("max_tokens")) == 0
    return wants_none and (not _is_echo(native.fields) or "echo" in offer.upstream.drop)


class Unanswered:
    """An adapter that takes away what was made, and puts the prompts there where they are wanted."""

    def __init__(self, adapter: Adapter, ask: ChatRequest) -> None:
        self._adapter = adapter
        fields = ask.fields if ask.native is None else ask.native.fields
        prompt = value_of(fields.get("prompt")) if _is_echo(fields) else ""
        self._prompts = [as_text(one) for one in as_list(prompt)] or [as_text(prompt)]
        self._n = max(1, as_count(value_of(ask.fields.get("n"))))
        self.limits = adapter.limits
        self.fault = adapter.fault

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call; the echo that it does not carry is given here."""
        call = self._adapter.request(ask, offer)
        return replace(call, dropped=tuple(name for name in call.dropped if name != "echo"))

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole reply; raises UpstreamFailed where it is none."""
        return self.emptied(self._adapter.whole(body), set())

    def decoder(self) -> Decoder:
        """Return a new decoder."""
        return _Decoder(self._adapter.decoder(), self)

    def emptied(self, events: Sequence[Event], begun: set[int]) -> list[Event]:
        """Return events without what was made. `begun`: the choices that have their prompt."""
        return [
            self._chunk(event, begun) if isinstance(event, Chunk) else event
            for event in events
            if not isinstance(event, Verbatim)
        ]

    def _chunk(self, chunk: Chunk, begun: set[int]) -> Chunk:
        choices = [
            {
                **choice,
                "text": msgspec.Raw(_write(self._text(choice, place, begun))),
                **_NO_LOGPROBS,
            }
            for place, choice in enumerate(chunk.choices)
        ]
        usage = chunk.usage
        if usage is not None:
            usage = usage._replace(completion=0, total=usage.prompt)
        fields = {**chunk.fields, "choices": msgspec.Raw(_write(choices))}
        return chunk._replace(fields=fields, choices=choices, usage=usage)

    def _text(self, choice: Mapping[str, object], place: int, begun: set[int]) -> str:
        index = index_of(choice, place)
        if index in begun:
            return ""
        begun.add(index)
        return self._prompts[min(max(index // self._n, 0), len(self._prompts) - 1)]


class _Decoder:
    """Decodes one stream."""

    def __init__(self, inner: Decoder, kind: Unanswered) -> None:
        self._inner = inner
        self._kind = kind
        self._begun: set[int] = set()

    @property
    def done(self) -> bool:
        """Whether the reply is over."""
        return self._inner.done

    def feed(self, data: bytes) -> list[Event]:
        """Return the events in `data`."""
        return self._kind.emptied(self._inner.feed(data), self._begun)

    def close(self) -> list[Event]:
        """Return what the end of the bytes means."""
        return self._inner.close()


def _is_echo(fields: Mapping[str, object]) -> bool:
    return value_of(fields.get("echo")) is True
