"""The two programs that come from the distribution: wrk and nginx."""

from pathlib import Path
from shutil import which

from bench.failure import UnmeasuredError


def nginx_path() -> Path | None:
    """Where nginx is; distributions keep it off an ordinary user's path."""
    found = which("nginx") or which("nginx", path="/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


def check_tools() -> None:
    """UnmeasuredError with the command to run when wrk or nginx is not installed."""
    found = {"wrk": which("wrk"), "nginx-light": nginx_path()}
    missing = " ".join(package for package, path in found.items() if path is None)
    if missing:
        raise UnmeasuredError(
            f"not installed: {missing}. On Debian or Ubuntu: apt-get install -y {missing} "
            "(nginx need not run as a service; the bench starts its own)"
        )
