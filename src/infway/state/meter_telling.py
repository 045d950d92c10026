"""What the store lacks, told part by part; each counts once, however often it has to be sent.

The parts of a teller have numbers, and the store keeps the last that it has counted: where only the
answer was lost, nobody knows whether it counted, and the same part is sent again until it is told.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

from infway.state.meter_store import Store, Use

_PART = 200  # uses in one part: they take far less than the deadline, also where all is busy


class Telling:
    """What one teller has told the store. `name` sets it apart from all others."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._number = 0
        self._part: list[tuple[str, Use]] = []  # sent, and not confirmed
        self._rest: deque[tuple[str, Use]] = deque()
        self._told: dict[tuple[str, int, int, int], int] = {}

    def forget(self) -> None:
        """Begin anew: the store is another one, or was told all there was."""
        self._part = []
        self._rest.clear()
        self._told.clear()

    async def tell(self, store: Store, used: Iterable[tuple[str, list[Use]]], offset: int) -> bool:
        """Tell of this what was not told before; return whether there was anything.

        `used`: by holder, what was used in each turn by now; `offset`: to the store's clock, in
        milliseconds. Raises one of `Away`; it may be called again with the same, or with more.
        """
        number = self._number
        for holder, uses in used:
            self._rest += self._lacking(holder, uses, offset)
            await self._send(store, _PART)
            await asyncio.sleep(0)  # there may be many to look at, and requests come between
        await self._send(store, 1)
        return self._number > number

    def _lacking(self, holder: str, uses: list[Use], offset: int) -> Iterator[tuple[str, Use]]:
        for use in uses:
            place = holder, use.kind, use.seconds, use.at
            more = use.amount - self._told.get(place, 0)
            if more:
                self._told[place] = use.amount
                yield holder, use._replace(at=use.at + offset, amount=more)

    async def _send(self, store: Store, least: int) -> None:
        """Send what was not confirmed, and of the rest whole parts, or those of `least` uses."""
        while self._part or len(self._rest) >= least:
            if not self._part:
                self._number += 1
                size = min(_PART, len(self._rest))
                self._part = [self._rest.popleft() for _ in range(size)]
            uses: defaultdict[str, list[Use]] = defaultdict(list)
            for holder, use in self._part:
                uses[holder].append(use)
            await store.put(uses, self._name, self._number)
            self._part = []
