"""Limits counted in this process: exact, at once, and forgotten when it ends."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from infway.kernel.account import Holder, Limits
from infway.kernel.clock import Clock
from infway.state.meter import Kind, Need, Refused, Standing, Ticket, Verdict, shared, windows_of
from infway.state.window import SlidingWindow

_SOON = 1.0  # seconds after which a place among those at once may be free


class Book:
    """What one holder has used. `held`: how many of its requests are under way."""

    __slots__ = ("concurrent", "cut", "held", "id", "kept", "limits", "used", "windows")

    def __init__(self, holder: Holder, now: int) -> None:
        self.id = holder.id
        self.held = 0
        self.used = now  # milliseconds: when it was last asked for
        self.kept = 0  # milliseconds that anything of it is remembered
        self.cut = -1  # which cut of its meter it is held to
        self.limits = Limits()
        self.concurrent: int | None = None
        self.windows: list[tuple[int, SlidingWindow]] = []

    def limit(self, limits: Limits, now: int) -> None:
        """Count against these limits from now on.

        A window that is new begins with what the next longer one of its kind remembers.
        """
        known = {(kind, window.seconds): window for kind, window in self.windows}
        windows: list[tuple[int, SlidingWindow]] = []
        for kind, (seconds, most) in windows_of(limits):
            window = known.get((int(kind), seconds))
            if window is None:
                window = SlidingWindow(seconds, most)
                longer = sorted(one[1] for one in known if one[0] == kind and one[1] > seconds)
                shorter = sorted(one[1] for one in known if one[0] == kind)
                for length in (*longer, *reversed(shorter))[:1]:
                    window.follow(known[int(kind), length], now)
            window.most = most
            windows.append((int(kind), window))
        self.windows = windows
        self.concurrent = limits.concurrent
        self.kept = max((window.seconds for _, window in windows), default=0) * 1001

    def refusal(self, amounts: tuple[int, ...], now: int) -> Refused | None:
        """Return what refuses a request, None where nothing does."""
        for kind, window in self.windows:  # `window.room`, without a call for each
            turn = now // window.seconds
            if turn != window.turn:
                window.move(turn)
            used = window.sum + amounts[kind]
            if used > (window.most if now >= window.until else window.cap) and amounts[kind]:
                never = any(amounts[also] > other.most for also, other in self.windows)
                return Refused(Kind(kind), self.id, 0.0, never)
        if self.concurrent is not None and self.held >= self.concurrent:
            return Refused(Kind.CONCURRENT, self.id, _SOON, never=self.concurrent == 0)
        return None

    def move(self, now: int) -> None:
        """Forget what has left its windows."""
        for _, window in self.windows:
            window.room(now)

    def wait(self, amounts: tuple[int, ...], now: int) -> int:
        """Return the milliseconds until all its windows have room."""
        waits = (window.wait(now, amounts[kind]) for kind, window in self.windows)
        return max(waits, default=0)

    def add(self, amounts: tuple[int, ...]) -> None:
        """Count what was not refused, or a try, at the time of `refusal`."""
        for kind, window in self.windows:
            amount = amounts[kind]
            if not amount:
                continue
            if window.turn in window.counts:  # `window.add`, without a call for each
                window.counts[window.turn] += amount
                window.sum += amount
            else:
                window.add(amount)


_TRY = (0, 1, 0, 0)
"""A try by the numbers of the kinds, where it uses nothing else."""


class MemoryMeter:
    """Counts in this process alone.

    `parts`: of the limits, this is the share of one of so many, from the next `cut` on.
    """

    def __init__(self, clock: Clock, parts: int = 1) -> None:
        self.clock = clock
        self.parts = parts
        self.cut = 0
        self.books: OrderedDict[str, Book] = OrderedDict()

    @property
    def degraded(self) -> bool:
        """Return False: there is no store that could be away."""
        return False

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Keep nothing: there is nothing to open."""
        yield

    async def take(self, holders: Sequence[Holder], need: Need) -> Verdict:
        """Count one try."""
        return self.taken(holders, need)

    async def standing(self, holders: Sequence[Holder]) -> Verdict:
        """Return where the limits stand."""
        now = self.now()
        books = [self.book(one, now) for one in holders]
        for book in books:
            book.move(now)
        return self._verdict(books, now, None, None)

    def taken(self, holders: Sequence[Holder], need: Need) -> Verdict:
        """Count one try, without waiting for anything."""
        now = self.now()
        amounts = (0, 1, need.tokens, need.characters)
        books = [self.book(one, now) for one in holders]
        for place, book in enumerate(books, 1):
            refused = book.refusal(amounts, now)
            if refused is not None:
                wait = _tried(books, place, amounts, now) / 1000
                after = refused._replace(retry_after=max(refused.retry_after, wait))
                return self._verdict(books, now, None, after)
        for book in books:
            book.add(amounts)
            book.held += 1
        return self._verdict(books, now, Ticket(holders, need.tokens, now), None)

    def settle(self, ticket: Ticket, tokens: int) -> None:
        """Put what was really used in the place of what was estimated.

        Less is taken back where it was counted; more counts from now on.
        """
        more = tokens - ticket.tokens
        ticket.tokens = tokens
        now = self.now()
        for holder in ticket.holders if more else ():
            book = self.books.get(holder.id)
            for kind, window in book.windows if book is not None else ():
                if kind == Kind.TOKENS:
                    window.room(now)
                    if more > 0:
                        window.add(more)
                    else:
                        window.take_back(ticket.at, -more)

    def release(self, ticket: Ticket) -> None:
        """Give the place among those at once back."""
        if ticket.held:
            ticket.held = False
            for holder in ticket.holders:
                book = self.books.get(holder.id)
                if book is not None and book.held:
                    book.held -= 1

    def now(self) -> int:
        """Return the time in milliseconds."""
        return int(self.clock.monotonic() * 1000)

    def book(self, holder: Holder, now: int) -> Book:
        """Return what a holder has used; on the way one that was long unused is forgotten."""
        books = self.books
        book = books.get(holder.id)
        if book is None:
            book = books[holder.id] = Book(holder, now)
            self._forget(now)
        else:
            books.move_to_end(holder.id)
            book.used = now
        if book.limits is not holder.limits and book.limits != holder.limits:
            book.limits = holder.limits
            book.cut = -1
        if book.cut != self.cut:
            book.cut = self.cut
            book.limit(shared(book.limits, self.parts), now)
            self.cap(book, now)
        return book

    def cap(self, book: Book, now: int) -> None:
        """Hold a book to less than its limits where not all is known of it; here all is."""

    def _forget(self, now: int) -> None:
        """Drop books that nothing is known of any more; those that were used last stay behind."""
        for name in list(self.books)[:2]:
            book = self.books[name]
            if book.held:
                self.books.move_to_end(name)
            elif book.used + book.kept < now:
                del self.books[name]

    def _verdict(
        self, books: Sequence[Book], now: int, ticket: Ticket | None, refused: Refused | None
    ) -> Verdict:
        tightest: list[SlidingWindow | None] = [None, None, None, None]
        rooms = [0, 0, 0, 0]
        for book in books:
            for kind, window in book.windows:
                most = window.most if now >= window.until else window.cap
                room = most - window.sum
                if tightest[kind] is None or room < rooms[kind]:
                    tightest[kind], rooms[kind] = window, room
        wall = self.clock.wall()
        requests, tokens = tightest[Kind.REQUESTS], tightest[Kind.TOKENS]
        return Verdict(
            ticket,
            refused,
            None if requests is None else _told(requests, now, wall),
            None if tokens is None else _told(tokens, now, wall),
        )


def _tried(books: Sequence[Book], place: int, amounts: tuple[int, ...], now: int) -> int:
    """Count a try with the first so many; return the milliseconds until they let it in.

    That is reckoned after the try itself, which keeps a place until it leaves the window.
    """
    for book in books:  # those that were not asked are told of as well
        book.move(now)
    for book in books[:place]:
        book.add(_TRY)
    return max(book.wait(amounts, now) for book in books[:place])


def _told(window: SlidingWindow, now: int, wall: float) -> Standing:
    limit = window.most if now >= window.until else window.cap
    room = limit - window.sum
    return Standing(limit, max(0, room), wall + window.reset(now) / 1000)
