"""The data folder: the first start's key, the ledger, the pid of the running gateway.

Private to its owner. The key's shape is `sk-iw-<id 12>-<secret 43><checksum 6>`, all base 62: 43
letters hold 256 random bits, and the checksum tells a typing error from a key nobody knows.
"""

import os
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infway.kernel.errors import SettingsError

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX = "sk-iw-"
_ID, _SECRET, _CHECKSUM = 12, 43, 6  # letters

Below = Callable[[int], int]  # a random number from 0 up to, but without, its argument


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
    def pid_file(self) -> Path:
        """Where the running gateway says which process it is."""
        return self.path / "infway.pid"

    def make(self) -> None:
        """Make the folder, mode 0700; raises SettingsError where that cannot be."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(self.path, error) from error

    def key(self) -> str | None:
        """Return the first start's key, None where there is none."""
        try:
            return self.key_file.read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise _unusable(self.key_file, error) from error

    def make_key(self, below: Below) -> str:
        """Return the key, made if there is none; of two starts at once, one makes it for both."""
        self.make()
        key = new_key(below)
        draft = self.key_file.with_name(f"key.{key[len(PREFIX) :][:_ID]}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(key + "\n")
            try:
                os.link(draft, self.key_file)  # whole or not at all, and never over another
            except FileExistsError:
                return self.key() or key
            finally:
                draft.unlink()
        except OSError as error:
            raise _unusable(self.key_file, error) from error
        return key

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


def new_key(below: Below) -> str:
    """Return a new key, from a source of randomness fit for secrets."""
    letters = "".join(ALPHABET[below(62)] for _ in range(_ID + _SECRET))
    body = f"{PREFIX}{letters[:_ID]}-{letters[_ID:]}"
    return body + _checksum(body)


def whole(key: str) -> bool:
    """Tell whether a key of infway's own shape was copied without a mistake."""
    body, checksum = key[:-_CHECKSUM], key[-_CHECKSUM:]
    length = len(PREFIX) + _ID + 1 + _SECRET
    return len(body) == length and body.startswith(PREFIX) and _checksum(body) == checksum


def _checksum(body: str) -> str:
    number, letters = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM):  # 62^6 is more than 2^32
        number, rest = divmod(number, 62)
        letters = ALPHABET[rest] + letters
    return letters


def _unusable(path: Path, error: Exception) -> SettingsError:
    reason = (
        error.strerror if isinstance(error, OSError) and error.strerror else "not readable text"
    )
    return SettingsError((f"{path}: {reason}; INFWAY_DATA_DIR names another folder",))
