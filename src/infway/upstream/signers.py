"""Credentials become what signs calls; Google's tokens are kept fresh while it is open."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from infway.kernel.clock import Clock
from infway.kernel.errors import SettingsError
from infway.upstream.google import GoogleToken
from infway.upstream.sign import (
    AnyCredential,
    AwsKeys,
    CallSigner,
    Credential,
    GoogleAccount,
    Signer,
)
from infway.upstream.sigv4 import SigV4


class Signers:
    """Makes the signers of a configuration, and of the ones that follow it.

    An account of Google that is in several of them keeps its token from one to the next.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[GoogleAccount, GoogleToken] = {}
        self._begun: set[GoogleAccount] = set()
        self._open: AsyncExitStack | None = None

    def of(self, credentials: Mapping[str, AnyCredential], also: Iterable[str] = ()) -> Signer:
        """Return the signer; raises SettingsError with each account that cannot be used.

        `also`: other secrets that are taken out of texts.
        """
        made: dict[str, Credential | CallSigner] = {}
        problems: list[str] = []
        for name, said in credentials.items():
            try:
                made[name] = self._one(said)
            except SettingsError as error:
                problems += [f"upstream `{name}`: {problem}" for problem in error.problems]
        if problems:
            raise SettingsError(tuple(problems))
        return Signer(made, also)

    def _one(self, said: AnyCredential) -> Credential | CallSigner:
        match said:
            case Credential():
                return said
            case AwsKeys():
                return SigV4(said, self._clock.wall)
            case GoogleAccount():
                if said not in self._tokens:
                    self._tokens[said] = GoogleToken(said.service_account, self._clock)
                return self._tokens[said]

    async def freshen(self) -> None:
        """Begin to fetch the tokens of accounts that are new; they have some until it is closed."""
        stack = self._open
        if stack is None:
            return
        fresh = [account for account in self._tokens if account not in self._begun]
        self._begun.update(fresh)
        for account in fresh:
            await stack.enter_async_context(self._tokens[account].open())

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Keep the tokens fresh; waits for the first ones, but not for long."""
        async with AsyncExitStack() as stack:
            self._open = stack
            await self.freshen()
            yield
        self._open = None
