"""The data folder: the first start's key, the ledger, and which gateways run from it.

Private to its owner. Several gateways may run from one folder: each has a file that it holds locked,
which ends with its process however that ends.
"""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from typing import NamedTuple

from infway.accounts.spelling import Below, new_id, new_key, new_pepper
from infway.kernel.errors import SettingsError

_held: dict[tuple[Path, int], tuple[Path, int]] = {}  # this process's files, and what locks them


class Running(NamedTuple):
    """A gateway that runs: its process, and where it is reached from this machine."""

    pid: int
    url: str


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
        """Where scripts read the pid of the running gateway; of several, the first that was started."""
        return self.path / "infway.pid"

    @property
    def running(self) -> Path:
        """Where each running gateway has its file."""
        return self.path / "running"

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
        """Say which process is a running gateway, and where it is reached from this machine."""
        self.make()
        self.remove_pid(pid)
        try:
            self.running.mkdir(mode=0o700, exist_ok=True)
            _held[self.path, pid] = _locked(self.running, Running(pid, url))
            self._name_first()
        except (OSError, UnicodeEncodeError) as error:
            raise _unusable(self.pid_file, error) from error

    def gateways(self) -> tuple[Running, ...]:
        """Return the gateways that run, in the order of their starts; what dead ones left is removed."""
        try:
            files = [one for one in self.running.iterdir() if not one.name.startswith(".")]
        except OSError:
            return ()
        return tuple(told for _, told in sorted(filter(None, map(_running, files))))

    def remove_pid(self, pid: int) -> None:
        """Take away what this process said of itself; others that run keep theirs."""
        path, descriptor = _held.pop((self.path, pid), (None, -1))
        if path is None:
            return
        path.unlink(missing_ok=True)
        os.close(descriptor)
        with suppress(OSError):  # whatever stands there is none of ours
            self._name_first()

    def _name_first(self) -> None:
        """Let the pid file name the gateway that was started first; none: take it away."""
        found = self.gateways()
        if not found:
            self.pid_file.unlink(missing_ok=True)
            return
        draft = self.pid_file.with_name(f".{self.pid_file.name}.{os.getpid()}")
        try:
            draft.write_text(f"{found[0].pid}\n{found[0].url}\n", encoding="ascii")
            draft.replace(self.pid_file)
        finally:
            draft.unlink(missing_ok=True)


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


def _locked(folder: Path, told: Running) -> tuple[Path, int]:
    """Make the file of a gateway; return it with the descriptor that holds it. It is never there unlocked."""
    path = folder / f"{told.pid}-{os.urandom(4).hex()}"  # in containers many have the same pid
    draft = path.with_name(f".{path.name}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
        os.write(descriptor, f"{told.pid}\n{told.url}\n".encode("ascii"))
        draft.rename(path)
    except BaseException:
        draft.unlink()
        os.close(descriptor)
        raise
    return path, descriptor


def _running(path: Path) -> tuple[int, Running] | None:
    """Return when a gateway was started, and which; None where it has ended, and its file is removed."""
    try:
        with path.open("rb") as file:
            try:
                flock(file, LOCK_SH | LOCK_NB)
            except BlockingIOError:
                pid, url = file.read().decode("ascii").split()
                return os.fstat(file.fileno()).st_mtime_ns, Running(int(pid), url)
        path.unlink(missing_ok=True)
    except (OSError, ValueError):  # it is gone by now, or not to be read by this user
        pass
    return None


def _unusable(path: Path, error: Exception) -> SettingsError:
    reason = (
        error.strerror if isinstance(error, OSError) and error.strerror else "not readable text"
    )
    return SettingsError((f"{path}: {reason}; INFWAY_DATA_DIR names another folder",))
