"""Key headers to the principal: exactly one key, in any of the five headers clients use.

Decided on presence before any lookup, so that the answer is no oracle. A presented key is never
echoed, not even in part.
"""

from collections.abc import Iterable

from infway.accounts.keys import Keyring
from infway.kernel.chat import Principal
from infway.kernel.errors import CallerError

KEY_HEADERS = frozenset(
    {b"authorization", b"infuzu-api-key", b"x-infuzu-api-key", b"api-key", b"x-api-key"}
)
INFUZU_HEADERS = frozenset({b"infuzu-api-key", b"x-infuzu-api-key"})

Headers = Iterable[tuple[bytes, bytes]]


def presented_key(headers: Headers) -> tuple[bytes, bytes]:
    """Return the header's name and the key in it; raises CallerError (400 or 401)."""
    found: tuple[bytes, bytes] | None = None
    for header in headers:
        if header[0] in KEY_HEADERS:
            if found is not None:
                raise CallerError(
                    400, "multiple_api_keys", "Send one API key in one header, not several."
                )
            found = header
    if found is None:
        raise CallerError(401, "missing_api_key", "No API key was sent.")
    name, value = found
    if name == b"authorization":
        scheme, _, value = value.partition(b" ")
        if scheme.lower() != b"bearer" or not value.strip():
            raise CallerError(
                401, "invalid_authorization_header", "Authorization must be: Bearer <key>."
            )
    return name, value.strip()


def know(keyring: Keyring, headers: Headers) -> tuple[Principal, bytes]:
    """Return who asks, and the name of the header that said so."""
    name, key = presented_key(headers)
    principal = keyring.find(key)
    if principal is None:
        raise CallerError(401, "invalid_api_key", "The API key is not valid.")
    return principal, name
