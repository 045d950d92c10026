"""What the kernel's files say of memory and file descriptors: row 74 and 75 of the fault matrix."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from infway.pressure import Held, Level, files, memory_reader, raise_file_limit

STAT = "anon 5\ninactive_file 100\nactive_file 7\ntotal_inactive_file 200\n"


VERSION_2 = "sys/fs/cgroup"
VERSION_1 = "sys/fs/cgroup/memory"


def lay(root: Path, cgroup: str, files: Mapping[str, str]) -> Path:
    """Write what the kernel tells: the process's cgroup, and files by their paths."""
    for name, text in {"proc/self/cgroup": cgroup, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_container_of_version_2_is_read_without_the_cache_that_can_be_dropped(tmp_path: Path):
    pod = f"{VERSION_2}/pod/memory"
    told = {f"{pod}.max": "1000\n", f"{pod}.current": "960\n", f"{pod}.stat": STAT}
    assert memory_reader(lay(tmp_path, "0::/pod\n", told))() == Held(860, 1000)


def test_a_limit_above_the_own_cgroup_counts_where_that_has_none(tmp_path: Path):
    above, own = f"{VERSION_2}/slice/memory", f"{VERSION_2}/slice/pod/memory"
    told = {f"{own}.max": "max\n", f"{above}.max": "500\n", f"{above}.current": "50\n"}
    assert memory_reader(lay(tmp_path, "0::/slice/pod\n", told))() == Held(50, 500)


def test_a_path_of_the_host_means_the_mount(tmp_path: Path):
    told = {
        f"{VERSION_1}/memory.limit_in_bytes": "2000\n",
        f"{VERSION_1}/memory.usage_in_bytes": "1900\n",
        f"{VERSION_1}/memory.stat": STAT,
    }
    lay(tmp_path, "9:cpu:/\n4:memory:/docker/abc\n0::/\n", told)
    assert memory_reader(tmp_path)() == Held(1700, 2000)


@pytest.mark.parametrize(
    ("rss", "held"), [(900, Held(900 * 1024, 1000 * 1024)), (10, Held(0, 1000 * 1024))]
)
def test_a_machine_counts_only_for_who_holds_a_good_part_of_it(
    tmp_path: Path, rss: int, held: Held
):
    unlimited = str(2**63 - 4096)
    told = {
        f"{VERSION_1}/memory.limit_in_bytes": unlimited,
        "proc/meminfo": "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable: 100 kB\n",
        "proc/self/status": f"Name:\tinfway\nVmRSS:\t{rss} kB\n",
    }
    assert memory_reader(lay(tmp_path, "4:memory:/\n", told))() == held


@pytest.mark.parametrize("broken", ["", "max", "-5", "many", "\x00"])
def test_where_no_limit_can_be_read_nothing_is_said(tmp_path: Path, broken: str):
    told = {f"{VERSION_2}/memory.max": broken}
    assert memory_reader(lay(tmp_path, "0::/\nrubbish\n", told))() is None
    told = dict.fromkeys(("proc/meminfo", "proc/self/status"), broken)
    assert memory_reader(lay(tmp_path, "0::/\nrubbish\n", told))() is None


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
