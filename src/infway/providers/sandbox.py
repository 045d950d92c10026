"""Simulated upstreams: replies written in-process, with prices, speeds and error rates of their own.

For a first start without keys, demonstrations and load tests. The dialect is one JSON object a
line: `{"text": "..."}` again and again, then `{"finish": "stop", "usage": {...}}`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

import msgspec

from infway.kernel.chat import ChatRequest, HttpCall, Offer, Scripted
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Broken, Event, Finish, Text, Usage
from infway.kernel.faults import Failure, Fault
from infway.providers.ndjson import LineFramer


@dataclass(frozen=True, slots=True)
class Profile:
    """How a simulated upstream behaves: seconds to the first word, words a second, share of 503s."""

    start: float
    speed: float
    failing: float


PROFILES: Mapping[str, Profile] = {
    "swift": Profile(start=0.08, speed=120, failing=0.0),
    "thrifty": Profile(start=0.45, speed=25, failing=0.02),
    "shaky": Profile(start=0.15, speed=80, failing=0.3),
}
_INSTANT = Profile(start=0.0, speed=float("inf"), failing=0.0)
_HEADERS: Mapping[str, str] = {"content-type": "application/x-ndjson"}


class _Part(msgspec.Struct):
    text: str | None = None


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None


class _Count(msgspec.Struct):
    prompt: int
    completion: int


class _Line(msgspec.Struct):
    text: str | None = None
    finish: str | None = None
    usage: _Count | None = None
    error: str | None = None


_read_messages = msgspec.json.Decoder(list[_Message]).decode
_read_line = msgspec.json.Decoder(_Line).decode
_write = msgspec.json.Encoder().encode


class Sandbox:
    """The adapter of the simulated upstreams."""

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return a call that is played instead of sent; the request id is its chance."""
        name = offer.upstream.chat_url.rpartition("/")[2]
        profile = PROFILES.get(name, _INSTANT)
        chance = Random(f"{ask.id} {offer.id}")  # noqa: S311 - a simulation, not a secret
        script = (
            _fail(profile) if chance.random() < profile.failing else _answer(ask, name, profile)
        )
        return HttpCall(offer.upstream.name, offer.upstream.chat_url, {}, b"", script=script)

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of all lines."""
        decoder = Lines()
        events = decoder.feed(body) + decoder.close()
        for event in events:
            if isinstance(event, Broken):
                raise UpstreamFailed(event.failure)
        return events

    def decoder(self) -> "Lines":
        """Return a new decoder."""
        return Lines()

    def limits(self, headers: Mapping[str, str]) -> None:
        """Know no limits."""

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:  # noqa: ARG002 - the script has but one
        """Name a simulated outage."""
        return Failure(Fault.HTTP_5XX if status != 500 else Fault.HTTP_500, status)


class Lines:
    """Reads lines of JSON, however they are cut."""

    def __init__(self) -> None:
        self.done = False
        self._framer = LineFramer()

    def feed(self, data: bytes) -> list[Event]:
        """Return the events of the lines that are complete."""
        events: list[Event] = []
        for line in self._framer.feed(data):
            if not self.done:
                events += self._read(line)
        return events

    def close(self) -> list[Event]:
        """A reply that did not finish was cut."""
        if self.done:
            return []
        self.done = True
        return [Broken(Failure(Fault.STREAM_CUT, 200))]

    def _read(self, data: bytes) -> list[Event]:
        try:
            line = _read_line(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.done = True
            return [Broken(Failure(Fault.BAD_EVENT, 200))]
        events: list[Event] = []
        if line.text is not None:
            events.append(Text(line.text))
        if line.finish is not None:
            self.done = True
            events.append(Finish(0, "length" if line.finish == "length" else "stop", line.finish))
        if line.usage is not None:
            count = line.usage
            events.append(Usage(count.prompt, count.completion, count.prompt + count.completion))
        return events


def _fail(profile: Profile) -> Scripted:
    body = _write({"error": "simulated outage"})
    return Scripted(503, {"content-type": "application/json"}, ((profile.start, body),))


def _answer(ask: ChatRequest, name: str, profile: Profile) -> Scripted:
    text = (
        f"This is infway's simulated upstream '{name}': no model is behind it, but the routing, "
        f"the streaming and the accounting are real. You said: {_question(ask)}"
    )
    words = re.findall(r"\s*\S+", text)
    kept = words[: ask.output_tokens] if ask.output_tokens else words
    finish = "stop" if len(kept) == len(words) else "length"
    usage = {"prompt": ask.input_tokens, "completion": len(kept)}
    pause = 1 / profile.speed
    pieces = [(profile.start if i == 0 else pause, _line(text=word)) for i, word in enumerate(kept)]
    pieces.append((0.0, _line(finish=finish, usage=usage)))
    return Scripted(200, _HEADERS, tuple(pieces))


def _line(**fields: object) -> bytes:
    return _write(fields) + b"\n"


def _question(ask: ChatRequest) -> str:
    messages = _read_messages(_write(ask.fields.get("messages", [])))
    content = messages[-1].content if messages else None
    if isinstance(content, list):
        content = " ".join(part.text for part in content if part.text)
    return (content or "nothing")[:500]
