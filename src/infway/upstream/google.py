"""Tokens of Google Cloud, fetched ahead of time: no request ever waits for one.

Service accounts, application default credentials and the metadata server, all through google-auth,
the optional extra `google`. https://google.aip.dev/auth/4110
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from math import inf
from types import ModuleType
from typing import NamedTuple, Protocol

from infway.beside import beside
from infway.kernel.chat import HttpCall
from infway.kernel.clock import Clock
from infway.kernel.errors import SettingsError, UpstreamFailed
from infway.kernel.faults import Failure, Fault

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# Seconds. The metadata server gives a new token only in the last five minutes of the old one.
EARLY = 300.0  # before its end a token is replaced
FIRST_PAUSE, LAST_PAUSE = 1.0, 60.0  # between tries, doubled from one to the other
PATIENCE = 5.0  # that a start waits for the first token
_TIMEOUT = 10.0  # of one call for a token
_FOREVER = 3600.0  # between looks at a token that has no end

_MISSING = (
    "Google's credentials need google-auth, which is not installed: `pip install infway[google]`,"
    " or `make install-google`."
)
_NO_KEY_FILE = "The Google service account is not the JSON of a service account's key file."
_log = logging.getLogger(__name__)


class _Account(Protocol):
    """What google-auth calls credentials. `expiry` is in UTC, without saying so."""

    expiry: datetime | None

    def refresh(self, request: Callable[..., object]) -> None:
        """Fetch a token; blocks."""
        ...

    def apply(self, headers: dict[str, str]) -> None:
        """Add the headers that authorise a call."""
        ...


class _Token(NamedTuple):
    """The headers of every call until `end`, in seconds of the wall clock."""

    headers: Mapping[str, str]
    end: float


class GoogleToken:
    """Signs calls to Google Cloud, as long as it is open.

    `service_account`: the JSON text of a key file; None is what the machine has, as Google's own
    libraries find it. `sleep`: how it waits, in seconds.
    Raises SettingsError where google-auth is missing or the text is no key file.
    """

    def __init__(
        self,
        service_account: str | None,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._failures: type[Exception] = _library("google.auth.exceptions").GoogleAuthError
        self._secret, self._account = _account(service_account)
        self._clock = clock
        self._sleep = sleep
        self._token: _Token | None = None
        self._tried = asyncio.Event()

    @property
    def secrets(self) -> Iterable[str]:
        """The private key; tokens change too often to be known beforehand."""
        return (self._secret,) if self._secret else ()

    def headers(self, call: HttpCall) -> Mapping[str, str]:  # noqa: ARG002 - the same for every call
        """Return the token's header; raises UpstreamFailed(provider_auth) while there is none."""
        token = self._token
        if token is None or self._clock.wall() >= token.end:
            raise UpstreamFailed(Failure(Fault.PROVIDER_AUTH))
        return token.headers

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Keep a token at hand; waits for the first one, but not for long."""
        request = _library("google.auth.transport.requests").Request()
        try:
            async with beside(partial(self._keep, partial(request, timeout=_TIMEOUT))):
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._tried.wait(), PATIENCE)
                yield
        finally:
            request.session.close()

    async def _keep(self, request: Callable[..., object]) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                self._token = await asyncio.to_thread(self._fetch, request)
                wait, pause = _until_next(self._token.end - self._clock.wall()), FIRST_PAUSE
            except (self._failures, OSError, ValueError) as error:
                _log.warning("Google gave no token, next try in %.0f s: %s", pause, error)
                wait, pause = pause, min(pause * 2, LAST_PAUSE)
            self._tried.set()
            await self._sleep(wait)

    def _fetch(self, request: Callable[..., object]) -> _Token:
        """Return a new token; blocks, in a thread of its own."""
        account = self._account
        if account is None:
            account, _ = _library("google.auth").default(scopes=[SCOPE])
            self._account = account
        account.refresh(request)
        headers: dict[str, str] = {}
        account.apply(headers)
        end = inf if account.expiry is None else account.expiry.replace(tzinfo=UTC).timestamp()
        return _Token({name.lower(): value for name, value in headers.items()}, end)


def _until_next(left: float) -> float:
    """Return the seconds until a token that has `left` is replaced: a short one at its half."""
    return max(left - EARLY, left / 2, FIRST_PAUSE) if left < inf else _FOREVER


def _account(service_account: str | None) -> tuple[str | None, _Account | None]:
    """Return the private key and the account of a key file, nothing where none is given."""
    if service_account is None:
        return None, None
    library = _library("google.oauth2.service_account")
    try:
        said = json.loads(service_account)
        account: _Account = library.Credentials.from_service_account_info(said, scopes=[SCOPE])
        return str(said["private_key"]), account
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsError((_NO_KEY_FILE,)) from error


def _library(name: str) -> ModuleType:
    """Return a module of google-auth, which only those who have Google's credentials need."""
    try:
        return import_module(name)
    except ImportError as error:
        raise SettingsError((_MISSING,)) from error
