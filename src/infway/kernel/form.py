"""A form with files as it was sent: one body of bytes, and where its parts are in it.

multipart/form-data is RFC 7578; the delimiters are those of RFC 2046, section 5.1.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple


class Part(NamedTuple):
    """One part. `start` is where its delimiter line begins, `value` and `end` bound what it says.

    `filename`: None for a plain field.
    """

    name: str
    filename: str | None
    start: int
    value: int
    end: int


class Length(NamedTuple):
    """How long a sound is: milliseconds, and whether they are only a guess."""

    milliseconds: int
    guessed: bool


class Form(NamedTuple):
    """A whole form. `kind`: the content type it came with, which names the boundary.

    `delimiter`: the line before each part, without its line end; the body begins with it.
    `closing`: where the last delimiter is, the one after all parts. `heard`: the length of all
    sounds in it, as it was read once.
    """

    kind: str
    body: bytes
    delimiter: bytes
    parts: tuple[Part, ...]
    closing: int
    heard: Length = Length(0, guessed=False)

    def value(self, part: Part) -> bytes:
        """Return what a part says."""
        return self.body[part.value : part.end]

    def named(self, *names: str) -> list[Part]:
        """Return the parts of these names in the order they came."""
        return [part for part in self.parts if part.name in names]

    def written(self, name: str, value: bytes, dropped: Collection[str] = ()) -> bytes:
        """Return the body with one field said anew, and without the fields that are dropped.

        Everything else stays as it was, byte for byte.
        """
        return b"".join(self._pieces(name, value, dropped))

    def _pieces(self, name: str, value: bytes, dropped: Collection[str]) -> Iterator[bytes]:
        body = self.body
        starts = [part.start for part in self.parts]
        if not self.named(name):
            head = b'%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n'
            yield head % (self.delimiter, name.encode())
            yield value + b"\r\n"
        for part, following in zip(self.parts, [*starts, self.closing][1:], strict=True):
            if part.name == name:
                yield body[part.start : part.value]
                yield value
                yield body[part.end : following]
            elif part.name not in dropped:
                yield body[part.start : following]
        yield body[self.closing :]
