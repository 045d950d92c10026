"""The data folder: the first start's key, the ledger, the pid of the running gateway.

Private to its owner.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infway.accounts.spelling import Below, new_id, new_key, new_pepper
from infway.kernel.errors import SettingsError


@dataclass(frozen=True, slots=True)
class DataDir:
    """The folder, which need not exist yet."""

    path: Path

    @property
    def ledger(self) -> Path:
        """Where usage is recorded unless the configuration says otherwise."""
        return self.path / "ledger.db"

    @property
    def key_file(self) -> Path:
        """Where the first start's key is kept."""
        return self.path / "key"

    @property
    def spool(self) -> Path:
        """Where processes put down what they began and settled, until it is in the ledger."""
        return self.path / "spool"

    @property
    def pid_file(self) -> Path:
        """Where the running gateway says which process it is."""
        return self.path / "infway.pid"

    def make(self) -> None:
        """Make the folder, mode 0700; raises SettingsError where that cannot be."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(self.path, error) from error

    @property
    def pepper_file(self) -> Path:
        """Where the pepper of the digests is kept that was made here."""
        return self.path / "pepper"

    def key(self) -> str | None:
        """Return the first start's key, None where there is none."""
        return _read(self.key_file)

    def make_key(self, below: Below) -> str:
        """Return the key, made if there is none; of two starts at once, one makes it for both."""
        return self._made(self.key_file, new_key(below), below)

    def make_pepper(self, below: Below) -> str:
        """Return what the digests of keys are made with, made if there is none."""
        return _read(self.pepper_file) or self._made(self.pepper_file, new_pepper(below), below)

    def _made(self, path: Path, secret: str, below: Below) -> str:
        """Keep a secret in a file, unless there is one already; return the one that is kept."""
        self.make()
        draft = path.with_name(f"{path.name}.{new_id(below)}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secret + "\n")
            try:
                os.link(draft, path)  # whole or not at all, and never over another
            except FileExistsError:
                return _read(path) or secret
            finally:
                draft.unlink()
        except OSError as error:
            raise _unusable(path, error) from error
        return secret

    def write_pid(self, pid: int, url: str) -> None:
        """Say which process is the running gateway, and where it is reached from this machine."""
        self.make()
        try:
            self.pid_file.write_text(f"{pid}\n{url}\n", encoding="ascii")
        except (OSError, UnicodeEncodeError) as error:
            raise _unusable(self.pid_file, error) from error

    def pid(self) -> int | None:
        """Return the pid of the running gateway, None where none is known."""
        first, *_ = self._running()
        return int(first) if first.isdecimal() else None

    def url(self) -> str | None:
        """Return where the running gateway is reached, None where that is not known."""
        return next(iter(self._running()[1:]), None)

    def remove_pid(self, pid: int) -> None:
        """Take the pid file away, if it is still this process's own."""
        if self.pid() == pid:
            self.pid_file.unlink(missing_ok=True)

    def _running(self) -> list[str]:
        try:
            return self.pid_file.read_text(encoding="ascii").split() or [""]
        except (OSError, UnicodeDecodeError):
            return [""]


def data_dir(environment: Mapping[str, str], home: Path, platform: str = sys.platform) -> DataDir:
    """Return the data folder: INFWAY_DATA_DIR, or where the platform keeps such things."""
    if named := environment.get("INFWAY_DATA_DIR"):
        return DataDir(Path(named))
    if platform == "darwin":
        return DataDir(home / "Library" / "Application Support" / "infway")
    share = environment.get("XDG_DATA_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    root = Path(share) if share.startswith("/") else home / ".local" / "share"
    return DataDir(root / "infway")


def _read(path: Path) -> str | None:
    """Return the secret in a file, None where there is none."""
    try:
        return path.read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: Exception) -> SettingsError:
    reason = (
        error.strerror if isinstance(error, OSError) and error.strerror else "not readable text"
    )
    return SettingsError((f"{path}: {reason}; INFWAY_DATA_DIR names another folder",))
