"""Whether Redis serves this process: said once when it stops, and once when all have it again."""

import logging

_log = logging.getLogger(__name__)


class Outage:
    """What one process says of its Redis, whoever uses it there."""

    def __init__(self) -> None:
        self._without: set[str] = set()
        self._works: bool | None = None

    def fails(self, user: str, so: str, why: str) -> None:
        """Note that a user has lost it; the first one says what that means, `so`, and `why` it is."""
        self._without.add(user)
        if self._works is not False:
            self._works = False
            _log.warning("redis fails, %s until it is back: %s", so, why)

    def answers(self, user: str) -> None:
        """Note that a user has it, or has it again; the last one says so."""
        self._without.discard(user)
        if not self._works and not self._without:
            self._works = True
            _log.info("redis answers, limits and evidence are shared with other replicas")
