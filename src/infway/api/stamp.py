"""What infway writes into every reply: its id, the model that served, the choices' extras, cost."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from infway.api.dialect import raw_number
from infway.api.reading import Wishes
from infway.kernel.chat import Offer
from infway.kernel.events import Chunk, Finish, Joint
from infway.kernel.money import usd_text
from infway.pipeline.cost import Cost
from infway.pipeline.settle import Settlement

_Fields = dict[str, msgspec.Raw]
_read_part = msgspec.json.Decoder(_Fields).decode
_write = msgspec.json.Encoder().encode
_NULL = msgspec.Raw(b"null")
_UNUSED: Mapping[str, object] = {
    "image_cost": 0,
    "video_cost": 0,
    "audio_cost": 0,
    "native_web_search_cost": 0,
    "plugin_web_search_cost": 0,
    "tools_cost": 0,
    "discount_rate": 0,
    "is_byok": False,
    "byok_cost": 0,
}


class Stamp(NamedTuple):
    """The facts of one reply. `text`: choices are given as plain text, without a message.

    `start`, `end`: milliseconds from the receipt of the request.
    """

    id: str
    created: int
    offer: Offer
    rank: int
    text: bool
    start: int

    def root(self, fields: Mapping[str, object]) -> dict[str, object]:
        """Return the root fields of an upstream's object with those that infway owns.

        What the upstream says of its own cost is for nobody else.
        """
        owned = {**fields, "id": self.id, "model": self.offer.model}
        owned.pop("cost", None)
        owned.pop("cost_details", None)
        return owned

    def choices(self, chunk: Chunk, end: int) -> Sequence[Mapping[str, object]]:
        """Return the choices of an object with their finish normalised and their extras."""
        ended = {finish.index: finish for finish in chunk.finishes}
        choices: list[Mapping[str, object]] = []
        for place, choice in enumerate(chunk.choices):
            raw = choice.get("index")
            index = int(bytes(raw)) if isinstance(raw, msgspec.Raw) else place
            patched: dict[str, object] = {**choice, "index": index}
            finish = ended.get(index)
            if finish is not None:
                patched |= self.ending(finish, end)
            choices.append(self.plain(patched) if self.text else patched)
        return choices

    def ending(self, finish: Finish, end: int) -> dict[str, object]:
        """Return what a finished choice carries beside its message."""
        return {
            "finish_reason": finish.reason,
            "native_finish_reason": finish.native,
            "model": {"ref": self.offer.model, "rank": self.rank},
            "latency": {"start_latency": self.start, "end_latency": end},
        }

    @staticmethod
    def plain(choice: Mapping[str, object]) -> dict[str, object]:
        """Return a choice with `text` in the place of its message or delta."""
        rest = {key: value for key, value in choice.items() if key not in ("message", "delta")}
        part = choice.get("message", choice.get("delta", {}))
        content = _read_part(_write(part)).get("content", _NULL)
        return {**rest, "text": "" if bytes(content) == b"null" else content}


def cost_field(bill: Cost) -> dict[str, object]:
    """Return `cost`, what the caller is charged in USD, as an exact decimal number."""
    return {"cost": raw_number(usd_text(bill.total))}


def bill_fields(bill: Cost) -> dict[str, object]:
    """Return `cost`, and `cost_details` with its parts.

    The cost of the prompt and that of the completion are the whole; the others are parts of these
    (https://infron.ai/docs/api-reference/usage-accounting). What is no part of any bill here is 0.
    """
    prompt = bill.prompt + bill.cache_read + bill.cache_write
    known = {
        "prompt_cost": prompt,
        "completion_cost": bill.completion,
        "prompt_cache_read_cost": bill.cache_read,
        "prompt_cache_write_cost": bill.cache_write,
        "prompt_cache_write_5_min": bill.cache_write - bill.cache_write_long,
        "prompt_cache_write_1_h": bill.cache_write_long,
        "reasoning_cost": bill.reasoning,
    }
    told = {name: raw_number(usd_text(pico)) for name, pico in known.items()}
    return {**cost_field(bill), "cost_details": {**_UNUSED, **told}}


def closing_fields(settlement: Settlement, wishes: Wishes) -> dict[str, object]:
    """Return what the chunk with a stream's usage says of its cost, which no header could tell."""
    if wishes.cost:
        return bill_fields(settlement.bill())
    return cost_field(settlement.bill()) if wishes.usage_chunk else {}


def rescue_fields(before: Offer, joint: Joint) -> dict[str, object]:
    """Return what a reply says of its joint: what broke off and how, and what finished it."""
    after = joint.offer
    return {
        "x_rescue": {
            "tactic": joint.tactic,
            "fault": joint.fault.value,
            "from": {"provider": before.upstream.name, "model": before.model},
            "to": {"provider": after.upstream.name, "model": after.model},
        }
    }
