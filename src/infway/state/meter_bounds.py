"""How long counting in Redis may take, and how often it is looked after."""

from typing import NamedTuple


class Bounds(NamedTuple):
    """How long things take at most, in seconds.

    `deadline` of each command, `connect` of a connection. `tick` between two looks; a look is
    trusted for `patience`. After `failures` in a row there is a `probe` now and then, and when one
    is answered both Redis and the process' own share hold for `rejoin`, until all other processes
    have said what they let in; for `brief` where it was away for no longer than that. A `lease` is
    renewed every third of it, and all `marks` are read again now and then. A process counts as one of
    those that share for `presence` after its last look.
    """

    deadline: float = 0.045  # a little less than the 50 ms that a request may take longer
    connect: float = 0.5
    tick: float = 0.15
    patience: float = 0.4
    failures: int = 3
    probe: float = 0.6
    rejoin: float = 1.5
    brief: float = 0.2
    lease: float = 30.0
    marks: float = 10.0
    presence: float = 60.0

    def milliseconds(self) -> tuple[int, int, int]:
        """Return `patience`, `lease` and `presence` as the store is told them."""
        return round(self.patience * 1000), round(self.lease * 1000), round(self.presence * 1000)
