"""What one connection remembers: responses that nobody stores, and that it may go on from."""

from collections.abc import Mapping, Sequence

import msgspec

from infway.api.responses.kept import Past
from infway.ledger.responses import Kept, TooLarge


class _Output(msgspec.Struct):
    output: msgspec.Raw = msgspec.Raw(b"[]")


_read = msgspec.json.Decoder(_Output).decode
_write = msgspec.json.Encoder().encode


class Recent:
    """Responses of one connection, gone with it; of a turn its items alone are remembered.

    `stored`: where those are found that are not here. `limit`: bytes; beyond, the oldest go.
    """

    def __init__(self, stored: Past, limit: int) -> None:
        self._stored = stored
        self._limit = limit
        self._here: dict[str, Kept] = {}
        self._following: set[str] = set()  # those that are stored and go back to one that is not
        self._filled = 0

    def keep(self, made: Kept) -> None:
        """Remember a response; one that failed is none to go on from, nor is what it followed."""
        if made.status == "failed":
            self.drop(made.previous)
            return
        slim = made._replace(response=_write(_read(made.response)))
        self._here[slim.id] = slim
        self._filled += slim.size
        while self._filled > self._limit:
            self.drop(next(iter(self._here)))

    def follow(self, stored: Kept) -> None:
        """Know of a response that is stored, and may go back to one that is remembered here."""
        if stored.previous in self._here or stored.previous in self._following:
            self._following.add(stored.id)

    def drop(self, id_: str | None) -> None:
        """Forget a response, where it is here."""
        gone = None if id_ is None else self._here.pop(id_, None)
        if gone is not None:
            self._filled -= gone.size

    async def find(self, id_: str, key: str) -> Kept | None:
        """Return a response of a key, None where there is none."""
        return self._here.get(id_) or await self._stored.find(id_, key)

    async def chain(self, id_: str, key: str, limit: int) -> list[Kept]:
        """Return a response and those before it, oldest first; empty where one is missing.

        Raises TooLarge where they have more than `limit` bytes.
        """
        here: list[Kept] = []
        before: str | None = id_
        rest = limit
        while before is not None and (one := await self._one(before, key)) is not None:
            here.append(one)
            before = one.previous
            rest -= one.size
            if rest < 0:
                raise TooLarge(f"the turns of this connection are more than {limit} bytes")
        here.reverse()
        if before is None:
            return here
        written = await self._stored.chain(before, key, rest)
        return [*written, *here] if written else []

    async def _one(self, id_: str, key: str) -> Kept | None:
        """Return a response that is remembered, or is stored and goes back to such a one."""
        if id_ in self._following:
            return await self._stored.find(id_, key)
        return self._here.get(id_)

    async def holders(self, items: Sequence[str], key: str, limit: int) -> Mapping[str, Kept]:
        """Return the responses that hold items of these ids; raises TooLarge."""
        found = dict(await self._stored.holders(items, key, limit))
        for one in self._here.values():
            found.update(dict.fromkeys(set(items) & set(one.items), one))
        return found
