"""Tokens counted in a process of their own, so that no other request waits for them.

Whoever reads a vocabulary holds Python's lock all the while, half a second on an idle machine, in
whichever thread it is. The process is started for the first count; with both vocabularies it has
some 130 MB, which a process that serves has not.
"""

import asyncio
import atexit
import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from subprocess import PIPE, Popen

import msgspec

from infway.api.counting_child import NUMBER, Weighing
from infway.kernel.chat import ChatRequest, Principal
from infway.kernel.errors import CallerError, UnavailableError
from infway.pipeline.gateway import Gateway
from infway.providers.counting import Count, Weigh, readable

_UNSERVED = "model_not_found"
_COMMAND = (sys.executable, "-P", "-m", "infway.api.counting_child")  # -P: never from the cwd
_TRIES = 2  # a process that was killed is started once more
_write = msgspec.msgpack.Encoder().encode


class Scales:
    """The process that counts, as one thread at a time asks it. `command`: what starts it."""

    def __init__(self, command: Sequence[str] = _COMMAND) -> None:
        self._command = command
        self._child: Popen[bytes] | None = None

    def weigh(self, texts: Sequence[str], vocabulary: str) -> int:
        """Return the tokens of texts; raises UnavailableError where no process counts them."""
        try:
            data = _write(Weighing(vocabulary, list(texts)))
        except UnicodeEncodeError:
            data = _write(Weighing(vocabulary, [readable(text) for text in texts]))
        for _ in range(_TRIES):
            with suppress(OSError):
                answer = self._asked(data)
                if len(answer) == NUMBER.size:
                    (tokens,) = NUMBER.unpack(answer)
                    return int(tokens)
            self.close()
        message = "Tokens cannot be counted now."
        raise UnavailableError(503, "service_unavailable", message, retry_after=1)

    def close(self) -> None:
        """End the process; the next count starts another one."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            with suppress(OSError):
                child.communicate()

    def _asked(self, data: bytes) -> bytes:
        """Return the answer, which is cut short where the process ends."""
        child = self._child
        if child is None:
            # Ctrl-C is the gateway's, which first finishes its requests
            child = Popen(self._command, stdin=PIPE, stdout=PIPE, start_new_session=True)  # noqa: S603 - our own command
            self._child = child
        if child.stdin is None or child.stdout is None:
            return b""
        child.stdin.write(NUMBER.pack(len(data)))
        child.stdin.write(data)
        child.stdin.flush()
        return child.stdout.read(NUMBER.size)


_scales = Scales()
atexit.register(_scales.close)
_thread = ThreadPoolExecutor(1, thread_name_prefix="infway-counting")


async def counted(count: Callable[[Weigh], Count]) -> Count:
    """Return a count, made in a thread; raises UnavailableError."""
    return await asyncio.get_running_loop().run_in_executor(_thread, count, _scales.weigh)


def answering(gateway: Gateway, ask: ChatRequest, who: Principal) -> str:
    """Return the model that would answer; raises GatewayError where none could."""
    fitting = ask._replace(input_tokens=0)  # however long it is, it may be counted
    now = gateway.clock.monotonic()
    with told_where():
        return gateway.router.decide(fitting, who, now).order[0].model


@contextmanager
def told_where() -> Generator[None, None, None]:
    """Say of a model that is not served here where its tokens are counted all the same."""
    try:
        yield
    except CallerError as error:
        if error.code != _UNSERVED:
            raise
        message = f"{error.message} /utils/token_counter counts for models that are not served."
        raise CallerError(error.status, error.code, message, error.param) from error
