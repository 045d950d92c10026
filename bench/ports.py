"""Ports of the loopback on which nobody listens, nor comes to listen by chance."""

import os
import socket
from contextlib import suppress
from itertools import count

# Below those that the kernel gives to whoever asks for any; each process begins elsewhere
_PORTS = range(12_000, 32_000)
_turns = count(os.getpid() * 7919)


def free_port() -> int:
    """Return one that was not returned before."""
    while True:
        port = _PORTS[next(_turns) % len(_PORTS)]
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
