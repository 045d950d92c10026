"""What one of several processes counts itself: what it lives on while the store is away.

Beside the store it notes what it let in, so that it can say so where the store forgets it. Cut off,
it holds to its share of each limit, and until what was let in before has left the window to less:

- it may let in again what it had let in itself by then, once that has left the window, so that all
  processes together let in no more than before;
- and half a share more where it knows that half of the window was free, see `meter_scripts.py`.

As long as it is not certain that the store is gone for all, the first of these is left to those
that still count there.
"""

from collections.abc import Container, Iterator, Sequence

from infway.kernel.account import Holder
from infway.state.meter import Kind, Need, Ticket, Verdict
from infway.state.meter_memory import Book, MemoryMeter
from infway.state.meter_store import Use

TO_COME = 2**53 - 1
"""When a use counts that counts from when the store hears of it: it takes what is to come for now."""


class OwnMeter(MemoryMeter):
    """The count of one process. All times in milliseconds of its clock."""

    _marked: Container[str] | None = None
    _fresh = 0
    _since = 0
    _unsure = False

    def cut_off(self, marked: Container[str] | None, fresh: int) -> None:
        """Hold to what is certain from now on: the store does not answer.

        `marked`: windows more than half used as of a moment ago, None: all may be. As long as the
        store may still be there for others, that is trusted until `fresh`.
        """
        self._since = self.now()
        self._marked, self._fresh = marked, fresh
        self._unsure = True
        self.cut += 1

    def settle_down(self) -> None:
        """Hold to what is certain now that the store is gone for all, or back."""
        self._unsure = False
        self.cut += 1

    def book(self, holder: Holder, now: int) -> Book:
        """Return what a holder has used, held to what is certain."""
        book = super().book(holder, now)
        if self._unsure and self.parts > 1:
            self.cap(book, now)
        return book

    def cap(self, book: Book, now: int) -> None:
        """Hold a book to what is certain; its share is what `parts` leave of the limit."""
        for kind, window in book.windows if self.cut and self.parts > 1 else ():
            window.room(now)
            share = window.most
            before = window.sum - sum(amount for _, amount in window.uses(self._since))
            spare = share // 2 if self._is_free(f"{book.id} {kind}:{window.seconds}", now) else 0
            window.cap = min(share, before + spare)
            window.until = now + 1
            if not self._unsure:
                window.until = self._since + window.seconds * 1001

    def _is_free(self, name: str, now: int) -> bool:
        """Tell whether half of a window was free at the end of what is known of it."""
        is_known = self._marked is not None and (now <= self._fresh or not self._unsure)
        return is_known and self._marked is not None and name not in self._marked

    def note(self, holders: Sequence[Holder], need: Need) -> Ticket:
        """Count what the store let in."""
        now = self.now()
        amounts = (0, 1, need.tokens, need.characters)
        for holder in holders:
            book = self.book(holder, now)
            for _, window in book.windows:
                window.room(now)
            book.add(amounts)
            book.held += 1
        return Ticket(holders, need.tokens, now)

    def alone(self, holders: Sequence[Holder], need: Need, lease: str) -> Verdict:
        """Count one try by what this process knows."""
        verdict = self.taken(holders, need)
        if verdict.ticket is not None:
            verdict.ticket.lease = lease
        return verdict

    def settle_tokens(self, ticket: Ticket, tokens: int) -> list[tuple[str, list[Use]]]:
        """Settle; return what changes in the store for each holder, where the store counted it."""
        more = tokens - ticket.tokens
        self.settle(ticket, tokens)
        if not more or ticket.stored is None:
            return []
        at = ticket.stored if more < 0 else TO_COME
        return [
            (one.id, [Use(Kind.TOKENS, window.seconds, at, more) for window in one.limits.tokens])
            for one in ticket.holders
            if one.limits.tokens
        ]

    def uses(self, since: int) -> Iterator[tuple[str, list[Use]]]:
        """Yield by holder what was used since then (milliseconds).

        Names are taken at once: what is used while this runs may be among it, or not.
        """
        for name in list(reversed(self.books)):
            book = self.books.get(name)
            if book is None or book.used < since:
                continue
            uses = [
                Use(kind, window.seconds, at, amount)
                for kind, window in book.windows
                for at, amount in window.uses(since)
            ]
            if uses:
                yield name, uses
