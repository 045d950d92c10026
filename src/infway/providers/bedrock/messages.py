"""Messages of Bedrock's Converse: turns of content blocks.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2s

from infway.providers.bedrock.cache import Block, CachePoints, result_ttl
from infway.providers.bedrock.families import Family
from infway.providers.bedrock.media import DocumentNames, media_block
from infway.providers.bedrock.reply import HIDDEN, SIGNED
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
from infway.providers.shapes import as_object, as_objects, as_text

_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")  # of a tool call
_OPENING: Block = {"text": "(The conversation begins.)"}  # where it has to begin with the user
_OTHER = {"user": "assistant", "assistant": "user"}
_PAUSE: Block = {"text": "."}  # between two turns of the user that must not be one
_SILENCE: Block = {"json": {}}  # of a tool that answered nothing
_POINT = "cachePoint"


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes one conversation for one model."""

    talk: Conversation
    family: Family
    points: CachePoints
    names: DocumentNames = field(default_factory=DocumentNames)

    def system(self) -> list[Block]:
        """Return the system prompt."""
        parts = instructions(self.talk)
        return [block for part in parts for block in self._text(part, "system")]

    def messages(self) -> list[Block]:
        """Return all turns; raises UpstreamFailed for what the model has no words for."""
        said: list[Block] = []
        for turn in turns(self.talk):
            for role, blocks in self._turn(turn):
                if said and said[-1]["role"] == role:  # nothing was left of what stood between
                    self.talk.drop("messages.role")
                    said.append({"role": _OTHER[role], "content": [dict(_PAUSE)]})
                said.append({"role": role, "content": blocks})
        if said and said[-1]["role"] == "assistant":
            self._end_prefill(said[-1])
        if not said or (said[0]["role"] == "assistant" and not self.family.leads):
            self.talk.drop("messages.role")
            said.insert(0, {"role": "user", "content": [dict(_OPENING)]})
        return said

    def _turn(self, turn: Turn) -> Iterator[tuple[str, list[Block]]]:
        """Yield a turn, with what tools answered first, or in two where the model wants it."""
        results: list[Block] = []
        for part in turn.parts:
            results += self._result(part) if isinstance(part, ResultPart) else []
        others = [block for part in turn.parts for block in self._blocks(part)]
        allowed = self.family.beside
        kinds = {kind_of(block) for block in others} - {_POINT}
        if not results or allowed is None or kinds <= allowed:
            blocks = results + _introduced(others)
            if blocks:
                yield turn.role, blocks
            return
        self.talk.drop("messages.role")
        yield "user", results
        yield "assistant", [dict(_PAUSE)]
        yield "user", _introduced(others)

    def _end_prefill(self, last: Block) -> None:
        """Check the beginning of the answer, which must not end in white space."""
        if not self.family.prefill:
            cannot_say("messages", "this model does not go on with an assistant's message.")
        block = [one for one in as_objects(last["content"]) if kind_of(one) != _POINT][-1]
        text = as_text(block.get("text"))
        if text != text.rstrip():
            self.talk.drop(f"messages[{self.talk.messages[-1].place}].content")
            block["text"] = text.rstrip()

    def _blocks(self, part: Part) -> list[Block]:
        match part:
            case TextPart():
                return self._text(part, "messages")
            case MediaPart():
                kind, block = media_block(self.talk, part, self.names)
                return [block, *self.points.behind("messages", kind, part.cache)]
            case CallPart():
                return [self._call(part)]
            case ThoughtPart():
                return self._thought(part)
            case ResultPart():
                return []  # said before

    def _text(self, part: TextPart, place: str) -> list[Block]:
        """Return a text block; white space alone is refused by the vendor, and so is nothing."""
        if part.text.strip():
            return [{"text": part.text}, *self.points.behind(place, "text", part.cache)]
        if part.text:
            self.talk.drop(part.path)
        if part.cache is not None:
            self.talk.drop(f"{part.path}.cache_control")
        return []

    def _call(self, part: CallPart) -> Block:
        if part.is_odd:
            self.talk.drop(f"{part.path}.arguments")
        if part.signature is not None:
            self.talk.drop(f"{part.path}.extra_content")
        call = {"toolUseId": _call_id(part.id), "name": part.name, "input": part.arguments}
        return {"toolUse": call}

    def _result(self, part: ResultPart) -> list[Block]:
        content = [block for one in part.parts for block in self._in_result(one)]
        if not content:
            self.talk.drop(part.path)
            content = [dict(_SILENCE)]
        block: Block = {"toolResult": {"toolUseId": _call_id(part.id), "content": content}}
        return [block, *self.points.behind("messages", "toolResult", result_ttl(part))]

    def _in_result(self, part: TextPart | MediaPart) -> list[Block]:
        if isinstance(part, TextPart):
            return self._text(part._replace(cache=None), "messages")
        kind, block = media_block(self.talk, part, self.names)
        if kind not in self.family.results:
            cannot_say(part.where, f"this model takes no {kind} in a tool's result.")
        return [block]

    def _thought(self, part: ThoughtPart) -> list[Block]:
        """Return a thought that the model signed or hid; others it would not believe."""
        said: Mapping[str, object] | None = None
        if part.kind == "encrypted" and part.format == HIDDEN and self.family.hidden:
            said = {"redactedContent": part.data}
        if part.format == SIGNED and part.signature and self.family.signed:
            said = {"reasoningText": {"text": part.text, "signature": part.signature}}
        if said is None:
            self.talk.drop(part.path)
            return []
        return [{"reasoningContent": said}]


def kind_of(block: Block) -> str:
    """Return what a content block is: its only key."""
    return next(iter(block))


def _introduced(blocks: list[Block]) -> list[Block]:
    """Return a turn's blocks; documents need a text beside them, if only their names."""
    kinds = {kind_of(block) for block in blocks}
    if "document" not in kinds or "text" in kinds:
        return blocks
    documents = (as_object(block.get("document")) for block in blocks)
    names = ", ".join(as_text(one["name"]) for one in documents if one)
    return [{"text": names}, *blocks]


def _call_id(id_: str) -> str:
    """Return the id of a call; one with other letters than the vendor takes gets another name."""
    if _ID.fullmatch(id_):
        return id_
    return f"call_{blake2s(id_.encode(), digest_size=12).hexdigest()}"
