"""What a request says that chats have no words for, noted while it is read."""

from collections.abc import Iterable, Mapping


class Notes:
    """`needs`: paths the answer depends on. `lost`: paths other upstreams are not told."""

    def __init__(self) -> None:
        self._needs: dict[str, None] = {}
        self._lost: dict[str, None] = {}

    def need(self, path: str) -> None:
        """Note that only an upstream of Google's dialect can answer."""
        self._needs[path] = None

    def lose(self, path: str) -> None:
        """Note that other upstreams are not told."""
        self._lost[path] = None

    def lose_others(self, path: str, said: Mapping[str, object], known: Iterable[str]) -> None:
        """Note whatever stands in an object beside the known names; null says nothing."""
        prefix = f"{path}." if path else ""
        for name in said.keys() - known:
            if said[name] not in (None, [], {}):
                self._lost[prefix + name] = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The paths of what is needed."""
        return tuple(self._needs)

    @property
    def lost(self) -> tuple[str, ...]:
        """The paths of what is lost."""
        return tuple(sorted(self._lost))
