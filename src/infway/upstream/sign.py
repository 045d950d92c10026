"""Secrets become headers, and secrets are taken out of texts again.

The only place that holds a provider's key in clear.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

from infway.kernel.chat import HttpCall

_MASK = "[redacted]"
_SHORTEST = 8  # characters; shorter secrets (`none`, `ollama`) are words that texts contain
_BEGINNING = 12  # characters of a key that give it away
_LIKELY_KEY = re.compile(
    r"\bya29\.[A-Za-z0-9_\-.]{12,}|\b(?:sk|pk|gsk|xai|csk|nvapi|hf|fw|tgp|key)[-_][A-Za-z0-9_\-*]{12,}"
)


@dataclass(frozen=True, slots=True)
class Credential:
    """How one upstream is paid: the header that carries the secret and what stands before it."""

    header: str
    secret: str = field(repr=False)
    scheme: str = ""

    def headers(self) -> Mapping[str, str]:
        """Return the one header."""
        return {self.header: f"{self.scheme} {self.secret}" if self.scheme else self.secret}


@dataclass(frozen=True, slots=True)
class AwsKeys:
    """The keys of an AWS account, with which every call to `region` is signed."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(repr=False)
    region: str


@dataclass(frozen=True, slots=True)
class GoogleAccount:
    """A Google service account: the JSON of its key file; None is the machine's own account."""

    service_account: str | None = field(repr=False)


AnyCredential = Credential | AwsKeys | GoogleAccount


class CallSigner(Protocol):
    """A credential whose headers are made for each call, or change with time."""

    @property
    def secrets(self) -> Iterable[str]:
        """What must never be seen in a text."""
        ...

    def headers(self, call: HttpCall) -> Mapping[str, str]:
        """Return the headers that authorise this call. Raises UpstreamFailed(provider_auth)."""
        ...


class Signer:
    """Knows the credential of every upstream by the upstream's name.

    `also`: secrets that sign nothing and are taken out of texts all the same.
    """

    def __init__(
        self, credentials: Mapping[str, Credential | CallSigner], also: Iterable[str] = ()
    ) -> None:
        self._headers: dict[str, Mapping[str, str]] = {}
        self._live: dict[str, CallSigner] = {}
        secrets = list(also)
        for name, one in credentials.items():
            if isinstance(one, Credential):
                self._headers[name] = one.headers()
                secrets.append(one.secret)
            else:
                self._live[name] = one
                secrets += one.secrets
        self._redaction = _redaction(secrets)

    def headers(self, upstream: str) -> Mapping[str, str]:
        """Return the headers that authorise every call to `upstream`; none where it wants none."""
        return self._headers.get(upstream, {})

    def live(self, upstream: str) -> CallSigner | None:
        """Return what signs each call to `upstream` anew; None where nothing has to."""
        return self._live.get(upstream)

    def redact(self, text: str) -> str:
        """Take every configured secret out of `text`, in the spellings an upstream may echo."""
        if self._redaction is not None:
            text = self._redaction.sub(_MASK, text)
        return _LIKELY_KEY.sub(_MASK, text)


def _redaction(secrets: Iterable[str]) -> re.Pattern[str] | None:
    spellings: set[str] = set()
    beginnings: set[str] = set()
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            raw = secret.encode()
            coded = base64.b64encode(raw).decode().rstrip("=")
            safe = base64.urlsafe_b64encode(raw).decode().rstrip("=")
            escaped = secret.replace("/", "\\/")  # as some write JSON
            spellings |= {secret, escaped, quote(secret, safe=""), coded, safe}
        if len(secret) >= 2 * _BEGINNING:
            beginnings.add(secret[:_BEGINNING])
    longest_first = sorted(spellings, key=len, reverse=True)
    known = [re.escape(spelling) + "=*" for spelling in longest_first]
    # vendors echo a key's beginning with the rest left out or covered with stars
    known += [re.escape(beginning) + r"[\w*.\-]*" for beginning in sorted(beginnings)]
    return re.compile("|".join(known), re.IGNORECASE) if known else None
