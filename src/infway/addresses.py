"""Addresses that are listened on, and what is said where one cannot be."""

import socket
from errno import EACCES, EADDRINUSE

from infway.kernel.errors import InfwayError

ADMIN_WAY = "admin.port: 9001 in the configuration"  # what an error of its address advises
BACKLOG = 4096  # connections that may wait to be accepted


class AddressError(InfwayError):
    """The address cannot be listened on."""


def bound(host: str, port: int, way: str = "--port 9000", *, shared: bool = False) -> socket.socket:
    """Return a socket that is bound, and does not listen yet; raises AddressError.

    `way`: what names another port. `shared`: other processes of this user may bind it, too, and
    each gets a part of the connections.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # uvloop and asyncio switch Nagle's algorithm off where the protocol is named
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except (OSError, UnicodeError) as error:
        listener.close()
        is_port = isinstance(error, OSError) and error.errno in (EADDRINUSE, EACCES)
        told = f"Another port: {way}" if is_port else "This machine alone: --host 127.0.0.1"
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise AddressError(f"{host}:{port} cannot be listened on: {reason}. {told}") from error
    return listener
