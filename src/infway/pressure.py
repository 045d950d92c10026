"""How much of the machine is left: memory and file descriptors, read from the kernel's own files.

The numbers are rows 74 and 75 of the fault matrix (reliability, section 3.3).
"""

import resource
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import NamedTuple

_SHRINK, _REFUSE, _END = 0.85, 0.92, 0.96
_UNLIMITED = 2**60  # bytes; cgroup v1 writes 2**63 less a page where there is no limit
_OWN = 0.05  # a process that holds less of the whole machine cannot relieve it


class Level(IntEnum):
    """What is done about memory, each with all before it."""

    CALM = 0
    SHRINK = 1  # idle connections are closed
    REFUSE = 2  # no request is begun
    END = 3  # the largest of those that are open end


class Held(NamedTuple):
    """Bytes of memory in use, and how many there may be."""

    used: int
    limit: int

    @property
    def share(self) -> float:
        """How much of it is in use, from 0 to 1."""
        return self.used / self.limit

    @property
    def level(self) -> Level:
        """What has to be done."""
        return Level(sum(self.share >= mark for mark in (_SHRINK, _REFUSE, _END)))


Reader = Callable[[], Held | None]


def memory_reader(root: Path = Path("/")) -> Reader:
    """Return what reads the memory of this process's cgroup, or else of the machine.

    It returns None where nothing can be read. `root` stands before every path.
    """
    inner = _cgroup_reader(root)
    return inner or (lambda: _machine(root))


def _cgroup_reader(root: Path) -> Reader | None:
    """Return what reads the innermost cgroup with a limit, None where none has one."""
    for version in (_V2, _V1):
        for folder in _folders(root, version):
            if _limit(folder / version.limit) is not None:
                return partial(_cgroup, folder, version)
    return None


class _Version(NamedTuple):
    """Where a version of cgroups keeps what. Cache that can be dropped at any time is not in use."""

    mount: str
    controller: str
    limit: str
    used: str
    cache: str


_V2 = _Version("sys/fs/cgroup", "", "memory.max", "memory.current", "inactive_file")
_V1 = _Version(
    "sys/fs/cgroup/memory",
    "memory",
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    "total_inactive_file",
)


def _folders(root: Path, version: _Version) -> Sequence[Path]:
    """Return the folders of this process's cgroup, innermost first, those above it behind.

    In a container the path may be one of the host's, which is not there: then the mount counts.
    """
    mount = root / version.mount
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if version.controller in controllers.split(","):
            inner = mount / path.strip("/")
            above = [one for one in inner.parents if one.is_relative_to(mount)]
            return [one for one in (inner, *above) if one.is_dir()]
    return []


def _cgroup(folder: Path, version: _Version) -> Held | None:
    limit, used = _limit(folder / version.limit), _limit(folder / version.used)
    if limit is None or used is None:
        return None
    return Held(max(0, used - _fields(folder / "memory.stat").get(version.cache, 0)), limit)


def _limit(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() and 0 < int(text) < _UNLIMITED else None


def _machine(root: Path) -> Held | None:
    """Return the machine's memory, where this process holds a good part of it."""
    machine, own = _fields(root / "proc/meminfo"), _fields(root / "proc/self/status")
    total, free = machine.get("MemTotal"), machine.get("MemAvailable")
    if not total or free is None:
        return None
    is_ours = own.get("VmRSS", 0) >= _OWN * total
    return Held((total - free) * 1024 if is_ours else 0, total * 1024)


def _fields(path: Path) -> dict[str, int]:
    """Return the numbers of a file of names and numbers."""
    found: dict[str, int] = {}
    for line in _text(path).splitlines():
        name, *rest = line.replace(":", " ").split()
        if rest and rest[0].isdigit():
            found[name] = int(rest[0])
    return found


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text()
    return ""


def files() -> tuple[int, int]:
    """Return how many file descriptors are open, and how many may be."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _open_files(), limit


def raise_file_limit() -> None:
    """Have as many file descriptors as this process may take by itself."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _open_files() -> int:
    folder = Path("/proc/self/fd")
    with suppress(OSError):
        # since Linux 6.2 the folder's size is their number; before it was 0
        return folder.stat().st_size or sum(1 for _ in folder.iterdir())
    with suppress(OSError):
        return sum(1 for _ in Path("/dev/fd").iterdir())
    return 0
