"""Where a conversation was served last, since a prompt cache is likely to be warm there."""

from typing import NamedTuple


class Warm(NamedTuple):
    """Which offer served it, when (monotonic seconds), and how many input tokens it read."""

    offer: int
    at: float
    tokens: int


class Affinity:
    """The last offer per affinity value; bounded, the longest unused is forgotten first.

    `share`: what is new is kept for other replicas until they ask.
    """

    __slots__ = ("_life", "_most", "_news", "_warm")

    def __init__(self, life: float, most: int, *, share: bool = False) -> None:
        self._life = life
        self._most = most
        self._warm: dict[int, Warm] = {}
        self._news: dict[int, Warm] | None = {} if share else None

    def served(self, value: int, warm: Warm) -> None:
        """Remember who served it last."""
        self.learn(value, warm)
        if self._news is not None:
            self._news[value] = warm

    def learn(self, value: int, warm: Warm) -> None:
        """Remember who served it last, as another replica says."""
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

    def news(self, most: int) -> list[tuple[int, Warm]]:
        """Return and forget what is new here since the last time, the latest of it."""
        if not self._news:
            return []
        news = list(self._news.items())[-most:]
        self._news.clear()
        return news

    def latest(self, most: int) -> list[tuple[int, Warm]]:
        """Return what was served last of all."""
        return list(self._warm.items())[-most:]

    def __len__(self) -> int:
        return len(self._warm)
