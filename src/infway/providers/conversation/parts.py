"""A chat request as translating adapters see it: typed messages, tools and wishes.

`reading.read` makes it from the request's raw fields. What an adapter does not take
is listed as dropped, without its doing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault

_HOLDERS: Mapping[str, str] = {
    "image": "image_url", "audio": "input_audio", "video": "video_url", "file": "file",
}  # fmt: skip


class TextPart(NamedTuple):
    """Text. `cache`: the prompt up to here shall be cached for so long (`5m` or `1h`).

    `path`, here and below: where it stands in the request, as `messages[2].content[1]`.
    """

    text: str
    cache: str | None = None
    path: str = ""


class MediaPart(NamedTuple):
    """An image, a sound, a video or a file. Exactly one of `data`, `url` and `id` is given.

    `kind`: image, audio, video or file. `data` is base64. `media_type` is empty where only an
    address is known. `id`: the name of an uploaded file at its vendor.
    """

    kind: str
    media_type: str
    data: str | None = None
    url: str | None = None
    id: str | None = None
    name: str | None = None
    detail: str | None = None
    cache: str | None = None
    path: str = ""

    @property
    def where(self) -> str:
        """The path of what holds it, as `messages[2].content[1].image_url`."""
        return f"{self.path}.{_HOLDERS[self.kind]}"


class CallPart(NamedTuple):
    """A tool call of an earlier turn. `arguments`: the object; `raw`: the text it was sent as.

    `is_odd`: the text was no JSON object; it stands under the key `arguments` of the object then.
    """

    id: str
    name: str
    arguments: Mapping[str, object]
    raw: str
    is_odd: bool = False
    signature: str | None = None
    path: str = ""


class ResultPart(NamedTuple):
    """What a tool answered. `name`: that of the call it answers, empty where there is none."""

    id: str
    name: str
    parts: tuple["TextPart | MediaPart", ...]
    cache: str | None = None
    path: str = ""


class ThoughtPart(NamedTuple):
    """An item of `reasoning_details` that the caller gives back. `format`: whose it is.

    `kind`: text (with `text` and perhaps `signature`), summary (with `text`) or encrypted (with
    `data`).
    """

    kind: str
    text: str = ""
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    format: str | None = None
    path: str = ""


Part = TextPart | MediaPart | CallPart | ResultPart | ThoughtPart


class Said(NamedTuple):
    """One message. `role`: system, user, assistant or tool. `place`: its index in the request."""

    role: str
    parts: tuple[Part, ...]
    place: int
    name: str | None = None


class Function(NamedTuple):
    """A function the model may call; `parameters` is a JSON schema."""

    name: str
    description: str | None
    parameters: Mapping[str, object] | None
    strict: bool | None = None
    cache: str | None = None

    def object(self) -> dict[str, object]:
        """Return it as OpenAI's dialect and those after its model write it, with some schema."""
        said: dict[str, object] = {"name": self.name}
        if self.description is not None:
            said["description"] = self.description
        said["parameters"] = {"type": "object", **(self.parameters or {"properties": {}})}
        return {"type": "function", "function": said}


class Choice(NamedTuple):
    """Which tools the model has to call. `mode`: auto, none, required or function.

    `name`: the function of the last mode. `allowed`: the only functions that may be called, None
    for all.
    """

    mode: str
    name: str | None = None
    allowed: tuple[str, ...] | None = None


class Format(NamedTuple):
    """The form of the answer. `kind`: json_object or json_schema."""

    kind: str
    name: str = "answer"
    schema: Mapping[str, object] | None = None
    strict: bool | None = None
    description: str | None = None


class Effort(NamedTuple):
    """How much the model shall reason. `level`: none, minimal, low, medium, high, xhigh or max.

    `budget`: in tokens. `level` None and `budget` None: it shall reason as it likes.
    """

    level: str | None = None
    budget: int | None = None


@dataclass(slots=True)
class Conversation:
    """One request. `others`: tools that are no functions, as sent. `fields`: what else was sent.

    `max_tokens` is the limit of the answer under either of its names.
    """

    messages: list[Said]
    tools: list[Function]
    others: list[Mapping[str, object]]
    choice: Choice | None
    parallel: bool | None
    format: Format | None
    effort: Effort | None
    stop: tuple[str, ...]
    max_tokens: int | None
    fields: dict[str, object]
    _drops: dict[str, None] = field(default_factory=dict[str, None])

    def take(self, name: str) -> object:
        """Return a field and count it as carried; None where it was not sent."""
        return self.fields.pop(name, None)

    def drop(self, path: str) -> None:
        """Note that something is not carried: a field's name, or a path such as `messages[1].name`."""
        self._drops[path] = None

    def dropped(self) -> tuple[str, ...]:
        """Return what is not carried: all that was noted, and every field nobody took."""
        return tuple(sorted({*self._drops, *self.fields}))


def cannot_say(path: str, why: str) -> NoReturn:
    """Raise UpstreamFailed: this dialect has no words for something the answer depends on."""
    raise UpstreamFailed(Failure(Fault.UNTRANSLATABLE, message=f"{path}: {why}", param=path))
