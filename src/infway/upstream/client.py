"""The HTTP client of the data path: signs calls, sends them, names what the network does.

Redirects are never followed (they would carry the key elsewhere), bodies are asked for
uncompressed, and nothing is retried but a kept-alive connection that was dead already.
"""

import ssl
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from infway.kernel.chat import HttpCall, Timeouts
from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault
from infway.upstream.http1 import DRAIN, MAX_BODY, Connection, Reply
from infway.upstream.inflate import NONE, Inflated
from infway.upstream.pool import Origin, Pool
from infway.upstream.resolve import Ask, Resolver, system
from infway.upstream.sign import CallSigner, Signer
from infway.upstream.simulated import Played

HALF_A_HEAD = "a part of the head had come"  # in the arguments of what ended the wait for it
_PORTS = {"http": 80, "https": 443}


class Response(Protocol):
    """What an upstream answered: status and headers now, the body as it is read."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, names in lower case."""
        ...

    async def read(self, limit: int = MAX_BODY) -> bytes:
        """Return the whole body; raises UpstreamFailed."""
        ...

    async def read_some(self) -> bytes:
        """Return what has come, at least one byte; empty at the end. Raises UpstreamFailed."""
        ...

    async def finish(self, patience: float = DRAIN) -> None:
        """Let a reply that was read to its end give its connection back."""
        ...

    def close(self) -> None:
        """Drop the reply, and its connection where the body is not at its end."""
        ...


class _Prepared(NamedTuple):
    """What all calls of one upstream to one URL have in common."""

    origin: Origin
    said: Mapping[str, str]
    head: bytes
    signer: CallSigner | None


class Client:
    """Sends calls, in one event loop, until it is closed.

    `now`: seconds, monotonic. `resolve`: who knows where names are. `trust`: makes what verifies
    certificates.
    """

    def __init__(
        self,
        signer: Signer,
        now: Callable[[], float],
        resolve: Ask = system,
        trust: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self.signer = signer
        self._pool = Pool(now, Resolver(now, resolve), trust)
        self._prepared: dict[tuple[str, str], _Prepared] = {}

    def sign_with(self, signer: Signer) -> None:
        """Use other credentials from the next call on."""
        self.signer = signer
        self._prepared = {}

    async def send(self, call: HttpCall, timeouts: Timeouts) -> Response:
        """Return the reply once its head is there; raises UpstreamFailed."""
        if call.script is not None:
            return Played(call.script)
        prepared = self._prepared.get((call.upstream, call.url))
        if prepared is None or (
            prepared.said is not call.headers and prepared.said != call.headers
        ):
            prepared = self._prepare(call)
        signed = b"" if prepared.signer is None else _lines(prepared.signer.headers(call))
        request = b"%b%bcontent-length: %d\r\n\r\n%b" % (
            prepared.head,
            signed,
            len(call.body),
            call.body,
        )
        connection = self._pool.take(prepared.origin)
        if connection is not None:
            try:
                return await _ask(connection, request)
            except UpstreamFailed as failed:
                if failed.failure.fault is not Fault.RESET_BEFORE_HEADERS:
                    raise
                # it had been closed while it was idle: nobody has seen the request
        connection = await self._pool.connect(prepared.origin, timeouts.connect)
        return await _ask(connection, request)

    def _prepare(self, call: HttpCall) -> _Prepared:
        parts = urlsplit(call.url)
        host = parts.hostname or ""
        port = parts.port or _PORTS[parts.scheme]
        headers = {
            "host": parts.netloc.rpartition("@")[2],
            "accept-encoding": "identity",
            "user-agent": "infway",
            **call.headers,
            **self.signer.headers(call.upstream),
        }
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        signer = self.signer.live(call.upstream)
        head = b"POST %b HTTP/1.1\r\n%b" % (target.encode("latin-1", "replace"), _lines(headers))
        prepared = _Prepared(
            Origin(host, port, parts.scheme == "https"), call.headers, head, signer
        )
        self._prepared[call.upstream, call.url] = prepared
        return prepared

    def shrink(self) -> None:
        """Close the connections that are idle."""
        self._pool.shrink()

    async def close(self) -> None:
        """Close every connection."""
        self._pool.close()


def _lines(headers: Mapping[str, str]) -> bytes:
    """Return header lines; raises UpstreamFailed where one would break out of its line."""
    lines = [f"{name}: {text}\r\n" for name, text in headers.items()]
    if any("\r" in line[:-2] or "\n" in line[:-2] for line in lines):
        raise UpstreamFailed(Failure(Fault.PROVIDER_AUTH))
    return "".join(lines).encode("latin-1", "replace")


async def _ask(connection: Connection, request: bytes) -> Response:
    incoming = connection.post(request)
    try:
        while not incoming.status and incoming.fault is None:
            await incoming.changed()
    except BaseException as error:
        connection.abort()
        if connection.has_begun and not incoming.status:
            error.args = (*error.args, HALF_A_HEAD)
        raise
    if incoming.fault is not None and not incoming.status:
        connection.abort()
        raise UpstreamFailed(Failure(incoming.fault))
    reply = Reply(incoming)
    if incoming.headers.get("content-encoding", "") in NONE:
        return reply
    return Inflated(reply)
