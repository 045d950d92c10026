"""Messages of Cohere's v2 chat: they keep their roles and their places.

https://docs.cohere.com/reference/chat
"""

from collections.abc import Iterator, Sequence

from infway.providers.cohere.models import Traits
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
from infway.providers.conversation.turns import BEGIN, END
from infway.providers.shapes import write

Block = dict[str, object]
_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
_DETAILS = frozenset({"auto", "low", "high"})


def messages_of(talk: Conversation, traits: Traits) -> list[Block]:
    """Return the messages. The last word is the user's, or a tool's.

    Raises UpstreamFailed(untranslatable) where it is the assistant's, and for media but pictures.
    """
    for message in talk.messages:
        _list_losses(talk, message)
    said: list[Block] = []
    for message in _ending_with_the_user(talk):
        said += _written(talk, message, traits)
    if not said or said[-1]["role"] != "assistant":
        return said
    if talk.messages[-1].role == "assistant":
        cannot_say("messages", "Cohere's models do not go on with an assistant's message.")
    return [*said, {"role": "user", "content": ""}]  # whoever came last said nothing


def _ending_with_the_user(talk: Conversation) -> Sequence[Said]:
    """Return the messages; where the system has the last word, the user says it between marks.

    So does the user then with every word of the system but those before all others.
    """
    spoken = [one.role for one in talk.messages if any(_says(part) for part in one.parts)]
    if spoken[-1:] != ["system"]:
        return talk.messages
    talk.drop(f"messages[{talk.messages[-1].place}].role")
    others = [place for place, one in enumerate(talk.messages) if one.role != "system"]
    first = others[0] if others else 0
    return talk.messages[:first] + [_by_the_user(one) for one in talk.messages[first:]]


def _says(part: Part) -> bool:
    return not isinstance(part, TextPart) or bool(part.text)


def _by_the_user(message: Said) -> Said:
    if message.role != "system":
        return message
    parts = tuple(
        part._replace(text=f"{BEGIN}{part.text}{END}") if isinstance(part, TextPart) else part
        for part in message.parts
        if _says(part)
    )
    return message._replace(role="user", parts=parts)


def _list_losses(talk: Conversation, message: Said) -> None:
    if message.name is not None:
        talk.drop(f"messages[{message.place}].name")
    for part in message.parts:
        inner = part.parts if isinstance(part, ResultPart) else ()
        kinds = (TextPart, MediaPart, ResultPart)
        for one in (part, *inner):
            if isinstance(one, kinds) and one.cache is not None:
                talk.drop(f"{one.path}.cache_control")


def _written(talk: Conversation, message: Said, traits: Traits) -> Iterator[Block]:
    match message.role:
        case "tool":
            for part in message.parts:
                if isinstance(part, ResultPart):
                    yield _result(part)
        case "assistant":
            block = _answer(talk, message, traits)
            if len(block) > 1:
                yield block
        case role:
            content = _content(talk, message)
            if content:
                yield {"role": role, "content": _shortened(content)}


def _answer(talk: Conversation, message: Said, traits: Traits) -> Block:
    """Return an earlier turn of the model, with what it thought or planned."""
    calls = [_call(talk, part) for part in message.parts if isinstance(part, CallPart)]
    thoughts = [text for part in message.parts if (text := _thought(talk, part))]
    content: list[Block] = []
    block: Block = {"role": "assistant"}
    if traits.thinks:
        content += [_block("thinking", text) for text in thoughts]
    elif thoughts and calls:
        block["tool_plan"] = "\n\n".join(thoughts)
    elif thoughts:
        talk.drop(f"messages[{message.place}].reasoning_details")
    content += _content(talk, message)
    if content:
        block["content"] = _shortened(content)
    if calls:
        block["tool_calls"] = calls
    return block


def _block(kind: str, text: str) -> Block:
    return {"type": kind, kind: text}


def _shortened(content: list[Block]) -> object:
    """Return a single text as it is, and nothing as an empty one."""
    if len(content) == 1 and "text" in content[0]:
        return content[0]["text"]
    return content or ""


def _content(talk: Conversation, message: Said) -> list[Block]:
    content: list[Block] = []
    for part in message.parts:
        if isinstance(part, TextPart) and part.text:
            content.append(_block("text", part.text))
        elif isinstance(part, MediaPart):
            content.append(_picture(talk, message.role, part))
    return content


def _picture(talk: Conversation, role: str, part: MediaPart) -> Block:
    path = part.where
    if part.kind != "image" and not part.media_type.startswith("image/"):
        cannot_say(path, "Cohere takes text and pictures only.")
    if role != "user":
        cannot_say(path, "Cohere takes pictures from the user only.")
    if part.name is not None:
        talk.drop(f"{part.where}.filename")
    located: Block = {"url": _address(part, path)}
    if part.detail in _DETAILS:
        located["detail"] = part.detail
    elif part.detail is not None:
        talk.drop(f"{part.where}.detail")
    return {"type": "image_url", "image_url": located}


def _address(part: MediaPart, path: str) -> str:
    if part.data is not None:
        if part.media_type not in _PICTURES:
            cannot_say(path, f"`{part.media_type[:60]}` is no picture that Cohere reads.")
        return f"data:{part.media_type};base64,{part.data}"
    url = part.url or ""
    if not url.startswith(("http://", "https://")):
        cannot_say(path, "only http and https addresses can be fetched.")
    return url


def _call(talk: Conversation, part: CallPart) -> Block:
    if part.signature is not None:
        talk.drop(f"{part.path}.extra_content")
    arguments = part.raw
    if part.is_odd:
        talk.drop(f"{part.path}.arguments")
        arguments = write(part.arguments).decode()
    function = {"name": part.name, "arguments": arguments}
    return {"id": part.id, "type": "function", "function": function}


def _result(part: ResultPart) -> Block:
    for one in part.parts:
        if isinstance(one, MediaPart):
            cannot_say(one.where, "Cohere takes no pictures from tools.")
    texts = [one.text for one in part.parts if isinstance(one, TextPart) and one.text]
    content = _shortened([_block("text", text) for text in texts])
    return {"role": "tool", "tool_call_id": part.id, "content": content}


def _thought(talk: Conversation, part: Part) -> str:
    """Return a thought that is nobody's format: only such may be any model's."""
    if not isinstance(part, ThoughtPart):
        return ""
    if part.format is None and part.signature is None and part.text:
        return part.text
    talk.drop(part.path)
    return ""
