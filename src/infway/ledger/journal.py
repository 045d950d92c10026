"""What this process has begun and settled, on record before anything is called or written.

One writes, from the event loop, without a system call: into the current segment, and when it is
full into a spare one. All else is done in the background: segments of which everything is in the
ledger are cleared and become spare, and spare ones are made ahead, for as long as the disk has room.
The last of them is the reserve of those who are under way.
"""

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import NamedTuple
from zlib import crc32

import msgspec

from infway.kernel.prices import Prices
from infway.ledger.opening import LedgerError
from infway.ledger.rows import Row
from infway.ledger.segment import FIRST, HEAD, LONGEST, Segment, records
from infway.ledger.spool import Place, entered

BEGUN, SEEN, SETTLED = 0, 1, 2
_SIZE = 1024 * 1024  # bytes of a segment: some 3,000 requests
_SPARES = 2  # segments ahead of the current one, and as many stay when they are not needed
_RESERVE = 0.25  # share of the last segment beyond which no request may begin; the rest is for those under way

_log = logging.getLogger(__name__)


class Entry(NamedTuple):
    """One record. `rows` are as they would be if the process died now; later ones replace them.

    BEGUN: an attempt is about to be made; its cost is that of its tokens at `prices`, in 10^-12
    USD. SEEN: what is known of an attempt by now. SETTLED: the last word of a request.
    """

    kind: int
    rows: tuple[Row, ...]
    prices: Prices | None = None


Rows = Sequence[Sequence[object]]
Position = tuple[int, int]
"""The number of a segment, and a place in it."""
_pack = HEAD.pack_into
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Entry).decode


class Journal:
    """The journal of one process. `folder`: where all journals are; None: it is in memory alone.

    `number`: of the current segment; they go up. `name`: of this run of the process, and of no other.
    """

    def __init__(self, folder: Path | None = None, size: int = _SIZE) -> None:
        self.folder = folder
        self._size = size
        self._place: Place | None = None
        self._segments: deque[tuple[int, Segment]] = deque()
        self._freed: deque[Segment] = deque()
        self._spares: deque[Segment] = deque()
        self._names = count(1)
        self._starved = False
        self._losing = False
        self._synced = (0, 0)
        self.number = 0
        self.name = token_hex(8)
        if folder is None:
            self._turn()

    @property
    def is_full(self) -> bool:
        """Whether no further request may begin: the rest of the last segment is for those under way."""
        return self._starved and self.is_low and self._current.at > self._size * _RESERVE

    @property
    def is_low(self) -> bool:
        """Whether no segment is ahead of the current one: it is for what begins and ends alone."""
        return not self._spares

    @property
    def segments(self) -> int:
        """How many are in use."""
        return len(self._segments)

    @property
    def first(self) -> int:
        """The number of the first segment in use; those before it are cleared, or will be."""
        return self._segments[0][0]

    @property
    def position(self) -> Position:
        """The number of the current segment, and where its next record goes."""
        return self.number, self._current.at

    def open(self) -> None:
        """Make the files; raises LedgerError."""
        if self.folder is None or self._place is not None:
            return
        try:
            self._place = entered(self.folder, self.name)
            self._turn()
            self._spares.append(self._made_segment())
        except OSError as error:
            self.close(keep=False)
            raise LedgerError(f"no journal can be written in {self.folder}: {error}") from error

    def write(self, kind: int, rows: Rows, prices: Prices | None = None) -> bool:
        """Write an entry, and tell whether all of it found room.

        `rows` may be plain tuples with the fields of rows.
        """
        data = _encode((kind, rows, prices))
        segment = self._current
        at, size = segment.at, len(data)
        end = at + 8 + size
        if end > segment.size or size > LONGEST:
            return self._overflow(kind, rows, prices, size)
        memory = segment.memory
        memory[at + 8 : end] = data
        _pack(memory, at, size, crc32(data))
        segment.at = (end + 7) & -8
        return True

    def _overflow(self, kind: int, rows: Rows, prices: Prices | None, size: int) -> bool:
        """Write what does not fit: in parts, or into the next segment."""
        if size > LONGEST:
            half = len(rows) // 2
            return half > 0 and all(
                self.write(kind, part, prices) for part in (rows[:half], rows[half:])
            )
        try:
            self._turn()
        except OSError:
            self._starved = True
            if not self._losing:
                self._losing = True
                _log.error("the journal is full: what happens now is lost if infway is killed")
            return False
        return self.write(kind, rows, prices)

    def _turn(self) -> None:
        """Go on with the next segment; raises OSError."""
        segment = self._spares.popleft() if self._spares else self._made_segment()
        self.number += 1
        segment.begin(self.number)
        self._current = segment
        self._segments.append((self.number, segment))

    def _made_segment(self) -> Segment:
        place = self._place
        path = None if place is None else place.path / f"{next(self._names)}.journal"
        return Segment(self._size, path)

    def mark(self, position: Position) -> None:
        """Have it known that all is in the ledger that was settled before a position."""
        self._current.mark(*position)

    def free(self, before: int) -> None:
        """Need the segments before this number no more."""
        segments = self._segments
        while segments[0][0] < before and len(segments) > 1:
            self._freed.append(segments.popleft()[1])

    def tidy(self) -> None:
        """Clear what is free, and have segments ahead. Called from the background."""
        while self._freed:
            segment = self._freed.popleft()
            if len(self._spares) < _SPARES:
                segment.wipe()
                self._spares.append(segment)
            else:
                segment.close(remove=True)
        try:
            while len(self._spares) < _SPARES:
                self._spares.append(self._made_segment())
            self._starved = self._losing = False
        except OSError as error:
            if not self._starved:
                _log.error("no room for another segment of the journal: %s", error)
            self._starved = True

    def sync(self) -> None:
        """Have everything survive the machine's death too. Called from the background."""
        since, now = self._synced, self.position
        if since == now:
            return
        try:
            for number, segment in list(self._segments):
                if since[0] <= number:
                    segment.sync()
            self._synced = now
        except OSError as error:
            _log.error("the journal cannot be synced: %s", error)

    def settled(self, since: int, until: Position) -> Iterator[tuple[Row, ...]]:
        """Return the rows that were settled from the beginning of a segment up to a position.

        Called from the background; none of these segments may be freed meanwhile.
        """
        for number, segment in list(self._segments):
            if since <= number <= until[0]:
                end = until[1] if number == until[0] else segment.at
                for entry in entries(records(segment.memory, FIRST, end)[0]):
                    if entry.kind == SETTLED:
                        yield entry.rows

    def close(self, *, keep: bool) -> None:
        """Give everything back; with `keep` the files stay, for who comes next."""
        for segment in (*(one for _, one in self._segments), *self._freed, *self._spares):
            segment.close(remove=not keep)
        if self._place is not None:
            self._place.leave()
            self._place = None


def entries(found: Iterable[bytes]) -> Iterator[Entry]:
    """Read records; one of another shape is left out, and said."""
    return filter(None, map(entry_of, found))


def entry_of(data: bytes) -> Entry | None:
    """Read a record; None where it is of another shape, which is said."""
    try:
        return _decode(data)
    except msgspec.MsgspecError as error:
        _log.error("a record of the journal cannot be read: %s", error)
        return None
