"""Usage of several choices, where a server counts each by itself: llama.cpp's.

https://github.com/ggml-org/llama.cpp/tree/master/tools/server. A whole reply of it has the usage
of the first choice alone; the others are estimated from that one. A stream has a usage for each
choice, and their sum is exact. `timings` beside the usage tells that it is of one choice.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.events import Chunk, Event, Usage
from infway.providers.adapter import Adapter, Decoder
from infway.providers.shapes import as_count, as_list, as_object, as_text, value_of

_MESSAGE = 33  # bytes of a message around its text


class Wanted(NamedTuple):
    """What one request asks for at once: `n` choices for each text.

    `sizes`: of the texts, in tokens where they are lists of ids (`exact`), else in characters; one
    of a chat. `most`: tokens of one choice, where the request says so.
    """

    n: int
    sizes: tuple[int, ...] = (1,)
    exact: bool = False
    most: int | None = None

    @property
    def choices(self) -> int:
        """How many choices there will be."""
        return self.n * len(self.sizes)


def wanted_of(ask: ChatRequest) -> Wanted | None:
    """Return what a request asks for, None where that is a single choice."""
    native = ask.native
    prompt = None if native is None else native.fields.get("prompt")
    if prompt is None and "n" not in ask.fields:
        return None
    n = max(1, as_count(value_of(ask.fields.get("n"))))
    is_list = isinstance(prompt, msgspec.Raw) and bytes(prompt).startswith(b"[")
    prompts = as_list(value_of(prompt)) if is_list else []
    if all(isinstance(one, int) for one in prompts):
        return Wanted(n, most=ask.output_tokens) if n > 1 else None
    sizes = tuple(len(one) if isinstance(one, str) else len(as_list(one)) for one in prompts)
    exact = not any(isinstance(one, str) for one in prompts)
    wanted = Wanted(n, sizes, exact, ask.output_tokens)
    return wanted if wanted.choices > 1 else None


class Summed:
    """An adapter whose usage is that of all choices of one request."""

    def __init__(self, adapter: Adapter, wanted: Wanted) -> None:
        self._adapter = adapter
        self._wanted = wanted
        self.limits = adapter.limits
        self.fault = adapter.fault

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call."""
        return self._adapter.request(ask, offer)

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole reply; raises UpstreamFailed where it is none."""
        return [_estimated(event, self._wanted) for event in self._adapter.whole(body)]

    def decoder(self) -> Decoder:
        """Return a new decoder."""
        return _Decoder(self._adapter.decoder(), self._wanted)


class _Decoder:
    """Adds up the usage of choices; it is an estimate until each has told its own."""

    def __init__(self, inner: Decoder, wanted: Wanted) -> None:
        self._inner = inner
        self._wanted = wanted
        self._counts: dict[int, Usage] = {}
        self._last = 0  # the choice that ended last: a usage without a choice is its

    @property
    def done(self) -> bool:
        """Whether the reply is over."""
        return self._inner.done

    def feed(self, data: bytes) -> list[Event]:
        """Return the events in `data`."""
        return [self._summed(event) for event in self._inner.feed(data)]

    def close(self) -> list[Event]:
        """Return what the end of the bytes means."""
        return self._inner.close()

    def _summed(self, event: Event) -> Event:
        if not isinstance(event, Chunk):
            return event
        for finish in event.finishes:
            self._last = finish.index
        if event.usage is None or not _is_of_one(event, event.usage):
            return event
        self._counts[self._last] = event.usage
        return event._replace(usage=self._sum(event.usage))

    def _sum(self, one: Usage) -> Usage:
        """Return the counts of all; a prompt is read once for all its choices."""
        by_prompt = {index // self._wanted.n: usage for index, usage in self._counts.items()}
        prompt = sum(usage.prompt for usage in by_prompt.values())
        completion = sum(usage.completion for usage in self._counts.values())
        cached = sum(usage.cached for usage in by_prompt.values())
        is_open = len(self._counts) < self._wanted.choices
        return _told(one._replace(cached=cached, estimated=is_open), prompt, completion)


def _estimated(event: Event, wanted: Wanted) -> Event:
    """Return a whole reply with its usage brought from the first choice to all of them."""
    usage = event.usage if isinstance(event, Chunk) else None
    if usage is None or not isinstance(event, Chunk) or not _is_of_one(event, usage):
        return event
    completion = _made(event, usage.completion, wanted.most)
    others = wanted.sizes[1:]
    if not wanted.exact:
        others = tuple(_scaled(usage.prompt, wanted.sizes))
    prompt = usage.prompt + sum(others)
    return event._replace(usage=_told(usage._replace(estimated=True), prompt, completion))


def _is_of_one(chunk: Chunk, usage: Usage) -> bool:
    """Tell whether a usage is of one choice: that which the timings beside it are of."""
    timings = as_object(value_of(chunk.fields.get("timings")))
    made = timings.get("predicted_n")
    return isinstance(made, int) and made == usage.completion


def _made(chunk: Chunk, first: int, most: int | None) -> int:
    """Return about how many tokens all choices have, where the first has `first`.

    `most`: of one choice. Where the first was cut by the limit, its tokens are the limit of all.
    """
    cut = {finish.index for finish in chunk.finishes if finish.reason == "length"}
    lengths = [_length(choice) for choice in chunk.choices]
    limit = first if 0 in cut else most
    others = enumerate(_scaled(first, lengths), 1)
    if limit is None:
        return first + sum(count for _, count in others)
    return first + sum(limit if index in cut else min(count, limit) for index, count in others)


def _scaled(tokens: int, lengths: Sequence[int]) -> list[int]:
    """Return the tokens of the other texts by those of the first, none of one that is empty."""
    first, *others = lengths
    rate = tokens / first if first and tokens else 0.25  # four characters are about one token
    return [max(1, round(length * rate)) if length else 0 for length in others]


def _length(choice: Mapping[str, object]) -> int:
    """Return about how many characters a choice says."""
    if "text" in choice:
        return len(as_text(value_of(choice["text"])))
    message = choice.get("message")
    return max(0, len(bytes(message)) - _MESSAGE) if isinstance(message, msgspec.Raw) else 0


def _told(usage: Usage, prompt: int, completion: int) -> Usage:
    """Return a usage with other sums, and details that agree with it."""
    details = usage.details
    if details is not None and "prompt_tokens_details" in details:
        details = {**details, "prompt_tokens_details": {"cached_tokens": usage.cached}}
    total = prompt + completion
    return usage._replace(prompt=prompt, completion=completion, total=total, details=details)
