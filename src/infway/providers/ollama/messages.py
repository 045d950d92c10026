"""Messages of Ollama's chat: a text, pictures beside it, and calls without ids.

https://docs.ollama.com/api/chat. A result names the function it comes from, so results stand in
the order of their calls. Pictures stand behind the text of their message; where text follows a
picture it is another message, as in Ollama's own translation of OpenAI's.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from infway.providers.conversation.parts import (
    CallPart,
    Conversation,
    MediaPart,
    Part,
    ResultPart,
    Said,
    TextPart,
    ThoughtPart,
    cannot_say,
)

Block = dict[str, object]
_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})


def messages_of(talk: Conversation) -> list[Block]:
    """Return the messages; raises UpstreamFailed(untranslatable) for media but pictures."""
    said: list[Block] = []
    order: list[str] = []
    for is_result, group in groupby(talk.messages, lambda one: one.role == "tool"):
        for message in sorted(group, key=lambda one: _place(one, order)) if is_result else group:
            if message.name is not None:
                talk.drop(f"messages[{message.place}].name")
            said += _written(talk, message)
            order = [part.id for part in message.parts if isinstance(part, CallPart)] or order
    return said


def _place(message: Said, order: Sequence[str]) -> int:
    """Return the place of a result's call among the last calls; a stranger comes last."""
    ids = [part.id for part in message.parts if isinstance(part, ResultPart)]
    return next((order.index(id_) for id_ in ids if id_ in order), len(order))


def _written(talk: Conversation, message: Said) -> Iterator[Block]:
    if message.role == "tool":
        for part in message.parts:
            if isinstance(part, ResultPart):
                yield _result(talk, part)
        return
    _drop_markers(talk, message.parts)
    pieces = [_written_piece(talk, message.role, piece) for piece in _pieces(message.parts)]
    thinking = [thought for part in message.parts if (thought := _thought(talk, part))]
    calls = [_call(talk, part) for part in message.parts if isinstance(part, CallPart)]
    if (thinking or calls) and not pieces:
        pieces = [_written_piece(talk, message.role, ())]
    if thinking:
        pieces[0]["thinking"] = "\n\n".join(thinking)
    if calls:
        pieces[-1]["tool_calls"] = calls
    yield from pieces


def _pieces(parts: Iterable[Part]) -> Iterator[list[TextPart | MediaPart]]:
    """Yield the texts and pictures of each message that a message becomes."""
    piece: list[TextPart | MediaPart] = []
    for part in parts:
        if not isinstance(part, TextPart | MediaPart):
            continue
        if isinstance(part, TextPart) and not part.text:
            continue
        if isinstance(part, TextPart) and piece and isinstance(piece[-1], MediaPart):
            yield piece
            piece = []
        piece.append(part)
    if piece:
        yield piece


def _written_piece(talk: Conversation, role: str, parts: Sequence[TextPart | MediaPart]) -> Block:
    texts = [part.text for part in parts if isinstance(part, TextPart)]
    block: Block = {"role": role, "content": "\n".join(text for text in texts if text)}
    images = [_image(talk, part) for part in parts if isinstance(part, MediaPart)]
    return {**block, "images": images} if images else block


def _result(talk: Conversation, part: ResultPart) -> Block:
    _drop_markers(talk, (part, *part.parts))
    block = _written_piece(talk, "tool", part.parts)
    return {**block, "tool_name": part.name} if part.name else block


def _drop_markers(talk: Conversation, parts: Iterable[Part]) -> None:
    """Ollama keeps every prompt in its cache unasked."""
    kinds = (TextPart, MediaPart, ResultPart)
    for part in parts:
        if isinstance(part, kinds) and part.cache is not None:
            talk.drop(f"{part.path}.cache_control")


def _image(talk: Conversation, part: MediaPart) -> str:
    path = part.where
    if part.kind != "image" and not part.media_type.startswith("image/"):
        cannot_say(path, "Ollama takes text and pictures only.")
    if part.data is None:
        cannot_say(path, "Ollama fetches nothing: a picture needs its data.")
    if part.media_type not in _PICTURES:
        cannot_say(path, f"`{part.media_type[:60]}` is no picture that Ollama reads.")
    if part.detail not in (None, "auto"):
        talk.drop(f"{part.where}.detail")
    if part.name is not None:
        talk.drop(f"{part.where}.filename")
    return part.data


def _call(talk: Conversation, part: CallPart) -> Block:
    if part.is_odd:
        talk.drop(f"{part.path}.arguments")
    if part.signature is not None:
        talk.drop(f"{part.path}.extra_content")
    return {"function": {"name": part.name, "arguments": part.arguments}}


def _thought(talk: Conversation, part: Part) -> str:
    """Return a thought that is nobody's format: only such may be any model's."""
    if not isinstance(part, ThoughtPart):
        return ""
    if part.format is None and part.signature is None and part.text:
        return part.text
    talk.drop(part.path)
    return ""
