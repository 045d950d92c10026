"""What a reply is made of: a closed union of frozen events, the same for JSON and streams.

A whole reply is a short stream of the same events. Events that came in one read travel
together, as one list, and leave in one write.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from infway.kernel.chat import Offer
from infway.kernel.faults import Failure, Fault

FINISH_REASONS = frozenset({"tool_calls", "stop", "length", "content_filter", "error"})


class Verbatim(NamedTuple):
    """Whole SSE frames of the client's own dialect that need no change but their root prefix.

    `block`: the frames as they came, each `data: {...}` and a blank line. `frames`: how many.
    `prefix`: how each of them begins, from `data: ` to before `"choices":`, so that the root
    fields infway owns can be replaced in all of them at once.
    """

    block: bytes
    frames: int
    prefix: bytes


class Raw(NamedTuple):
    """Bytes of the caller's own dialect, as the upstream sent them: whole frames, or a whole body.

    The events that they mean come with them.
    """

    data: bytes


@dataclass(frozen=True, slots=True)
class Finish:
    """A choice ended. `reason` is one of FINISH_REASONS, `native` the upstream's own word."""

    index: int
    reason: str
    native: str | None


WHOLE = Finish(0, "stop", "stop")
"""The end of what has no words to end with: vectors, and work that is no chat."""


class Units(NamedTuple):
    """What work is measured in beside tokens.

    `queries`: searches, as Cohere bills them. `images`: pictures that were made. `characters`:
    that were spoken. `milliseconds`: of sound that was made or heard. `image_input` and
    `image_output` are tokens, parts of a usage's prompt and completion.
    """

    queries: int = 0
    images: int = 0
    characters: int = 0
    milliseconds: int = 0
    image_input: int = 0
    image_output: int = 0


class Usage(NamedTuple):
    """Tokens as the upstream counted them (`estimated`: as infway did, since it said nothing).

    `cached`, `cache_write`, `audio_input`, `image_input` are parts of `prompt`; `reasoning`,
    `audio_output`, `image_output` are parts of `completion`; `cache_write_long` is the part of
    `cache_write` that is kept for an hour, `audio_cached` that of `audio_input` that is `cached`.
    `billed`: the prompt and completion tokens that are paid, where the vendor bills others than it
    counts. `details`: what else the upstream said of its usage, ready for JSON. `units`: what work
    that is no chat is measured in, its pictures' tokens too. `tier`: the service tier that is paid,
    by its name in the prices; none is the usual one.
    """

    prompt: int
    completion: int
    total: int
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    audio_input: int = 0
    audio_output: int = 0
    cache_write_long: int = 0
    billed: tuple[int, int] | None = None
    details: Mapping[str, object] | None = None
    estimated: bool = False
    units: Units | None = None
    image_input: int = 0
    image_output: int = 0
    audio_cached: int = 0
    tier: str = ""


class Chunk(NamedTuple):
    """One object of the client's own dialect whose root was read: a frame that matters, or a body.

    `fields`: root key -> value, either plain or raw JSON that is encoded as it stands. `choices`:
    what stands under that key, one level read.
    `finishes` and `usage` are what was found in it; `content`: it carries part of an answer.
    """

    fields: Mapping[str, object]
    choices: Sequence[Mapping[str, object]] = ()
    finishes: tuple[Finish, ...] = ()
    usage: Usage | None = None
    content: bool = True


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer of choice `index`."""

    text: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of the model's visible reasoning."""

    text: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class Detail:
    """One finished item of the model's reasoning, which the caller gives back in the next turn.

    `item` is one of OpenRouter's `reasoning_details`: `reasoning.text` with `text` and
    `signature`, `reasoning.summary` with `summary`, `reasoning.encrypted` with `data`; each with
    `format` and, where the upstream has one, `id`. Its text was said by `Reasoning` events too.
    """

    item: Mapping[str, object]
    index: int = 0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A piece of a tool call: `id` and `name` come with the first piece, `arguments` in pieces.

    `position` counts the calls of a choice from 0. `signature`: what Gemini wants back with it.
    """

    position: int
    arguments: str
    id: str | None = None
    name: str | None = None
    index: int = 0
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """Where something in the answer comes from, as an item of OpenAI's `annotations`."""

    item: Mapping[str, object]
    index: int = 0


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in the answer: a data URI or an address."""

    url: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class Logprobs:
    """Log probabilities of tokens of the answer, as items of OpenAI's `logprobs.content`."""

    tokens: Sequence[Mapping[str, object]]
    index: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """Root fields that the upstream said of its reply: `service_tier`, `system_fingerprint`."""

    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A piece of the model's refusal to answer."""

    text: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class Broken:
    """The reply cannot go on: always the last event."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Joint:
    """From here on another attempt goes on with the answer: the one before broke off.

    `tactic`: `prefill` or `splice`. `fault`: how it broke off. `choices`: those that have begun.
    """

    offer: Offer
    tactic: str
    fault: Fault
    choices: frozenset[int] = frozenset()


class Held(NamedTuple):
    """Words that came once more and are not passed on: `pieces` of them, `chars` in all."""

    pieces: int
    chars: int


Piece = Text | Reasoning | Detail | ToolCall | Refusal | Annotation | Image | Logprobs
Event = Verbatim | Chunk | Raw | Piece | Facts | Finish | Usage | Joint | Held | Broken


class Vectors(NamedTuple):
    """Embeddings, one for each input, in the order of the inputs: a reply that is no chat.

    `coded` False: each item is a JSON array of numbers, as text. True: each is the base64 of
    little-endian float32 numbers. They are text since most of them are passed on as they came.
    `usage` None: the upstream did not say.
    """

    items: Sequence[bytes]
    coded: bool = False
    usage: Usage | None = None
