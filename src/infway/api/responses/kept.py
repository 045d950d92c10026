"""Responses as they are kept: with the items of their input, each under an id."""

from collections.abc import Mapping, Sequence

import msgspec

from infway.api.responses.conversation import Item, kind_of
from infway.kernel.errors import CallerError
from infway.ledger.responses import RUNNING, Kept
from infway.pipeline.keeping import Keeper

_write = msgspec.json.Encoder().encode


class _Named(msgspec.Struct):
    id: str | None = None


class _Output(msgspec.Struct):
    output: list[_Named] = []


class _Items(msgspec.Struct):
    output: list[Item] = []


_read_ids = msgspec.json.Decoder(_Output).decode
_read_output = msgspec.json.Decoder(_Items).decode
_read_input = msgspec.json.Decoder(list[Item]).decode
# How the ids of items begin
_BEGINNINGS: Mapping[str, str] = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "reasoning": "rs",
}


def kept(said: Kept, items: Sequence[Item], status: str, body: bytes) -> Kept:
    """Return a response with its input and output. `said`: what is known of it before."""
    named = [_named(item, said.id, place) for place, item in enumerate(items)]
    ids = [item["id"] for item in named]
    ids += [item.id for item in _read_ids(body).output]
    return said._replace(
        status=status,
        response=body,
        input=_write(named),
        items=tuple(dict.fromkeys(id_ for id_ in ids if isinstance(id_, str))),
    )


def _named(item: Item, response: str, place: int) -> Item:
    """Return an item with a type and an id; one that has both stays as it came."""
    kind = kind_of(item)
    if isinstance(item.get("id"), str) and "type" in item:
        return item
    made = f"{_BEGINNINGS.get(kind, 'item')}_{response.removeprefix('resp_')}_i{place}"
    return {**item, "type": kind, "id": item.get("id") or made}


def input_of(one: Kept) -> list[Item]:
    """Return the items that a response was made of, without those before it."""
    return _read_input(one.input)


def output_of(one: Kept) -> list[Item]:
    """Return the items that came out."""
    return _read_output(one.response).output


async def earlier_items(keeper: Keeper, id_: str, key: str) -> list[Item]:
    """Return all items of a response and those before it; raises CallerError."""
    chain = await keeper.chain(id_, key)
    if not chain:
        message = f"Previous response with id '{id_[:100]}' not found."
        raise CallerError(400, "previous_response_not_found", message, "previous_response_id")
    if chain[-1].status in RUNNING:
        message = "previous_response_id: this response is still being made."
        raise CallerError(400, "invalid_field", message, "previous_response_id")
    return [item for one in chain for item in (*input_of(one), *output_of(one))]


async def resolved(keeper: Keeper, items: list[Item], key: str) -> list[Item]:
    """Return items with those in full that are given by their id alone; raises CallerError.

    Those are references, and reasoning whose content stayed here.
    """
    wanted = [str(item["id"]) for item in items if _is_bare(item)]
    if not wanted:
        return items
    found: dict[str, Item] = {}
    for holder in {id(one): one for one in (await keeper.holders(wanted, key)).values()}.values():
        found |= {str(item.get("id")): item for item in (*input_of(holder), *output_of(holder))}
    for item in items:
        if kind_of(item) == "item_reference" and item["id"] not in found:
            message = f"Item with id '{str(item['id'])[:100]}' not found."
            raise CallerError(404, "item_not_found", message, "input")
    return [found.get(str(item["id"]), item) if _is_bare(item) else item for item in items]


def _is_bare(item: Item) -> bool:
    kind = kind_of(item)
    if not isinstance(item.get("id"), str):
        return False
    return kind == "item_reference" or (kind == "reasoning" and not item.get("encrypted_content"))
