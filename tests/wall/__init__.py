"""The wall: an upstream of the OpenAI dialect on a raw socket that misbehaves as it is told.

    async with wall() as up:
        up.base_url            # http://127.0.0.1:<port>/v1
        up.attempts            # what came, one Attempt per request, in order
        await up.attempts[0].closed.wait()    # set when the attempt's socket is gone

The model's (native) name is the script: `fault[@number][~key=value]...`. Several scripts joined
by `|` are played in turn, the last for ever: `reset|status@500|ok`. A name that is no fault's
plays `ok`: ANSWER, word by word, with USAGE. PLAYS lists the faults; `number` is a status, a
count of words before the fault, or milliseconds. Keys that every stream takes: `cut` (bytes per
write), `end` (lf, crlf, cr), `pause` (milliseconds between words), `usage=no`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.ports import free_port
from tests.wall import attacks as attacks  # its plays are added to the others
from tests.wall.answer import ANSWER, TEXT_OF, USAGE, WORDS
from tests.wall.line import Attempt, Socket, Wall
from tests.wall.plays import PLAYS, play
from tests.wall.refusals import BOMB
from tests.wall.streams import LETTERS, OTHER

__all__ = [
    "ANSWER",
    "BOMB",
    "LETTERS",
    "OTHER",
    "PLAYS",
    "TEXT_OF",
    "USAGE",
    "WORDS",
    "Attempt",
    "Wall",
    "closed_port",
    "wall",
]


@asynccontextmanager
async def wall() -> AsyncIterator[Wall]:
    """Run the wall on a free port of the loopback."""
    up = Wall(play)
    server = await asyncio.get_running_loop().create_server(lambda: Socket(up), "127.0.0.1", 0)
    up.port = server.sockets[0].getsockname()[1]
    try:
        yield up
    finally:
        server.close()
        for one in list(up.open):
            one.abort()
        await asyncio.gather(*(one.lost.wait() for one in list(up.open)))
        await server.wait_closed()


def closed_port() -> int:
    """Return a port of the loopback on which nobody listens, nor comes to listen by chance."""
    return free_port()
