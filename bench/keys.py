"""`python -m bench.keys [--samples N]`: what a wrong key tells and costs, and how soon one ends (N21).

A wrong secret of a key that there is takes as long as one of a key that there is not: at the
look-up and over a connection. A revoked key is refused by two gateways within five seconds.
"""

import argparse
import gc
import json
import math
import secrets
import socket
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from statistics import fmean, median, variance
from time import monotonic, perf_counter_ns, sleep, time

from bench.ports import free_port
from bench.processes import running, until
from bench.rig import ENVIRONMENT
from bench.standing import Standing, standing, verdict
from infway.accounts.capabilities import Actor
from infway.accounts.configured import Configured
from infway.accounts.digests import Digests
from infway.accounts.entries import Kind
from infway.accounts.keys import Keyring, Known
from infway.accounts.office import Office, Tools
from infway.accounts.register import Register
from infway.accounts.spelling import id_of, new_id, new_key
from infway.accounts.terms import KeyTerms
from infway.database.opening import database_at
from infway.datadir import DataDir
from infway.kernel.chat import Principal

_KEYS = 1000  # that there are
_LARGEST_T = 4.5  # of Welch's test, as leak tests have it: beyond it a difference is real
_SLOWEST_REVOCATION = 5.0  # seconds
_DEAREST = 200.0  # microseconds of CPU of a refusal
_NOISE = 0.95  # the share of the quickest samples that is compared: the rest is the machine's
_ROUNDS = 10
_BELOW = secrets.randbelow
_ME = Actor("bench")
Samples = list[int]
Pair = tuple[Samples, Samples]


def welch(pair: Pair) -> float:
    """Return t of two samples, both cropped at one time so that pauses of the machine are left out."""
    limit = sorted([*pair[0], *pair[1]])[int(_NOISE * (len(pair[0]) + len(pair[1])))]
    one, other = ([sample for sample in samples if sample <= limit] for samples in pair)
    spread = variance(one) / len(one) + variance(other) / len(other)
    return (fmean(one) - fmean(other)) / math.sqrt(spread)


def guesses(ids: Sequence[str], chance: Random) -> Generator[tuple[int, bytes]]:
    """Yield wrong keys in random order: 0 with the id of a key that there is, 1 with another."""
    while True:
        kind = chance.getrandbits(1)
        there = chance.choice(ids)
        other = new_id(_BELOW)
        yield kind, new_key(_BELOW, other if kind else there).encode()


def compared(ids: Sequence[str], count: int, ask: Callable[[bytes], None]) -> Pair:
    """Return how long wrong keys took, in nanoseconds."""
    pair: Pair = ([], [])
    drawn = guesses(ids, Random(7))
    gc.collect()
    gc.disable()
    for _ in range(count):
        kind, key = next(drawn)
        began = perf_counter_ns()
        ask(key)
        pair[kind].append(perf_counter_ns() - began)
    gc.enable()
    return pair


