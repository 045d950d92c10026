"""Keys of callers, looked up by digest: one look at a dictionary for each request.

Looking up a digest tells nothing about the key by its timing: whoever guesses does not know what
digest a guess has.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from infway.accounts.digests import Digests
from infway.accounts.spelling import whole
from infway.kernel.chat import Principal
from infway.kernel.clock import system_clock
from infway.kernel.errors import CallerError, GatewayError, UnavailableError

_NO_PEPPER = Digests()
_WALL = system_clock().wall


@dataclass(frozen=True, slots=True)
class Key:
    """One key as configured; `admin` may read decisions and other callers' data."""

    secret: str = field(repr=False)
    principal: Principal
    admin: bool = False


class Known(NamedTuple):
    """Who presents a key, until when (Unix seconds; None: for good)."""

    principal: Principal
    until: float | None = None


class Keyring:
    """All keys of a configuration, and those that were made at run time beside them.

    `wall`: Unix time. `fresh`: until when (Unix seconds) those made at run time are believed.
    `is_unsure` tells that keys may have been made of which nothing is known here, since their
    register cannot be read.
    """

    def __init__(
        self,
        keys: Iterable[Key],
        digests: Digests = _NO_PEPPER,
        wall: Callable[[], float] = _WALL,
    ) -> None:
        self._digests = digests
        self._begun = digests.begun
        self._wall = wall
        self._configured: dict[bytes, Known] = {}
        self._managed: Mapping[bytes, Known] = {}
        self._admins: set[bytes] = set()
        for key in keys:
            digest = digests.of(key.secret.encode())
            self._configured[digest] = Known(key.principal)
            if key.admin:
                self._admins.add(digest)
        self.fresh = math.inf
        self.is_unsure: Callable[[], bool] = lambda: False

    def hold(self, managed: Mapping[bytes, Known]) -> None:
        """Know these besides, and no others that were made at run time."""
        self._managed = managed

    def find(self, presented: bytes) -> Principal | None:
        """Return who presents this key, None where nobody is known by it."""
        made = self._begun.copy()  # as Digests.of, without a call: every request comes here
        made.update(presented)
        digest = made.digest()
        known = self._configured.get(digest)
        if known is None:
            known = self._managed.get(digest)
            if known is None:
                return None
            now = self._wall()
            if now >= self.fresh or (known.until is not None and now >= known.until):
                return None
        return known.principal

    def known(self, presented: bytes) -> Known | None:
        """Return the same, and until when."""
        if self.find(presented) is None:
            return None
        digest = self._digests.of(presented)
        return self._configured.get(digest) or self._managed.get(digest)

    def is_admin(self, presented: bytes) -> bool:
        """Tell whether this key may use the admin endpoints."""
        return self._digests.of(presented) in self._admins

    def refusal(self, presented: bytes) -> GatewayError:
        """Return the error for a key that was not found: one for all reasons that there are."""
        if self.is_unsure() and whole(presented.decode("latin-1")):
            message = "Keys cannot be looked up now."
            return UnavailableError(503, "accounting_unavailable", message, retry_after=1)
        return CallerError(401, "invalid_api_key", "The API key is not valid.")
