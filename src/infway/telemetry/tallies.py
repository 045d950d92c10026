"""Numbers of one process that others can read at any moment, and that outlive it.

Each worker counts in a memory-mapped file of its own: an addition costs a look into a dictionary
and eight bytes written, no system call. Whoever is asked for the metrics reads all files, its own
included, so that no number ever goes back; who takes the place of a dead worker goes on counting
in its file. Without a folder the numbers are in memory, in the same form.
"""

import fcntl
import mmap
import os
import sys
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from threading import Lock
from typing import BinaryIO, NamedTuple

import msgspec

Key = tuple[str, ...]  # a metric's name, its labels' values, and what kind of number it is

OTHER = "other"
"""What a label says where there are too many of its values, or none."""

MOST = 50_000
"""Numbers of one process, about 100 bytes each: enough for thousands of offers. Labels are closed sets;
should one of them not be, what comes beyond counts together."""

_ROOM = (
    1 << 18
)  # bytes of a file at first: about two thousand numbers; it doubles where that is full
_WORD = 8
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Key).decode


class Counted(NamedTuple):
    """What one process has counted; `lives`: whether it still does."""

    numbers: Mapping[Key, float]
    lives: bool


class Tallies:
    """The numbers of this process. `folder`: where those of all workers are; None: there are none.

    `most`: how many there may be; what comes beyond is counted under the labels `other`.
    A file is a row of words of 8 bytes: how many are used, then for each number the length of its
    key in bytes, the key in MessagePack, filled up to whole words, and the number. A number is
    written whole before it is counted as used, so that a reader never sees half of one.
    """

    def __init__(self, folder: Path | None = None, most: int = MOST) -> None:
        self._folder = folder
        self._most = most
        self._labels: dict[str, int] = {}
        self._lock = Lock()
        self._places: dict[Key, int] = {}
        self._file = -1 if folder is None else _taken(folder)
        self._bytes = memoryview(b"")
        self._words = self._bytes.cast("Q")
        self._numbers = self._bytes.cast("d")
        self._map(max(_ROOM, 0 if folder is None else os.fstat(self._file).st_size))
        self._words[0] = max(1, self._words[0])
        self._places.update(_places(self._bytes, self._words))

    @property
    def is_shared(self) -> bool:
        """Whether others read along."""
        return self._folder is not None

    def name(self, metric: str, labels: int) -> None:
        """Say how many labels a metric has; the keys of one that has any may become too many."""
        self._labels[metric] = labels

    def add(self, key: Key, amount: float) -> None:
        """Count some more."""
        with self._lock:
            place = self._places.get(key) or self._place(key)
            self._numbers[place] += amount

    def put(self, key: Key, number: float) -> None:
        """Say what a number is now."""
        with self._lock:
            place = self._places.get(key) or self._place(key)
            self._numbers[place] = number

    def own(self) -> Mapping[Key, float]:
        """Return the numbers of this process."""
        with self._lock:
            return {key: self._numbers[place] for key, place in self._places.items()}

    def others(self) -> Iterator[Counted]:
        """Yield what each of the other workers has counted, also those that died."""
        if self._folder is None:
            return
        mine = os.fstat(self._file).st_ino
        for path in sorted(self._folder.iterdir()):
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_ino != mine:
                    yield Counted(_read(file), not _locked(file.fileno(), fcntl.LOCK_SH))

    def _place(self, key: Key) -> int:
        """Make room for a number, which is 0; return its place."""
        labels = self._labels.get(key[0], 0)
        if labels and len(self._places) >= self._most:
            key = (key[0], *[OTHER] * labels, *key[1 + labels :])
            if key in self._places:
                return self._places[key]
        name = _encode(key)
        used = self._words[0]
        place = used + 1 + _words_of(len(name))
        while (place + 1) * _WORD > len(self._bytes):
            self._map(2 * len(self._bytes))
        self._words[used] = len(name)
        start = (used + 1) * _WORD
        self._bytes[start : start + len(name)] = name
        self._words[0] = place + 1
        self._places[key] = place
        return place

    def _map(self, size: int) -> None:
        """Have so many bytes, with what was there before in front."""
        if self._folder is None:
            before = bytes(self._bytes) if self._places else b""
            room = mmap.mmap(-1, size)
            room[: len(before)] = before
        else:
            os.ftruncate(self._file, size)
            room = mmap.mmap(self._file, size)
        self._bytes = memoryview(room)
        self._words = self._bytes.cast("Q")
        self._numbers = self._bytes.cast("d")


def _taken(folder: Path) -> int:
    """Return the first file that nobody counts in, made where all are taken; it is ours from now on."""
    for number in count():
        file = os.open(folder / str(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if _locked(file, fcntl.LOCK_EX):
            return file
        os.close(file)
    raise AssertionError  # numbers do not end


def _locked(file: int, how: int) -> bool:
    """Lock a file until it is closed, unless another process counts in it; return whether it worked."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: BinaryIO) -> Mapping[Key, float]:
    """Return the numbers of a file; one that was made just now may be empty."""
    head = file.read(_WORD)
    used = int.from_bytes(head, sys.byteorder)
    content = memoryview(head + file.read(max(0, used - 1) * _WORD))
    if not used:
        return {}
    numbers = content.cast("d")
    return {key: numbers[place] for key, place in _places(content, content.cast("Q"))}


def _places(content: memoryview, words: memoryview) -> Iterator[tuple[Key, int]]:
    """Yield each key and the place of its number."""
    at, end = 1, words[0]
    while at < end:
        start = (at + 1) * _WORD
        place = at + 1 + _words_of(words[at])
        yield _decode(content[start : start + words[at]]), place
        at = place + 1


def _words_of(length: int) -> int:
    """Return how many words so many bytes fill."""
    return -(-length // _WORD)
