"""Messages of the Anthropic dialect: turns of content blocks.

https://platform.claude.com/docs/en/api/messages
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2s

from infway.providers.anthropic.cache import Block, mark
from infway.providers.anthropic.media import media_block
from infway.providers.anthropic.models import Generation
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
from infway.providers.conversation.turns import Turn, instructions, turns
from infway.providers.shapes import as_objects

FORMAT = "anthropic-claude-v1"
"""The format under which Claude's thoughts travel to the caller and back."""

_ID = re.compile(r"[a-zA-Z0-9_-]+")  # of a tool call
_OPENING = "(The conversation begins.)"  # a conversation begins with the user


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes one conversation for one model.

    `fetches`: addresses and file ids are understood where it is served.
    """

    talk: Conversation
    model: Generation
    fetches: bool

    def system(self) -> list[Block]:
        """Return the system prompt."""
        return self._blocks(instructions(self.talk))

    def messages(self) -> list[Block]:
        """Return all turns, the first of them the user's."""
        said: list[Block] = []
        for turn in turns(self.talk):
            blocks = self._blocks(_results_first(turn))
            if blocks:
                said.append({"role": turn.role, "content": blocks})
        if said and said[-1]["role"] == "assistant":
            said = self._prefilled(said)
        if not said or said[0]["role"] == "assistant":
            self.talk.drop("messages.role")
            said.insert(0, {"role": "user", "content": [{"type": "text", "text": _OPENING}]})
        return said

    def _prefilled(self, said: list[Block]) -> list[Block]:
        """Check the beginning of the answer, which must not end in white space."""
        if not self.model.prefill:
            cannot_say("messages", "this model does not go on with an assistant's message.")
        *before, last = said
        *blocks, end = as_objects(last["content"])
        text = end.get("text")
        if not isinstance(text, str) or text == text.rstrip():
            return said
        self.talk.drop(f"messages[{self.talk.messages[-1].place}].content")
        return [*before, {**last, "content": [*blocks, {**end, "text": text.rstrip()}]}]

    def _blocks(self, parts: Sequence[Part]) -> list[Block]:
        blocks = [self._block(part) for part in parts]
        return [block for block in blocks if block is not None]

    def _block(self, part: Part) -> Block | None:
        match part:
            case TextPart():
                return self._text(part)
            case MediaPart():
                return media_block(self.talk, part, fetches=self.fetches)
            case CallPart():
                return self._call(part)
            case ResultPart():
                return self._result(part)
            case ThoughtPart():
                return self._thought(part)

    def _text(self, part: TextPart) -> Block | None:
        """Return a text block; white space alone is refused by the vendor, and so is nothing."""
        if part.text.strip():
            return mark({"type": "text", "text": part.text}, part.cache)
        if part.text:
            self.talk.drop(part.path)
        if part.cache is not None:
            self.talk.drop(f"{part.path}.cache_control")
        return None

    def _call(self, part: CallPart) -> Block:
        if part.is_odd:
            self.talk.drop(f"{part.path}.arguments")
        if part.signature is not None:
            self.talk.drop(f"{part.path}.extra_content")
        return {
            "type": "tool_use",
            "id": call_id(part.id),
            "name": part.name,
            "input": part.arguments,
        }

    def _result(self, part: ResultPart) -> Block:
        content = self._blocks(part.parts)
        markers = [block.pop("cache_control") for block in content if "cache_control" in block]
        block: Block = {"type": "tool_result", "tool_use_id": call_id(part.id)}
        if len(content) == 1 and content[0]["type"] == "text":
            block["content"] = content[0]["text"]
        elif content:
            block["content"] = content
        if markers and part.cache is None:
            return {**block, "cache_control": markers[-1]}
        return mark(block, part.cache)

    def _thought(self, part: ThoughtPart) -> Block | None:
        """Return a thought that Claude signed or hid; others it would not believe."""
        if part.format == FORMAT and (self.model.budget or self.model.adaptive):
            if part.kind == "encrypted" and part.data is not None:
                return {"type": "redacted_thinking", "data": part.data}
            if part.kind == "text" and part.signature is not None:
                return {"type": "thinking", "thinking": part.text, "signature": part.signature}
        self.talk.drop(part.path)
        return None


def _results_first(turn: Turn) -> list[Part]:
    """Return the parts as the vendor wants them: what tools answered before what the user says."""
    return sorted(turn.parts, key=lambda part: not isinstance(part, ResultPart))


def call_id(id_: str) -> str:
    """Return the id of a call; one with other letters than the vendor takes gets another name."""
    if _ID.fullmatch(id_):
        return id_
    return f"call_{blake2s(id_.encode(), digest_size=12).hexdigest()}"