def at_the_look_up(count: int) -> Pair:
    """Compare in this process, by the function that every request calls."""
    digests = Digests(b"pepper of the bench")
    keys = [new_key(_BELOW) for _ in range(_KEYS)]
    ring = Keyring([], digests)
    ring.hold({digests.of(key.encode()): Known(Principal(key[:18])) for key in keys})

    def ask(key: bytes) -> None:
        if ring.find(key) is None:
            ring.refusal(key)

    compared([id_of(key) for key in keys], count // 10, ask)  # warm
    return compared([id_of(key) for key in keys], count, ask)


class Line:
    """One kept connection to a gateway, on which every request is refused or answered."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def status(self, key: bytes) -> int:
        """Ask for the models with a key, or for a chat without a body; return the status."""
        self._socket.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b\r\n"
            b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}" % key
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._socket.recv(65536)
        before, _, body = head.partition(b"\r\n\r\n")
        length = int(before.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self._socket.recv(65536)
        return int(head[9:12])

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def office_of(gateway: Standing) -> Office:
    """Return an office over the database of a gateway."""
    data = DataDir(gateway.ledger.parent)
    digests = Digests(data.make_pepper(_BELOW).encode())
    register = Register(database_at(gateway.ledger), digests.mark)
    return Office(register, Configured, Tools(digests, time, _BELOW))


@contextmanager
def replica(gateway: Standing) -> Generator[int]:
    """Run another gateway over the same data; yields its port."""
    said = json.loads(gateway.config.read_text())
    port = free_port()
    said["server"]["port"] = port
    config = gateway.config.with_name("replica.yaml")
    config.write_text(json.dumps(said))
    folder = gateway.config.parent / "logs"
    folder.mkdir()
    env = {**ENVIRONMENT, "INFWAY_DATA_DIR": str(gateway.config.parent)}
    argv = [sys.executable, "-m", "infway", "serve", "-c", str(config)]
    with running("replica", argv, core=None, folder=folder, env=env) as process:
        other = Standing(process, port, gateway.ledger, Path(config))
        until(other.is_ready, process, within_s=60, every_s=0.1)
        yield port


def revocations(gateway: Standing, office: Office) -> list[float]:
    """Return how many seconds it took until both refused a key that was revoked, each time."""
    took: list[float] = []
    with (
        replica(gateway) as port,
        closing(Line(gateway.port)) as one,
        closing(Line(port)) as other,
    ):
        for number in range(_ROUNDS):
            name = f"revoked-{number}"
            key = office.create(_ME, Kind.KEY, name, KeyTerms()).secret.encode()
            while 401 in (one.status(key), other.status(key)):
                sleep(0.01)
            office.revoke(_ME, Kind.KEY, name)
            began = monotonic()
            while {one.status(key), other.status(key)} != {401}:
                sleep(0.01)
            took.append(monotonic() - began)
    return took


def cpu_of_a_refusal(gateway: Standing, line: Line, count: int) -> float:
    """Return microseconds of CPU that the gateway's process takes for one."""
    before = gateway.process.cpu_s()
    drawn = guesses([new_id(_BELOW)], Random(8))
    for _ in range(count):
        line.status(next(drawn)[1])
    return (gateway.process.cpu_s() - before) / count * 1e6


def rehearse(count: int) -> int:
    """Measure everything, print it, and return the exit code."""
    local = at_the_look_up(count)
    print(f"look-up: t = {welch(local):+.2f} of {count} samples, median {median(local[0])} ns")
    door = standing(
        free_port(), wrong_keys_per_minute=0
    )  # what is measured is refusal after refusal
    with door as gateway, closing(Line(gateway.port)) as line:
        office = office_of(gateway)
        made = [office.create(_ME, Kind.KEY, None, KeyTerms()) for _ in range(20)]
        while line.status(made[-1].secret.encode()) == 401:
            sleep(0.01)
        ids = [one.entry.id for one in made]

        def ask(key: bytes) -> None:
            line.status(key)

        compared(ids, count // 10, ask)  # warm
        far = compared(ids, count, ask)
        cpu = cpu_of_a_refusal(gateway, line, count // 5)
        took = revocations(gateway, office)
    print(f"connection: t = {welch(far):+.2f} of {count}, median {median(far[0]) / 1000:.0f} us")
    print(f"a refusal takes {cpu:.0f} us of CPU")
    print(
        f"revoked on two gateways in {max(took):.2f} s at most, {median(took):.2f} s in the median"
    )
    return verdict(
        {
            "a wrong secret and an unknown id take as long at the look-up": abs(welch(local))
            < _LARGEST_T,
            "and over a connection": abs(welch(far)) < _LARGEST_T,
            "a refusal is cheap": cpu < _DEAREST,
            "a revoked key ends in time": max(took) <= _SLOWEST_REVOCATION,
        }
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m bench.keys", description=__doc__)
    parser.add_argument("--samples", type=int, default=100_000)
    return rehearse(parser.parse_args(arguments).samples)


if __name__ == "__main__":
    sys.exit(main())
