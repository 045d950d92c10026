"""Where a conversation was served last, since a prompt cache is likely to be warm there."""

from typing import NamedTuple


class Warm(NamedTuple):
    """Which offer served it, when (monotonic seconds), and how many input tokens it read."""

    offer: int
    at: float
    tokens: int


class Affinity:
    """The last offer per affinity value; bounded, the longest unused is forgotten first."""

    __slots__ = ("_life", "_most", "_warm")

    def __init__(self, life: float, most: int) -> None:
        self._life = life
        self._most = most
        self._warm: dict[int, Warm] = {}

    def served(self, value: int, warm: Warm) -> None:
        """Remember who served it last."""
        memory = self._warm
        memory.pop(value, None)
        memory[value] = warm
        if len(memory) > self._most:
            del memory[next(iter(memory))]

    def warm(self, value: int, now: float) -> Warm | None:
        """Return where the cache of this value is likely to be warm now, if anywhere."""
        warm = self._warm.get(value)
        if warm is None or now - warm.at > self._life:
            return None
        return warm

    def __len__(self) -> int:
        return len(self._warm)
