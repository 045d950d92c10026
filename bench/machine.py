"""What the figures were measured on."""

import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # psutil ships no types

from bench.report import Machine
from bench.rig import Rig
from bench.tools import nginx_path

PACKAGES = (
    "infway",
    "fastapi",
    "uvicorn",
    "uvloop",
    "httptools",
    "msgspec",
    "orjson",
)


QUIET = 0.5
"""Load average (one minute) up to which nothing else is running to speak of."""


def describe(rig: Rig, *, quick: bool) -> Machine:
    """Cores, CPU model, load before the run, versions and date (UTC)."""
    return {
        "cores": psutil.cpu_count() or 1,
        "cpu": _cpu_model(),
        "load_before": round(psutil.getloadavg()[0], 2),
        "pinned": rig.cores.under_test is not None,
        "quick": quick,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "nginx": _said([str(nginx_path()), "-v"]).rpartition("/")[2],
        "wrk": _said(["wrk", "-v"]).split()[1],
        **{package: version(package) for package in PACKAGES},
    }


def noise(machine: Machine) -> tuple[str, ...]:
    """A remark where something else was running before the bench began."""
    load = machine["load_before"]
    if not isinstance(load, float) or load <= QUIET:
        return ()
    return (f"the machine was not quiet (load {load}): expect worse times and wandering ratios",)


def _cpu_model() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _said(argv: list[str]) -> str:
    ran = subprocess.run(argv, capture_output=True, text=True, check=False)
    return (ran.stdout + ran.stderr).strip().splitlines()[0]
