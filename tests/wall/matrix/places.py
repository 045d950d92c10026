"""Places beside the wall at which an offer may stand: `place!script`.

Names end in `.test` and are known to `resolve` alone; certificates come from an authority of the
tests' own.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from tests.wall import Wall, closed_port
from tests.wall.certificates import KNOWN, Certificate, authority
from tests.wall.line import Socket

from infway.upstream.resolve import Addresses

_LOOPBACK = "127.0.0.1"


@dataclass
class Names:
    """Where the names of the tests are: the ports of each, on the loopback. None: nobody says.

    `is_down`: no name is resolved any more.
    """

    ports: dict[str, list[int] | None] = field(default_factory=dict)
    is_down: bool = False

    async def resolve(self, host: str, port: int) -> Addresses:
        """Answer as the system's resolver would."""
        if host == _LOOPBACK:
            return [_address(port)]
        if host not in self.ports or self.is_down:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        ports = self.ports[host]
        if ports is None:
            await asyncio.Event().wait()
        return [_address(one) for one in ports or ()]


def _address(port: int) -> tuple[int, int, int, str, tuple[str, int]]:
    return socket.AF_INET, socket.SOCK_STREAM, 0, "", (_LOOPBACK, port)


def trust() -> ssl.SSLContext:
    """Return what the gateway verifies with: it knows the tests' authority alone."""
    context = ssl.create_default_context(cadata=authority(KNOWN).pem)
    assert context.verify_mode is ssl.CERT_REQUIRED
    return context


Place = Callable[[Wall, Names], AbstractAsyncContextManager[str]]


@asynccontextmanager
async def _refused(_: Wall, __: Names) -> AsyncIterator[str]:
    yield f"http://{_LOOPBACK}:{closed_port()}/v1"


@asynccontextmanager
async def black_hole() -> AsyncIterator[int]:
    """A port whose connections are never taken up: its queue is full."""
    with socket.socket() as listener:
        listener.bind((_LOOPBACK, 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])
        for one in waiting:
            one.close()


@asynccontextmanager
async def _black_hole(_: Wall, __: Names) -> AsyncIterator[str]:
    async with black_hole() as port:
        yield f"http://{_LOOPBACK}:{port}/v1"


@asynccontextmanager
async def _no_name(_: Wall, __: Names) -> AsyncIterator[str]:
    yield "http://nobody.test/v1"


@asynccontextmanager
async def _named(up: Wall, names: Names) -> AsyncIterator[str]:
    names.ports["named.test"] = [up.port]
    yield f"http://named.test:{up.port}/v1"


@asynccontextmanager
async def _slow_name(_: Wall, names: Names) -> AsyncIterator[str]:
    names.ports["slow.test"] = None
    yield "http://slow.test/v1"


@asynccontextmanager
async def _two_addresses(up: Wall, names: Names) -> AsyncIterator[str]:
    async with black_hole() as dead:
        names.ports["two.test"] = [dead, up.port]
        yield f"http://two.test:{up.port}/v1"


@asynccontextmanager
async def _no_handshake(_: Wall, __: Names) -> AsyncIterator[str]:
    """The kernel takes the connection up, and nobody ever answers."""
    with socket.socket() as listener:
        listener.bind((_LOOPBACK, 0))
        listener.listen()
        yield f"https://{_LOOPBACK}:{listener.getsockname()[1]}/v1"


@asynccontextmanager
async def _plain(up: Wall, __: Names) -> AsyncIterator[str]:
    yield up.base_url.replace("http:", "https:")


def _certified(certificate: Certificate) -> Place:
    """The wall behind TLS, as `up.test`."""

    @asynccontextmanager
    async def place(up: Wall, names: Names) -> AsyncIterator[str]:
        loop, context = asyncio.get_running_loop(), certificate.context()
        server = await loop.create_server(lambda: Socket(up), _LOOPBACK, 0, ssl=context)
        names.ports["up.test"] = [server.sockets[0].getsockname()[1]]
        yield f"https://up.test:{names.ports['up.test'][0]}/v1"
        server.close()

    return place


PLACES: dict[str, Place] = {
    "refused": _refused,  # nobody listens
    "black-hole": _black_hole,
    "named": _named,
    "no-name": _no_name,
    "slow-name": _slow_name,
    "two-addresses": _two_addresses,  # the first of them a black hole
    "no-handshake": _no_handshake,
    "plain": _plain,  # HTTP where TLS is expected
    "tls": _certified(Certificate("up.test")),
    "expired": _certified(Certificate("up.test", days=-1)),
    "other-name": _certified(Certificate("other.test")),
    "unknown-ca": _certified(Certificate("up.test", issuer="unknown")),
}
