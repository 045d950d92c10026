"""Load by wrk: how many requests a system completed and what CPU time it spent on them."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.failure import UnmeasuredError
from bench.payloads import PATH, chat_body
from bench.processes import Running, pinned

_SCRIPT = """\
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer {key}"
wrk.body = [==[{body}]==]
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\\nRESULT {{"requests": %d, "seconds": %f, "faults": %d}}\\n',
    summary.requests, summary.duration / 1e6,
    e.connect + e.read + e.write + e.timeout + e.status))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """One kind of traffic: `connections` ask again as soon as they are answered."""

    script: Path
    connections: int
    core: int | None
    path: str = PATH


@dataclass(frozen=True, slots=True)
class Target:
    """A system under test and the port it answers on."""

    process: Running
    port: int


@dataclass(frozen=True, slots=True)
class Round:
    """CPU microseconds of the target's process tree per completed request, and its rate."""

    cpu_us: float
    per_second: float


def write_script(folder: Path, *, stream: bool, key: str) -> Path:
    """The wrk script for chat requests; wrk reports its counts as JSON."""
    name = "stream" if stream else "json"
    return write_request(folder, name, chat_body(stream=stream).decode(), key)


def write_request(folder: Path, name: str, body: str, key: str) -> Path:
    """The wrk script that sends a body."""
    script = folder / f"{name}.lua"
    script.write_text(_SCRIPT.format(key=key, body=body))
    return script


def measure(target: Target, load: Load, seconds: int) -> Round:
    """One round; UnmeasuredError if wrk saw a single error, because errors are cheap answers."""
    before = target.process.cpu_s()
    argv = ["wrk", "-t1", f"-c{load.connections}", f"-d{seconds}s", "--timeout", "20s"]
    argv += ["-s", str(load.script), f"http://127.0.0.1:{target.port}{load.path}"]
    ran = subprocess.run(pinned(argv, load.core), capture_output=True, text=True, check=False)
    spent = target.process.cpu_s() - before
    result = next((line for line in ran.stdout.splitlines() if line.startswith("RESULT ")), None)
    if result is None:
        raise UnmeasuredError(f"wrk failed: {ran.stdout[-500:]}{ran.stderr[-500:]}")
    counts = json.loads(result.removeprefix("RESULT "))
    if counts["faults"] or not counts["requests"]:
        raise UnmeasuredError(
            f"{target.process.name}: {counts['faults']} faults in {counts['requests']} requests; "
            f"its output ends with: {target.process.last_words()}"
        )
    return Round(
        cpu_us=spent / counts["requests"] * 1e6,
        per_second=counts["requests"] / counts["seconds"],
    )
