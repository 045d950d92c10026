"""What every command is handed: the environment, and what follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infway.datadir import DataDir, data_dir


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The environment and the user's home, read once at the door."""

    environment: Mapping[str, str]
    home: Path

    @property
    def data(self) -> DataDir:
        """The data folder."""
        return data_dir(self.environment, self.home)

    @property
    def key(self) -> str | None:
        """The key to present to the running gateway: the variable's, or the first start's."""
        return self.environment.get("INFWAY_API_KEY") or self.data.key()

    def config(self, option: Path | None) -> Path | None:
        """Return the configuration file: the option's, or the variable's, or none."""
        if option is not None:
            return option
        named = self.environment.get("INFWAY_CONFIG")
        return Path(named) if named else None
