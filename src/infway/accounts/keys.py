"""Gateway keys looked up by digest.

Keys are long random strings, so a plain SHA-256 is as good as a slow hash and 40 times cheaper;
looking up a digest tells nothing about the key by its timing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from infway.kernel.chat import Principal


@dataclass(frozen=True, slots=True)
class Key:
    """One key as configured; `admin` may read decisions and other callers' data."""

    secret: str = field(repr=False)
    principal: Principal
    admin: bool = False


class Keyring:
    """All keys of a configuration."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._principals: dict[bytes, Principal] = {}
        self._admins: set[bytes] = set()
        for key in keys:
            digest = sha256(key.secret.encode()).digest()
            self._principals[digest] = key.principal
            if key.admin:
                self._admins.add(digest)

    def find(self, presented: bytes) -> Principal | None:
        """Return who presents this key, None where nobody is known by it."""
        return self._principals.get(sha256(presented).digest())

    def is_admin(self, presented: bytes) -> bool:
        """Tell whether this key may use the admin endpoints."""
        return sha256(presented).digest() in self._admins
