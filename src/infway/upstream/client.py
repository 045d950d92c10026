"""The pooled HTTP client of the data path, on aiohttp; replaceable in this one file.

Redirects are never followed (they would carry the key elsewhere), bodies are asked for
uncompressed, and nothing is retried but a stale kept-alive connection.
"""

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Protocol
from weakref import WeakSet

import aiohttp
from yarl import URL

from infway.kernel.chat import HttpCall, Timeouts
from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault
from infway.upstream.faults import FOREIGN, fault_of, renamed_faults
from infway.upstream.sign import Signer
from infway.upstream.simulated import Played

MAX_BODY = 32 * 1024 * 1024  # bytes of a whole reply; reliability row 20
_DRAIN = 1.0  # seconds given to a finished stream to end its connection cleanly
_READ = 256 * 1024  # bytes of a stream that may wait unread before the socket is held back

_reused: ContextVar[list[bool]] = ContextVar("reused")


class Response(Protocol):
    """What an upstream answered: status and headers now, the body as it is read."""

    status: int
    headers: Mapping[str, str]

    async def read(self) -> bytes:
        """Return the whole body; raises UpstreamFailed."""
        ...

    async def read_some(self) -> bytes:
        """Return what has come, at least one byte; empty at the end. Raises UpstreamFailed."""
        ...

    async def finish(self) -> None:
        """Let a reply that was read to its end give its connection back."""
        ...

    def close(self) -> None:
        """Drop the reply, and its connection where the body is not at its end."""
        ...


class Client:
    """Sends calls, between `open` and `close` in one event loop."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[str, URL] = {}
        self._timeouts: dict[float, aiohttp.ClientTimeout] = {}
        self._headers: dict[str, Mapping[str, str]] = {}

    def sign_with(self, signer: Signer) -> None:
        """Use other credentials from the next call on."""
        self.signer = signer
        self._headers = {}

    async def open(self) -> None:
        """Make the connection pool."""
        self._session = aiohttp.ClientSession(
            connector=_Connector(limit=0, ttl_dns_cache=300, keepalive_timeout=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None),
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
            read_bufsize=_READ,
            max_field_size=64 * 1024,
        )

    async def send(self, call: HttpCall, timeouts: Timeouts) -> Response:
        """Return the reply's head; raises UpstreamFailed with what the network did."""
        if call.script is not None:
            return Played(call.script)
        mark: list[bool] = []
        token = _reused.set(mark)
        try:
            return await self._post(call, timeouts)
        except FOREIGN as error:
            fault = fault_of(error)
            if fault is not Fault.RESET_BEFORE_HEADERS or mark != [True]:
                raise UpstreamFailed(Failure(fault)) from error
        finally:
            _reused.reset(token)
        return await self._again(call, timeouts)

    async def _again(self, call: HttpCall, timeouts: Timeouts) -> "Reply":
        """The kept-alive connection was dead before the upstream saw a byte: send once more."""
        try:
            return await self._post(call, timeouts)
        except FOREIGN as error:
            raise UpstreamFailed(Failure(fault_of(error))) from error

    async def _post(self, call: HttpCall, timeouts: Timeouts) -> "Reply":
        url = self._urls.get(call.url)
        if url is None:
            url = self._urls[call.url] = URL(call.url, encoded=True)
        if self._session is None:
            raise UpstreamFailed(Failure(Fault.CONNECT_REFUSED))
        timeout = self._timeouts.get(timeouts.connect)
        if timeout is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=timeouts.connect)
            self._timeouts[timeouts.connect] = timeout
        return Reply(
            await self._session.post(
                url,
                data=call.body,
                headers=self._signed(call),
                timeout=timeout,
                allow_redirects=False,
            )
        )

    def _signed(self, call: HttpCall) -> Mapping[str, str]:
        headers = self._headers.get(call.upstream)
        if headers is None:
            plain = {"accept-encoding": "identity", "user-agent": "infway"}
            headers = {**plain, **call.headers, **self.signer.headers(call.upstream)}
            self._headers[call.upstream] = headers
        return headers

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class Reply:
    """A reply from the network."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    async def read(self) -> bytes:
        """Return the whole body; raises UpstreamFailed where it is cut or beyond MAX_BODY."""
        with renamed_faults():
            if (self._response.content_length or 0) > MAX_BODY:
                self.close()
                raise UpstreamFailed(Failure(Fault.TOO_LARGE, self.status))
            content = self._response.content
            body = await content.readany()
            if content.at_eof():
                return body
            pieces = [body]
            size = len(body)
            while piece := await content.readany():
                pieces.append(piece)
                size += len(piece)
                if size > MAX_BODY:
                    self.close()
                    raise UpstreamFailed(Failure(Fault.TOO_LARGE, self.status))
            return b"".join(pieces)

    async def read_some(self) -> bytes:
        """Return what has come; raises UpstreamFailed(stream_cut) where the stream breaks."""
        try:
            return await self._response.content.readany()
        except FOREIGN as error:
            raise UpstreamFailed(Failure(Fault.STREAM_CUT, self.status)) from error

    async def finish(self) -> None:
        """Read to the end, which is already there as a rule; close where it is not."""
        try:
            async with asyncio.timeout(_DRAIN):
                while await self._response.content.readany():
                    pass
        except FOREIGN:
            self.close()
        except TimeoutError:
            self.close()

    def close(self) -> None:
        """Drop the connection unless the reply was read to its end."""
        self._response.close()


class _Connector(aiohttp.TCPConnector):
    """A connection pool that tells whether a request got a connection used before."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]  # passed on as they came
        self._seen: WeakSet[object] = WeakSet()

    async def connect(self, *args: object, **options: object) -> aiohttp.connector.Connection:
        connection = await super().connect(*args, **options)  # type: ignore[arg-type]  # passed on as they came
        protocol = connection.protocol
        mark = _reused.get(None)
        if mark is not None:
            mark.append(protocol in self._seen)
        self._seen.add(protocol)
        return connection
