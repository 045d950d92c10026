"""How long the door waits, and how much it takes; numbers of the threat model, rows A7 and A8."""

from dataclasses import dataclass

MAX_TARGET = 8 * 1024  # bytes of a URL
MAX_FIELDS_SIZE = 16 * 1024  # bytes of all header lines
MAX_FIELDS = 100  # header lines
SPEED = 1024  # bytes a second that a body comes at, at least
GRACE = 5.0  # seconds before the speed of a body counts
LINGER = 1.0  # seconds that what is still sent by a refused caller is thrown away


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds. `hosts`: names that callers may ask for; none: any.

    `head`: until the head of a request is whole, also from the opening of a connection. `body`:
    until its body is. `idle`: between two requests. `write`: until a caller takes what waits for
    it. `connections`, `per_address`: how many are open at once; 0: as many as come.
    """

    head: float = 10.0
    body: float = 30.0
    idle: float = 75.0
    write: float = 30.0
    connections: int = 16_384
    per_address: int = 8_192
    hosts: frozenset[str] = frozenset()

    def body_time(self, size: int) -> float:
        """Return the seconds that a body of `size` bytes may take; negative: size unknown."""
        return self.body if size < 0 else min(self.body, GRACE + size / SPEED)
