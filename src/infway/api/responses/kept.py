"""Responses as they are kept: with the items of their input, each under an id."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from infway.api.responses.conversation import Item, kind_of
from infway.kernel.errors import CallerError
from infway.ledger.responses import RUNNING, Kept, TooLarge

_write = msgspec.json.Encoder().encode
_MOST = 1000  # items that one request may give by their ids alone
# Bytes that are read to find what a request refers to, for each byte of it that a request may have:
# a kept response repeats its settings, and one item of it may be all that is wanted
_READ = 4


class Past(Protocol):
    """Where earlier responses are found: those that are kept, or what a connection remembers."""

    async def find(self, id_: str, key: str) -> Kept | None:
        """Return a response of a key, None where there is none."""
        ...

    async def chain(self, id_: str, key: str, limit: int) -> list[Kept]:
        """Return a response and those before it, oldest first; empty where one is missing.

        Raises TooLarge where they have more than `limit` bytes.
        """
        ...

    async def holders(self, items: Sequence[str], key: str, limit: int) -> Mapping[str, Kept]:
        """Return the responses that hold items of these ids; raises TooLarge."""
        ...


class _Named(msgspec.Struct):
    id: str | None = None


class _Output(msgspec.Struct):
    output: list[_Named] = []


class _Items(msgspec.Struct):
    output: list[Item] = []


class _Raw(msgspec.Struct):
    output: msgspec.Raw = msgspec.Raw(b"[]")


_read_ids = msgspec.json.Decoder(_Output).decode
_read_output = msgspec.json.Decoder(_Items).decode
_read_raw = msgspec.json.Decoder(_Raw).decode
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
    ids = _ids(named, body)
    return said._replace(status=status, response=body, input=_write(named), items=ids)


def indexed(one: Kept) -> Kept:
    """Return a response with the ids of its items, which one that was read from a store lacks."""
    return one._replace(items=_ids(input_of(one), one.response))


def _ids(items: Sequence[Item], body: bytes) -> tuple[str, ...]:
    ids = [item.get("id") for item in items]
    ids += [item.id for item in _read_ids(body).output]
    return tuple(dict.fromkeys(id_ for id_ in ids if isinstance(id_, str)))


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


async def earlier_items(past: Past, id_: str, key: str, limit: int) -> list[Item]:
    """Return all items of a response and those before it, of `limit` bytes at most.

    Raises CallerError.
    """
    try:
        chain = await past.chain(id_, key, _READ * limit)
    except TooLarge as error:
        raise _too_long("previous_response_id", limit) from error
    if not chain:
        raise await _gap(past, id_, key)
    if chain[-1].status in RUNNING:
        message = "previous_response_id: this response is still being made."
        raise CallerError(400, "invalid_field", message, "previous_response_id")
    if sum(len(one.input) + len(bytes(_read_raw(one.response).output)) for one in chain) > limit:
        raise _too_long("previous_response_id", limit)
    return [item for one in chain for item in (*input_of(one), *output_of(one))]


async def _gap(past: Past, id_: str, key: str) -> CallerError:
    """Return the error that a response is not there any more, or one that it goes back to."""
    gone = id_
    while (one := await past.find(gone, key)) is not None and one.previous is not None:
        gone = one.previous
    message = f"Previous response with id '{gone[:100]}' not found."
    if gone != id_:
        message = (
            f"The previous response '{id_[:100]}' goes back to the response '{gone[:100]}', which "
            "was not found: it was not stored, was deleted, or is no longer kept."
        )
    return CallerError(400, "previous_response_not_found", message, "previous_response_id")


async def resolved(past: Past, items: list[Item], key: str, limit: int) -> list[Item]:
    """Return items with those in full that are given by their id alone, of `limit` bytes at most.

    Those are references, and reasoning whose content stayed here. Raises CallerError.
    """
    wanted = dict.fromkeys(str(item["id"]) for item in items if _is_bare(item))
    if not wanted:
        return items
    if len(wanted) > _MOST:
        message = f"input: no more than {_MOST} items can be given by their id alone."
        raise CallerError(400, "invalid_field", message, "input")
    try:
        holders = await past.holders(list(wanted), key, _READ * limit)
    except TooLarge as error:
        raise _too_long("input", limit) from error
    found: dict[str, Item] = {}
    for holder in {one.id: one for one in holders.values()}.values():
        found |= {str(item.get("id")): item for item in (*input_of(holder), *output_of(holder))}
    sizes = {id_: len(_write(found[id_])) for id_ in wanted if id_ in found}
    return list(_in_full(items, found, sizes, limit))


def _in_full(
    items: Sequence[Item], found: Mapping[str, Item], sizes: Mapping[str, int], limit: int
) -> Iterator[Item]:
    """Yield items, and instead of an id alone what was found; `sizes`: bytes of each."""
    filled = 0
    for place, item in enumerate(items):
        if not _is_bare(item):
            yield item
            continue
        id_ = str(item["id"])
        if id_ not in found and kind_of(item) == "item_reference":
            message = f"Item with id '{id_[:100]}' not found."
            raise CallerError(404, "item_not_found", message, f"input[{place}].id")
        filled += sizes.get(id_, 0)
        if filled > limit:
            raise _too_long(f"input[{place}]", limit)
        yield found.get(id_, item)


def _is_bare(item: Item) -> bool:
    kind = kind_of(item)
    if not isinstance(item.get("id"), str):
        return False
    return kind == "item_reference" or (kind == "reasoning" and not item.get("encrypted_content"))


def _too_long(field: str, limit: int) -> CallerError:
    message = f"{field}: what this stands for is longer than a request may be ({limit} bytes)."
    return CallerError(400, "invalid_field", message, field)
