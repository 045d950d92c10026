"""One sliding window: how much was used in the last so many seconds.

Time is cut into turns of a thousandth of the window, and what was used in a turn counts until
its last moment has left the window. So a use counts for the window's length at least, and a
thousandth more at most: stricter, never looser. No more than 1,001 turns are remembered.
"""

from collections import deque

TURNS = 1000
"""Turns of a window; a turn of `seconds` has that many milliseconds."""


class SlidingWindow:
    """`most` within any `seconds`. All times are milliseconds of one clock.

    `cap` holds in the place of `most` before `until`. `counts`: what was used, by turn; `turn`:
    the last one that was looked at; `sum`: of all counts, right at that turn.
    """

    __slots__ = ("_turns", "cap", "counts", "most", "seconds", "sum", "turn", "until")

    def __init__(self, seconds: int, most: int) -> None:
        self.seconds = seconds
        self.most = most
        self.cap = most
        self.until = 0
        self.turn = 0
        self.sum = 0
        self._turns: deque[int] = deque()
        self.counts: dict[int, int] = {}

    def room(self, now: int) -> int:
        """Return how much may still be used; below 0 where more than that was."""
        turn = now // self.seconds
        if turn != self.turn:
            self.move(turn)
        return (self.most if now >= self.until else self.cap) - self.sum

    def move(self, turn: int) -> None:
        """Forget what has left the window by a turn."""
        self.turn = turn
        turns, oldest = self._turns, turn - TURNS
        while turns and turns[0] < oldest:
            self.sum -= self.counts.pop(turns.popleft())

    def add(self, amount: int) -> None:
        """Count a use in the turn that `room` was last asked about."""
        turn, counts = self.turn, self.counts
        if turn in counts:
            counts[turn] += amount
        else:
            counts[turn] = amount
            self._turns.append(turn)
        self.sum += amount

    def take_back(self, at: int, amount: int) -> None:
        """Count a use less that was made then; what has left the window changes nothing."""
        turn = at // self.seconds
        if turn in self.counts:
            self.counts[turn] -= amount
            self.sum -= amount

    def wait(self, now: int, amount: int) -> int:
        """Return the milliseconds until so much may be used; the whole window where it never may."""
        if amount <= self.room(now) or not amount:
            return 0
        if amount > self.most:
            return self.seconds * 1000
        opens = self._opens(self.sum + amount - self.most)
        if now < self.until:
            opens = max(opens, self.until)
            if amount <= self.cap:
                opens = min(opens, self._opens(self.sum + amount - self.cap))
        return opens - now

    def _opens(self, excess: int) -> int:
        """Return when so much has left the window; 0 where that is no more than nothing."""
        opens = 0
        for turn in self._turns if excess > 0 else ():
            opens = (turn + TURNS + 1) * self.seconds
            excess -= self.counts[turn]
            if excess <= 0:
                break
        return opens

    def reset(self, now: int) -> int:
        """Return the milliseconds until nothing counts any more."""
        return (self._turns[-1] + TURNS + 1) * self.seconds - now if self._turns else 0

    def uses(self, since: int) -> list[tuple[int, int]]:
        """Return what was used in each turn since then, with the last moment of the turn."""
        first = since // self.seconds
        turns = (turn for turn in self._turns if turn >= first and self.counts[turn])
        return [((turn + 1) * self.seconds - 1, self.counts[turn]) for turn in turns]

    def follow(self, other: "SlidingWindow", now: int) -> None:
        """Begin with what another window of the same use remembers."""
        self.room(now)
        for at, amount in other.uses(now - self.seconds * 1000):
            turn = min(at // self.seconds, self.turn)
            if turn not in self.counts:
                self.counts[turn] = 0
                self._turns.append(turn)
            self.counts[turn] += amount
            self.sum += amount
