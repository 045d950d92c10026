"""What the store is told beside the requests: what was settled, what has ended, what still runs."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice

from infway.kernel.account import Holder
from infway.state.meter import Ticket
from infway.state.meter_store import Store, Use

_CHUNK = 100  # commands that are sent before the first of them is answered
_MOST_ENDED = 100  # places given back with one request: a script takes some thousand words at most


class Reports:
    """What waits to be told, and the requests under way whose number is limited.

    A place that is given back is told until the store has confirmed it, since a second time changes
    nothing. A change is sent once: told twice it would count twice.
    """

    def __init__(self) -> None:
        self._held: dict[str, Ticket] = {}
        self._unheard: set[str] = set()  # of those held: leases that no store was ever told
        self._changes: deque[tuple[str, list[Use]]] = deque()
        self._ended: dict[str, Sequence[Holder]] = {}
        self.telling: asyncio.Task[None] | None = None

    @property
    def is_urgent(self) -> bool:
        """Whether places are free that the store takes for taken."""
        return bool(self._ended)

    def begun(self, ticket: Ticket, *, unheard: bool = False) -> None:
        """Keep the place of a request. `unheard`: no store was asked for it."""
        if _is_counted(ticket.holders):
            self._held[ticket.lease] = ticket
            if unheard:
                self._unheard.add(ticket.lease)

    def ended(self, ticket: Ticket) -> None:
        """Give the place of a request back."""
        if self._held.pop(ticket.lease, None) is None:
            return
        if ticket.lease in self._unheard:
            self._unheard.discard(ticket.lease)
        else:
            self._ended[ticket.lease] = ticket.holders

    def over(self, holders: Sequence[Holder]) -> list[str]:
        """Return places that were given back to any of these holders and may still count."""
        if not self._ended:
            return []
        names = {one.id for one in holders if one.limits.concurrent is not None}
        found = (
            lease
            for lease, whose in self._ended.items()
            if not names.isdisjoint(one.id for one in whose)
        )
        return list(islice(found, _MOST_ENDED))

    def dropped(self, holders: Sequence[Holder], lease: str) -> None:
        """Give a place back of which nobody knows whether it was taken."""
        if _is_counted(holders):
            self._ended[lease] = holders

    def changed(self, changes: Iterable[tuple[str, list[Use]]]) -> None:
        """Correct what was counted."""
        self._changes += changes

    def counted_anew(self, since: int, until: int) -> None:
        """Drop the changes of what was counted in this time: the store is told the outcome itself.

        Milliseconds of the store's clock.
        """
        kept = (
            (name, [use for use in uses if not since <= use.at < until])
            for name, uses in self._changes
        )
        self._changes = deque((name, uses) for name, uses in kept if uses)

    async def tell(self, store: Store) -> None:
        """Tell all that waits; raises one of `Away`."""
        ended = dict(self._ended)
        await send_all(store.put({name: uses}) for name, uses in self._drained())
        leases = _by_holder(ended.items())
        await send_all(store.release(*one) for one in leases.items())
        for lease in ended:
            self._ended.pop(lease, None)

    def tell_soon(self, store: Store, failed: Callable[[Store, Exception], None]) -> None:
        """Tell what is urgent beside all else; `failed` hears of an error."""
        if self._ended and self.telling is None:
            self.telling = asyncio.create_task(self._tell_urgent(store, failed))

    async def _tell_urgent(self, store: Store, failed: Callable[[Store, Exception], None]) -> None:
        try:
            while self._ended:
                await self.tell(store)
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            failed(store, error)
        finally:
            self.telling = None

    async def renew(self, store: Store, at: int) -> None:
        """Say of all requests that are under way that they are; raises one of `Away`."""
        self._unheard.clear()
        leases = _by_holder((name, ticket.holders) for name, ticket in self._held.items())
        await send_all(self._hold(store, *one, at) for one in leases.items())

    async def _hold(self, store: Store, holder: str, leases: Sequence[str], at: int) -> None:
        """Renew those that are not over by now: a place given back must not come again."""
        alive = [one for one in leases if one in self._held]
        if alive:
            await store.hold(holder, alive, at)

    def _drained(self) -> Iterator[tuple[str, list[Use]]]:
        while self._changes:
            yield self._changes.popleft()


def _is_counted(holders: Sequence[Holder]) -> bool:
    return any(one.limits.concurrent is not None for one in holders)


def _by_holder(leases: Iterable[tuple[str, Sequence[Holder]]]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for lease, holders in leases:
        for one in holders:
            if one.limits.concurrent is not None:
                found[one.id].append(lease)
    return found


async def send_all(commands: Iterable[Awaitable[None]]) -> None:
    """Send commands, some at a time; raises one of `Away`."""
    rest = iter(commands)
    while chunk := list(islice(rest, _CHUNK)):
        await asyncio.gather(*chunk)
