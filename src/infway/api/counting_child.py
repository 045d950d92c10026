"""The process that counts tokens: it reads texts from its stdin, and writes how many they have.

Run as `python -m infway.api.counting_child`. It leaves when its stdin ends, as it does with the
gateway. A message is its length and MessagePack; the answer to it is a number alone.
"""

import struct
import sys
from typing import BinaryIO

import msgspec

from infway.providers.counting.vocabularies import tokens_of

NUMBER = struct.Struct("!Q")
"""How lengths and answers are written."""


class Weighing(msgspec.Struct, array_like=True):
    """Texts, and the vocabulary by which they are counted."""

    vocabulary: str
    texts: list[str]


_read = msgspec.msgpack.Decoder(Weighing).decode


def serve(asked: BinaryIO, told: BinaryIO) -> None:
    """Answer what is asked until nothing more comes."""
    while head := asked.read(NUMBER.size):
        (length,) = NUMBER.unpack(head)
        weighing = _read(asked.read(length))
        told.write(NUMBER.pack(tokens_of(weighing.texts, weighing.vocabulary)))
        told.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
