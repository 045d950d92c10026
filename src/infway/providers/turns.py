"""Messages as turns of two speakers, for dialects that know only user and assistant."""

from typing import NamedTuple

from infway.providers.conversation import Conversation, Part, Said, TextPart

BEGIN, END = "<system>", "</system>"


class Turn(NamedTuple):
    """What one speaker says before the other does. `role`: user or assistant.

    Tool results are part of the user's turn.
    """

    role: str
    parts: list[Part]


def instructions(conversation: Conversation) -> list[TextPart]:
    """Return the texts of the system messages that stand before everything else."""
    texts: list[TextPart] = []
    for message in conversation.messages:
        if message.role != "system":
            break
        texts += [part for part in message.parts if isinstance(part, TextPart)]
    return texts


def turns(conversation: Conversation) -> list[Turn]:
    """Return what follows the instructions, alternating.

    A system message in the middle is said by the user, between marks, and listed as
    `messages.role`; names of speakers are listed as `messages.name`.
    """
    found: list[Turn] = []
    begun = False
    for message in conversation.messages:
        if message.name is not None:
            conversation.drop("messages.name")
        begun = begun or message.role != "system"
        if not begun:
            continue
        if message.role == "system":
            conversation.drop("messages.role")
        role = "assistant" if message.role == "assistant" else "user"
        parts = _marked(message) if message.role == "system" else list(message.parts)
        if found and found[-1].role == role:
            found[-1].parts.extend(parts)
        else:
            found.append(Turn(role, parts))
    return [turn for turn in found if turn.parts]


def _marked(message: Said) -> list[Part]:
    return [
        TextPart(f"{BEGIN}{part.text}{END}", part.cache)
        for part in message.parts
        if isinstance(part, TextPart)
    ]
