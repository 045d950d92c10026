"""Messages as turns of two speakers, for dialects that know only user and assistant."""

from typing import NamedTuple

from infway.providers.conversation.parts import Conversation, Part, Said, TextPart

BEGIN, END = "<system>", "</system>"


class Turn(NamedTuple):
    """What one speaker says before the other does. `role`: user or assistant.

    Tool results are part of the user's turn.
    """

    role: str
    parts: list[Part]


def instructions(conversation: Conversation) -> list[TextPart]:
    """Return the texts of the system messages that stand before everything else.

    Other parts of theirs are listed as `messages[0].content`: no dialect has room for them there.
    """
    texts: list[TextPart] = []
    for message in conversation.messages:
        if message.role != "system":
            break
        for part in message.parts:
            if isinstance(part, TextPart):
                texts.append(part)
            else:
                conversation.drop(f"messages[{message.place}].content")
    return texts


def turns(conversation: Conversation) -> list[Turn]:
    """Return what follows the instructions, alternating.

    A system message in the middle is said by the user, between marks, and listed as
    `messages[1].role`; names of speakers are listed as `messages[1].name`.
    """
    found: list[Turn] = []
    begun = False
    for message in conversation.messages:
        if message.name is not None:
            conversation.drop(f"messages[{message.place}].name")
        begun = begun or message.role != "system"
        if not begun:
            continue
        if message.role == "system":
            conversation.drop(f"messages[{message.place}].role")
        role = "assistant" if message.role == "assistant" else "user"
        parts = _marked(message) if message.role == "system" else list(message.parts)
        if found and found[-1].role == role:
            found[-1].parts.extend(parts)
        elif parts:
            found.append(Turn(role, parts))
    return found


def _marked(message: Said) -> list[Part]:
    return [_mark(part) if isinstance(part, TextPart) else part for part in message.parts]


def _mark(part: TextPart) -> TextPart:
    """Return a text between marks; white space alone says nothing and needs none."""
    return part._replace(text=f"{BEGIN}{part.text}{END}") if part.text.strip() else part
