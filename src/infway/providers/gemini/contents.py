"""Messages as the `contents` of a Gemini request.

https://ai.google.dev/api/caching#Content. Results of functions stand in contents of their own:
what shares one with them is taken for the model's words.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

from infway.providers.conversation.parts import (
    CallPart,
    Conversation,
    MediaPart,
    Part,
    ResultPart,
    TextPart,
    ThoughtPart,
    cannot_say,
)
from infway.providers.conversation.turns import BEGIN, END, Turn, instructions, turns
from infway.providers.gemini.models import Traits
from infway.providers.shapes import Object, read_object

FORMAT = "google-gemini-v1"
# What Google's documentation gives for calls whose signature is lost, or that no Gemini made
UNSIGNED = "skip_thought_signature_validator"
_NOTHING: Object = {"text": " "}  # an empty text is refused
_TYPES: Mapping[str, str] = {  # of media that are known by an address alone
    "image": "image/jpeg", "audio": "audio/mpeg", "video": "video/mp4", "file": "application/pdf",
}  # fmt: skip
# What may stand inside a result
_INSIDE = frozenset({"image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain"})
_ADDRESSES = ("https://", "http://", "gs://")
_VERTEX_LACKS = frozenset({"toolCall", "toolResponse"})


class Prompt(NamedTuple):
    """The system instruction, empty where there is none, and the contents."""

    system: list[Object]
    contents: list[Object]


def prompt_of(talk: Conversation, traits: Traits, *, vertex: bool) -> Prompt:
    """Return what the model reads; what cannot be said is listed as dropped.

    Raises UpstreamFailed(untranslatable) where it would be another conversation.
    """
    system = _system(talk)
    said = _Contents(talk, traits, vertex=vertex)
    contents = [content for turn in turns(talk) for content in said.of(turn)]
    if contents and contents[-1]["role"] == "model" and not traits.sampled:
        cannot_say(f"messages[{talk.messages[-1].place}]", "this model begins its answers itself.")
    if contents and contents[0]["role"] == "model":
        contents.insert(0, _content("user", [_NOTHING]))
    if system and (not contents or not traits.instructed):
        talk.drop("messages.role")
        marked: list[Object] = [{"text": f"{BEGIN}{part['text']}{END}"} for part in system]
        return Prompt([], [_content("user", marked), *contents])
    return Prompt(system, contents or [_content("user", [_NOTHING])])


def _system(talk: Conversation) -> list[Object]:
    parts = instructions(talk)
    for part in parts:
        if part.cache is not None:
            talk.drop(f"{part.path}.cache_control")
    return [{"text": part.text} for part in parts if part.text]


def _content(role: str, parts: list[Object]) -> Object:
    return {"role": role, "parts": parts}


class _Contents:
    """Turns become contents; losses are noted in the conversation."""

    def __init__(self, talk: Conversation, traits: Traits, *, vertex: bool) -> None:
        self._talk = talk
        self._traits = traits
        self._vertex = vertex

    def of(self, turn: Turn) -> Iterator[Object]:
        """Yield the contents of a turn, none where nothing is left of it."""
        if turn.role == "assistant":
            parts = self._models(turn.parts)
            if parts:
                yield _content("model", parts)
            return
        for is_result, group in groupby(turn.parts, lambda part: isinstance(part, ResultPart)):
            if is_result:
                yield from self._results(list(group))
            else:
                parts = [said for part in group for said in self._plain(part)]
                if parts:
                    yield _content("user", parts)

    def _models(self, parts: list[Part]) -> list[Object]:
        """Return the model's own parts. The first call of them must be signed."""
        said: list[Object] = []
        signatures: list[ThoughtPart] = []  # of texts that follow
        signed = {part.id for part in parts if isinstance(part, CallPart) and part.signature}
        unsigned = self._traits.signed
        for part in parts:
            match part:
                case ThoughtPart():
                    if _signs_text(part):
                        signatures.append(part)
                    elif not (_is_ours(part) and part.id in signed):
                        said += self._thought(part)
                case CallPart():
                    said.append(self._call(part, UNSIGNED if unsigned else None))
                    unsigned = False
                case _:
                    plain = self._plain(part)
                    if plain and signatures and isinstance(part, TextPart):
                        plain = [{**plain[0], "thoughtSignature": signatures.pop(0).data or ""}]
                    said += plain
        for part in signatures:
            self._talk.drop(part.path)
        return said

    def _thought(self, part: ThoughtPart) -> list[Object]:
        if _is_ours(part) and part.text and part.kind != "encrypted":
            thought: dict[str, object] = {"text": part.text, "thought": True}
            return [thought | ({"thoughtSignature": part.signature} if part.signature else {})]
        if _is_ours(part) and _is_native(part):
            return self._native(part)
        self._talk.drop(part.path)
        return []

    def _native(self, thought: ThoughtPart) -> list[Object]:
        """Return a part of Google's own tools as it came, where the tools are still there."""
        part = read_object((thought.data or "").encode(errors="replace"))
        if part and self._talk.others and not (self._vertex and part.keys() & _VERTEX_LACKS):
            return [part]
        self._talk.drop(thought.path)
        return []

    def _call(self, part: CallPart, stand_in: str | None) -> Object:
        if part.is_odd:
            self._talk.drop(f"{part.path}.arguments")
        call = {"id": part.id, "name": part.name, "args": part.arguments}
        signature = part.signature or stand_in
        return {"functionCall": call} | ({"thoughtSignature": signature} if signature else {})

    def _results(self, parts: list[Part]) -> Iterator[Object]:
        """Yield the results of one turn in one content, and what has no place in them after it."""
        beside: list[Object] = []
        said = [self._result(part, beside) for part in parts if isinstance(part, ResultPart)]
        yield _content("user", said)
        if beside:
            yield _content("user", beside)

    def _result(self, part: ResultPart, beside: list[Object]) -> Object:
        """Return a result; media that cannot be in it go to `beside`, between marks."""
        if part.cache is not None:
            self._talk.drop(f"{part.path}.cache_control")
        name = part.name or part.id or "function"
        texts = [one.text for one in part.parts if isinstance(one, TextPart)]
        inside: list[Object] = []
        for one in part.parts:
            if isinstance(one, MediaPart):
                media = self._media(one)
                if self._traits.mixed and _type_of(one) in _INSIDE:
                    inside.append(media)
                else:
                    tag = f'<result of="{name}" id="{part.id}">'
                    beside += [{"text": tag}, media, {"text": "</result>"}]
            else:
                self._note_cache(one)
        output = texts[0] if len(texts) == 1 else texts
        result = {"id": part.id, "name": name, "response": {"output": output or ""}}
        return {"functionResponse": result | ({"parts": inside} if inside else {})}

    def _plain(self, part: Part) -> list[Object]:
        """Return text or media; an empty text is refused, and says nothing."""
        if isinstance(part, TextPart):
            self._note_cache(part)
            return [{"text": part.text}] if part.text else []
        return [self._media(part)] if isinstance(part, MediaPart) else []

    def _media(self, part: MediaPart) -> Object:
        self._note_cache(part)
        if part.name:
            self._talk.drop(f"{part.where}.filename")
        if part.detail not in (None, "auto"):
            self._talk.drop(f"{part.where}.detail")
        if part.data is not None:
            return {"inlineData": {"mimeType": _type_of(part), "data": part.data}}
        address = part.url or part.id or ""
        if not address.startswith(_ADDRESSES):
            path = f"{part.where}.file_id" if part.id else part.where
            cannot_say(path, "Gemini reads files from http(s) and gs addresses.")
        return {"fileData": {"mimeType": _type_of(part), "fileUri": address}}

    def _note_cache(self, part: TextPart | MediaPart) -> None:
        if part.cache is not None:
            self._talk.drop(f"{part.path}.cache_control")


def _type_of(part: MediaPart) -> str:
    return part.media_type or _TYPES.get(part.kind, "application/octet-stream")


def _is_ours(part: ThoughtPart) -> bool:
    return (part.format or "").startswith("google")


def _is_native(part: ThoughtPart) -> bool:
    """Tell whether an item holds a part of Google's own tools."""
    return (part.data or "").startswith("{")


def _signs_text(part: ThoughtPart) -> bool:
    """Tell whether an item is the signature of a text: it names no call and is no part."""
    is_hidden = _is_ours(part) and part.kind == "encrypted" and bool(part.data)
    return is_hidden and not part.id and not _is_native(part)
