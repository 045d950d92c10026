"""The data folder: private, and one key however many start at once."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from infway.datadir import DataDir, data_dir
from infway.kernel.errors import SettingsError


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_folder_and_key_are_for_their_owner_only(tmp_path: Path):
    data = DataDir(tmp_path / "deep" / "infway")
    data.make_key(secrets.randbelow)
    assert mode(data.path) == 0o700
    assert mode(data.key_file) == 0o600
    assert list(data.path.iterdir()) == [data.key_file]


def test_a_key_is_made_once_and_found_again(tmp_path: Path):
    data = DataDir(tmp_path)
    assert data.key() is None
    key = data.make_key(secrets.randbelow)
    assert data.make_key(secrets.randbelow) == data.key() == key


def test_many_starts_at_once_agree_on_one_key(tmp_path: Path):
    folders = [DataDir(tmp_path / "a") for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda data: data.make_key(secrets.randbelow), folders))
    assert keys == {folders[0].key()}


def test_the_pepper_is_made_once_is_as_hard_to_guess_as_a_key_and_for_its_owner_only(
    tmp_path: Path,
):
    data = DataDir(tmp_path / "a")
    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(lambda _: data.make_pepper(secrets.randbelow), range(16)))
    assert len(made) == 1
    assert len(made.pop()) == 43
    assert mode(data.pepper_file) == 0o600
    assert list(data.path.iterdir()) == [data.pepper_file]


URL = "http://127.0.0.1:8080"
HOLDS = """
import os, sys
from pathlib import Path
from infway.datadir import DataDir
DataDir(Path(sys.argv[1])).write_pid(os.getpid(), sys.argv[2])
print("here", flush=True)
sys.stdin.read()
DataDir(Path(sys.argv[1])).remove_pid(os.getpid())
"""


@contextmanager
def another(folder: Path, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Have another process that says it is a gateway of the folder, until its input ends."""
    argv = [sys.executable, "-c", HOLDS, str(folder), url]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"here\n"
            yield process
        finally:
            process.kill()


def test_the_pid_file_says_who_runs_and_where(tmp_path: Path):
    data = DataDir(tmp_path)
    assert data.gateways() == ()
    data.write_pid(os.getpid(), URL)
    assert data.gateways() == ((os.getpid(), URL),)
    assert data.pid_file.read_text() == f"{os.getpid()}\n{URL}\n"
    data.remove_pid(1)
    assert data.gateways() == ((os.getpid(), URL),)
    data.remove_pid(os.getpid())
    assert data.gateways() == ()
    assert not data.pid_file.exists()
    data.remove_pid(os.getpid())


def test_a_second_gateway_of_a_folder_leaves_the_first_one_known(tmp_path: Path):
    data = DataDir(tmp_path)
    data.write_pid(os.getpid(), URL)
    with another(tmp_path, "http://127.0.0.1:9000") as second:
        both = data.gateways()
        assert both == ((os.getpid(), URL), (second.pid, "http://127.0.0.1:9000"))
        assert data.pid_file.read_text().split()[0] == str(os.getpid())
        second.communicate()
        assert data.gateways() == ((os.getpid(), URL),)
        assert data.pid_file.read_text().split()[0] == str(os.getpid())
    data.remove_pid(os.getpid())
    assert not list(data.running.iterdir())


def test_the_first_of_two_that_stops_leaves_the_second_one_known(tmp_path: Path):
    data = DataDir(tmp_path)
    with another(tmp_path, URL) as first:
        data.write_pid(os.getpid(), "http://127.0.0.1:9000")
        assert data.pid_file.read_text().split()[0] == str(first.pid)
        first.communicate()
    assert data.pid_file.read_text() == f"{os.getpid()}\nhttp://127.0.0.1:9000\n"
    assert [one.pid for one in data.gateways()] == [os.getpid()]
    data.remove_pid(os.getpid())


def test_what_a_killed_gateway_left_is_cleared_and_names_nobody(tmp_path: Path):
    data = DataDir(tmp_path)
    with another(tmp_path, URL) as killed:
        killed.kill()
        killed.wait()
    assert len(list(data.running.iterdir())) == 1
    assert data.gateways() == ()
    assert not list(data.running.iterdir())
    data.write_pid(os.getpid(), URL)
    assert data.pid_file.read_text() == f"{os.getpid()}\n{URL}\n"
    data.remove_pid(os.getpid())


@pytest.mark.parametrize("text", [b"", b"x\n", b"\xff", b"-1\n"])
def test_a_pid_file_that_makes_no_sense_names_nobody(tmp_path: Path, text: bytes):
    data = DataDir(tmp_path)
    data.running.mkdir()
    for file in (data.pid_file, data.running / "1-2"):
        file.write_bytes(text)
    assert data.gateways() == ()
    data.write_pid(os.getpid(), URL)
    assert data.pid_file.read_text() == f"{os.getpid()}\n{URL}\n"
    data.remove_pid(os.getpid())


def test_the_folder_is_where_the_platform_keeps_data():
    home = Path("/home/x")
    assert data_dir({"INFWAY_DATA_DIR": "/d"}, home).path == Path("/d")
    assert data_dir({}, home, "linux").path == home / ".local/share/infway"
    assert data_dir({"XDG_DATA_HOME": "/s"}, home, "linux").path == Path("/s/infway")
    assert data_dir({"XDG_DATA_HOME": "s"}, home, "linux").path == home / ".local/share/infway"
    library = home / "Library" / "Application Support" / "infway"
    assert data_dir({"XDG_DATA_HOME": "/s"}, home, "darwin").path == library
    assert data_dir({}, home).ledger.name == "ledger.db"


def test_a_folder_that_cannot_be_made_is_a_problem_with_a_way_out(tmp_path: Path):
    (tmp_path / "file").touch()
    data = DataDir(tmp_path / "file" / "infway")
    with pytest.raises(SettingsError, match=r"Not a directory; INFWAY_DATA_DIR names another"):
        data.make_key(secrets.randbelow)
    with pytest.raises(SettingsError):
        data.write_pid(1, "http://127.0.0.1:1")
    with pytest.raises(SettingsError):
        data.key()


def test_a_key_file_that_is_not_text_is_a_problem(tmp_path: Path):
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not readable text"):
        DataDir(tmp_path).key()
    (tmp_path / "infway.pid").mkdir()
    with pytest.raises(SettingsError, match="Is a directory"):
        DataDir(tmp_path).write_pid(1, "http://127.0.0.1:1")
