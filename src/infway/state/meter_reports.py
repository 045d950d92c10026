"""What the store is told beside the requests: what was settled, what has ended, what still runs."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Sequence
from itertools import islice

from infway.kernel.account import Holder
from infway.state.meter import Ticket
from infway.state.meter_store import Store, Use

_CHUNK = 100  # commands that are sent before the first of them is answered


class Reports:
    """What waits to be told, and the requests under way whose number is limited."""

    def __init__(self) -> None:
        self._held: dict[str, Ticket] = {}
        self._changes: list[tuple[str, list[Use]]] = []
        self._ended: list[tuple[Sequence[Holder], str]] = []

    @property
    def is_urgent(self) -> bool:
        """Whether places are free that the store takes for taken."""
        return bool(self._ended)

    def begun(self, ticket: Ticket) -> None:
        """Keep the place of a request."""
        if any(one.limits.concurrent is not None for one in ticket.holders):
            self._held[ticket.lease] = ticket

    def ended(self, ticket: Ticket) -> None:
        """Give the place of a request back."""
        if self._held.pop(ticket.lease, None) is not None:
            self._ended.append((ticket.holders, ticket.lease))

    def over(self, holders: Sequence[Holder]) -> list[str]:
        """Return the places that these holders gave back, which somebody else will tell now."""
        found = [lease for whose, lease in self._ended if whose == holders]
        if found:
            self._ended = [one for one in self._ended if one[0] != holders]
        return found

    def dropped(self, holders: Sequence[Holder], lease: str) -> None:
        """Give a place back of which nobody knows whether it was taken."""
        self._ended.append((holders, lease))

    def changed(self, changes: Iterable[tuple[str, list[Use]]]) -> None:
        """Correct what was counted."""
        self._changes += changes

    async def tell(self, store: Store) -> None:
        """Tell all that waits; raises one of `Away`."""
        changes, self._changes = self._changes, []
        ended, self._ended = self._ended, []
        await send_all(store.put(*one) for one in changes)
        leases = _by_holder(ended)
        await send_all(store.release(*one) for one in leases.items())

    async def renew(self, store: Store, at: int) -> None:
        """Say of all requests that are under way that they are; raises one of `Away`."""
        leases = _by_holder((ticket.holders, name) for name, ticket in self._held.items())
        await send_all(store.hold(*one, at) for one in leases.items())


def _by_holder(leases: Iterable[tuple[Sequence[Holder], str]]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for holders, lease in leases:
        for one in holders:
            if one.limits.concurrent is not None:
                found[one.id].append(lease)
    return found


async def send_all(commands: Iterable[Awaitable[None]]) -> None:
    """Send commands, some at a time; raises one of `Away`."""
    rest = iter(commands)
    while chunk := list(islice(rest, _CHUNK)):
        await asyncio.gather(*chunk)
