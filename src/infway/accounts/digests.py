"""Digests of keys: all that is ever kept of them.

A key has 256 random bits, so a slow hash would add nothing but a way to tire the gateway out. The
digest is keyed: whoever reads the database, but not the pepper, cannot even test a guess.
"""

from hashlib import blake2b, sha256

_MARK = b"infway: the pepper of the digests"


class Digests:
    """Makes digests with one pepper, of any length. `begun`: what each of them starts as a copy of."""

    def __init__(self, pepper: bytes = b"") -> None:
        key = sha256(pepper).digest()  # BLAKE2b takes 64 bytes at most
        self.begun = blake2b(digest_size=32, key=key)

    def of(self, presented: bytes) -> bytes:
        """Return the 32 bytes that stand for a key."""
        digest = self.begun.copy()
        digest.update(presented)
        return digest.digest()

    @property
    def mark(self) -> str:
        """What tells this pepper from others, and nothing else of it."""
        return self.of(_MARK)[:8].hex()
