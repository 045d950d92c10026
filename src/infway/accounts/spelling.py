"""How keys are spelled: `sk-iw-<id 12>-<secret 43><checksum 6>`, all of it base 62.

43 letters hold 256 random bits. The checksum tells a typing error from a key that nobody knows, and
lets scanners of leaked secrets be sure. Keys of administrators begin with `ak-iw-`: what one kind
of endpoint takes, the other never does.
"""

import zlib
from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX = "sk-iw-"
ADMIN_PREFIX = "ak-iw-"
_ID, _SECRET, _CHECKSUM = 12, 43, 6  # letters
_LENGTH = len(PREFIX) + _ID + 1 + _SECRET + _CHECKSUM

Below = Callable[[int], int]  # a random number from 0 up to, but without, its argument


def new_id(below: Below) -> str:
    """Return the public part of a new key."""
    return _letters(below, _ID)


def new_key(below: Below, id: str | None = None, prefix: str = PREFIX) -> str:  # noqa: A002 - its name in the key
    """Return a new key, from a source of randomness fit for secrets; `id`: of one that there is."""
    body = f"{prefix}{id or new_id(below)}-{_letters(below, _SECRET)}"
    return body + _checksum(body)


def new_pepper(below: Below) -> str:
    """Return a secret that digests are made with: 256 random bits."""
    return _letters(below, _SECRET)


def whole(key: str) -> bool:
    """Tell whether a key of infway's own spelling was copied without a mistake."""
    if len(key) != _LENGTH or not key.startswith((PREFIX, ADMIN_PREFIX)) or not key.isascii():
        return False
    return _checksum(key[:-_CHECKSUM]) == key[-_CHECKSUM:]


def id_of(key: str) -> str:
    """Return the public part of a key of infway's own spelling; both prefixes are equally long."""
    return key[len(PREFIX) :][:_ID]


def _letters(below: Below, number: int) -> str:
    return "".join(ALPHABET[below(62)] for _ in range(number))


def _checksum(body: str) -> str:
    number, letters = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM):  # 62^6 is more than 2^32
        number, rest = divmod(number, 62)
        letters = ALPHABET[rest] + letters
    return letters
