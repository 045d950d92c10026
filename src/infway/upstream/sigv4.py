"""AWS Signature Version 4: every call is signed by its own content and time.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from infway.kernel.chat import HttpCall
from infway.upstream.sign import AwsKeys

_ALGORITHM = "AWS4-HMAC-SHA256"
_SPACES = re.compile(r" +")


class Outgoing(NamedTuple):
    """What is signed of a request. `headers`: those that are, names in lower case, with `host`."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Scope(NamedTuple):
    """Whose key signs, and where and when it counts. `day`: YYYYMMDD in UTC."""

    access_key: str
    day: str
    region: str
    service: str

    def __str__(self) -> str:
        """Return the credential scope."""
        return f"{self.day}/{self.region}/{self.service}/aws4_request"


class SigV4:
    """Signs the calls of one AWS account. `wall`: Unix time in seconds.

    Only `host`, `content-type` and AWS's own headers are signed: proxies may change the others.
    """

    def __init__(self, keys: AwsKeys, wall: Callable[[], float], service: str = "bedrock") -> None:
        self._keys = keys
        self._wall = wall
        self._service = service
        self._key = ("", b"")  # a day, and the key derived for it

    @property
    def secrets(self) -> Iterable[str]:
        """The keys and the token of the session."""
        keys = self._keys
        return [one for one in (keys.secret_key, keys.session_token, keys.access_key) if one]

    def headers(self, call: HttpCall) -> Mapping[str, str]:
        """Return the time of the call, the session's token, and the signature over both."""
        keys = self._keys
        moment = datetime.fromtimestamp(self._wall(), UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = Scope(keys.access_key, moment[:8], keys.region, self._service)
        added = {"x-amz-date": moment}
        if keys.session_token:
            added["x-amz-security-token"] = keys.session_token
        sent = {name.lower(): text for name, text in call.headers.items()}
        signed = {name: text for name, text in sent.items() if _is_signed(name)}
        host = urlsplit(call.url).netloc.rpartition("@")[2]
        outgoing = Outgoing("POST", call.url, {**signed, "host": host, **added}, call.body)
        return {**added, "authorization": authorization(outgoing, scope, self._derived(scope))}

    def _derived(self, scope: Scope) -> bytes:
        if self._key[0] != scope.day:
            self._key = (scope.day, signing_key(self._keys.secret_key, scope))
        return self._key[1]


def authorization(outgoing: Outgoing, scope: Scope, key: bytes) -> str:
    """Return the value of the Authorization header. The time is that of `x-amz-date`."""
    digest = hashlib.sha256(canonical(outgoing).encode()).hexdigest()
    moment = outgoing.headers["x-amz-date"]
    text = f"{_ALGORITHM}\n{moment}\n{scope}\n{digest}"
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    names = ";".join(sorted(outgoing.headers))
    return (
        f"{_ALGORITHM} Credential={scope.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )


def signing_key(secret: str, scope: Scope) -> bytes:
    """Return the key that a secret becomes for one day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in (scope.day, scope.region, scope.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def canonical(outgoing: Outgoing) -> str:
    """Return the canonical request.

    The path is encoded once more than it is sent, as every service but S3 wants it.
    """
    parts = urlsplit(outgoing.url)
    pairs = sorted(pair.partition("=")[::2] for pair in parts.query.split("&") if pair)
    lines = [
        f"{name}:{_SPACES.sub(' ', text.strip())}"
        for name, text in sorted(outgoing.headers.items())
    ]
    return "\n".join(
        [
            outgoing.method,
            quote(_plain(parts.path), safe="/~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            *lines,
            "",
            ";".join(sorted(outgoing.headers)),
            hashlib.sha256(outgoing.body).hexdigest(),
        ]
    )


def _plain(path: str) -> str:
    """Return a path without empty and dot segments, as AWS reads it."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            kept = kept[:-1]
        elif segment not in ("", "."):
            kept.append(segment)
    end = "/" if kept and path.endswith("/") else ""
    return "/" + "/".join(kept) + end


def _is_signed(name: str) -> bool:
    return name == "content-type" or name.startswith("x-amz-")
