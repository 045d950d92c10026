"""What the kernel's files say of memory and file descriptors: row 74 and 75 of the fault matrix."""

import os
from pathlib import Path

import pytest

from infway.pressure import Held, Level, files, memory_reader, raise_file_limit

STAT = "anon 5\ninactive_file 100\nactive_file 7\ntotal_inactive_file 200\n"


def lay(root: Path, **texts: object) -> Path:
    """Write files; `__` in a name stands for a slash."""
    for name, text in texts.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(text))
    return root


def test_a_container_of_version_2_is_read_without_the_cache_that_can_be_dropped(tmp_path: Path):
    lay(tmp_path, proc__self__cgroup="0::/pod\n")
    inner = tmp_path / "sys/fs/cgroup/pod"
    inner.mkdir(parents=True)
    (inner / "memory.max").write_text("1000\n")
    (inner / "memory.current").write_text("960\n")
    (inner / "memory.stat").write_text(STAT)
    assert memory_reader(tmp_path)() == Held(860, 1000)


def test_a_limit_above_the_own_cgroup_counts_where_that_has_none(tmp_path: Path):
    lay(tmp_path, proc__self__cgroup="0::/slice/pod\n")
    inner = tmp_path / "sys/fs/cgroup/slice/pod"
    inner.mkdir(parents=True)
    (inner / "memory.max").write_text("max\n")
    (inner.parent / "memory.max").write_text("500\n")
    (inner.parent / "memory.current").write_text("50\n")
    assert memory_reader(tmp_path)() == Held(50, 500)


def test_a_path_of_the_host_means_the_mount(tmp_path: Path):
    lay(tmp_path, proc__self__cgroup="9:cpu:/\n4:memory:/docker/abc\n0::/\n")
    mount = tmp_path / "sys/fs/cgroup/memory"
    mount.mkdir(parents=True)
    (mount / "memory.limit_in_bytes").write_text("2000\n")
    (mount / "memory.usage_in_bytes").write_text("1900\n")
    (mount / "memory.stat").write_text(STAT)
    assert memory_reader(tmp_path)() == Held(1700, 2000)


@pytest.mark.parametrize(
    ("rss", "held"), [(900, Held(900 * 1024, 1000 * 1024)), (10, Held(0, 1000 * 1024))]
)
def test_a_machine_counts_only_for_who_holds_a_good_part_of_it(
    tmp_path: Path, rss: int, held: Held
):
    unlimited = str(2**63 - 4096)
    lay(tmp_path, proc__self__cgroup="4:memory:/\n")
    mount = tmp_path / "sys/fs/cgroup/memory"
    mount.mkdir(parents=True)
    (mount / "memory.limit_in_bytes").write_text(unlimited)
    lay(
        tmp_path,
        proc__meminfo="MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable: 100 kB\n",
        proc__self__status=f"Name:\tinfway\nVmRSS:\t{rss} kB\n",
    )
    assert memory_reader(tmp_path)() == held


@pytest.mark.parametrize("broken", ["", "max", "-5", "many", "\x00"])
def test_where_no_limit_can_be_read_nothing_is_said(tmp_path: Path, broken: str):
    lay(tmp_path, proc__self__cgroup="0::/\nrubbish\n", **{"sys__fs__cgroup__memory.max": broken})
    assert memory_reader(tmp_path)() is None
    lay(tmp_path, proc__meminfo=broken, proc__self__status=broken)
    assert memory_reader(tmp_path)() is None


@pytest.mark.parametrize(
    ("used", "level"),
    [
        (0, Level.CALM),
        (849, Level.CALM),
        (850, Level.SHRINK),
        (919, Level.SHRINK),
        (920, Level.REFUSE),
        (959, Level.REFUSE),
        (960, Level.END),
        (1200, Level.END),
    ],
)
def test_the_watermarks_are_those_of_the_design(used: int, level: Level):
    assert Held(used, 1000).level is level


def test_every_open_file_is_counted():
    before, most = files()
    assert 0 < before < most
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(10)]
    try:
        assert files() == (before + 10, most)
    finally:
        for one in opened:
            os.close(one)


def test_a_process_takes_all_the_files_it_may():
    raise_file_limit()
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft == hard
