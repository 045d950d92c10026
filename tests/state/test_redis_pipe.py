"""One connection to a Redis that accepts all and reads nothing."""

import asyncio
import socket
from collections.abc import Callable

import pytest
import uvloop
from redis.exceptions import RedisError

from infway.state.redis import pool_of
from infway.state.redis_pipe import Away, Pipe

LARGE = b"x" * 8_000_000  # more than the buffers of both ends hold
LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


class Deaf:
    """A listener whose connections are made, and never read."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}?lib_name=&lib_version="

    def accepted(self) -> socket.socket:
        """Return the next connection."""
        connection, _ = self._listener.accept()
        connection.settimeout(10)
        return connection

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()


@pytest.fixture(params=LOOPS, ids=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> Callable[[], asyncio.AbstractEventLoop]:
    return request.param


def test_a_peer_that_reads_nothing_holds_no_command_beyond_the_deadline(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    deaf = Deaf()
    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            peer = runner.run(_asked_in_vain(deaf))
        with peer:
            assert _is_cut(peer)
    finally:
        deaf.close()


async def _asked_in_vain(deaf: Deaf) -> socket.socket:
    pipe = await Pipe.open(pool_of(deaf.url, socket_timeout=None), 0.1, 5.0)
    peer = deaf.accepted()
    async with asyncio.timeout(10):
        outcomes = await asyncio.gather(
            pipe.ask("SET", "key", LARGE), pipe.ask("PING"), return_exceptions=True
        )
        assert all(isinstance(one, Away) for one in outcomes), outcomes
        with pytest.raises((RedisError, OSError)):
            await pipe.ask("PING")
    return peer


def _is_cut(peer: socket.socket) -> bool:
    """Tell whether the connection ended before all of the command came."""
    got = 0
    try:
        while data := peer.recv(1_000_000):
            got += len(data)
    except ConnectionResetError:
        pass
    return got < len(LARGE)
