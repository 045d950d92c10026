"""Key headers to the principal: exactly one key, in any of the six headers clients use.

Google's clients may put it into the address as well, at the paths of the Gemini API alone.

Decided on presence before any lookup, so that the answer is no oracle. A presented key is never
echoed, not even in part.
"""

from collections.abc import Iterable
from urllib.parse import parse_qsl

from infway.accounts.keys import Keyring
from infway.kernel.chat import Principal
from infway.kernel.errors import CallerError

KEY_HEADERS = frozenset(
    {b"authorization", b"infuzu-api-key", b"x-infuzu-api-key", b"api-key", b"x-api-key"}
    | {b"x-goog-api-key"}
)
IN_ADDRESS = b"?key"
"""What stands for a header's name where the key was in the address; no header is called so."""
INFUZU_HEADERS = frozenset({b"infuzu-api-key", b"x-infuzu-api-key"})

Headers = Iterable[tuple[bytes, bytes]]


def presented_key(headers: Headers, query: bytes = b"") -> tuple[bytes, bytes]:
    """Return the header's name and the key in it; raises CallerError (400 or 401).

    `query`: that of the address, where a key in it counts; its name is IN_ADDRESS.
    """
    found: tuple[bytes, bytes] | None = None
    for header in (*headers, *keys_in(query)) if query else headers:
        if header[0] in KEY_HEADERS or header[0] == IN_ADDRESS:
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


def keys_in(query: bytes) -> list[tuple[bytes, bytes]]:
    """Return the values of `key` in a query, as headers."""
    if b"key" not in query:
        return []
    said = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return [(IN_ADDRESS, value.encode()) for name, value in said if name == "key"]


def know(keyring: Keyring, headers: Headers, query: bytes = b"") -> tuple[Principal, bytes]:
    """Return who asks, and the name of the header that said so; `query` as for the key."""
    name, key = presented_key(headers, query)
    principal = keyring.find(key)
    if principal is None:
        raise keyring.refusal(key)
    return principal, name
