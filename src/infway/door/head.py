"""The head of a request before any parser sees it: one reading, or none.

Parsers differ in what they let through, and a proxy in front may be another one: what two
readers could take for two things is refused (threat model, rows A5 to A7). The grammar is that
of RFC 9112, sections 2 to 6, without what it calls obsolete.
"""

import re
from collections.abc import Mapping

from infway.door.limits import MAX_FIELDS, MAX_FIELDS_SIZE, MAX_TARGET
from infway.kernel.errors import CallerError

_PLAIN_SIZE = MAX_TARGET  # bytes of a head in which nothing can be too large
_DIGITS = 15  # of a Content-Length
CHUNKED = -1
"""The length of a body that comes in chunks."""

# One pass in C: request line, fields, blank line; nothing is tried twice (possessive)
_HEAD = re.compile(
    rb"[A-Z]{1,24} ((/(?:[!$&'()*+,:=@A-Z_a-z~0-9-]++[./]?)*+([!\"$->@-~]*+))(?:\?[!\"$-~]*+)?) HTTP/1\.([01])\r\n"
    rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t -~\x80-\xff]*+\r\n)*+\r\n"
)
_FRAMING = re.compile(
    rb"\r\n(host|content-length|transfer-encoding|upgrade):[ \t]*+([^\r]*+)", re.IGNORECASE
)
_HOST = re.compile(rb"([A-Za-z0-9._~!$&'()*+,=%-]*+|\[[0-9A-Fa-f:.]++\])(?::\d{1,5})?")
# What a path may not hold as it is, and encoded: / \ ; control characters; a dot beside another
_TRICKS = (b"//", b"..", b";", b"\\", b"%")
_ENCODED = re.compile(rb"(?:\.|%2[eE]){2}|%(?:5[cC]|3[bB]|[01][0-9A-Fa-f]|7[fF])")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
# Below these a name stands that vendors write with a slash, and SDKs encode that
_NAMED = re.compile(rb"/(?:[a-z0-9]{1,10}/){0,2}(?:models|engines|deployments)/")
_NEVER = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|\0")
_UPGRADE = b"\r\nupgrade:"
_LONGEST_LINE = MAX_TARGET + 64  # bytes, with the method and the version


def read_head(head: bytes, hosts: frozenset[str]) -> tuple[int, bytes | None]:
    """Return the length of the body, and the protocol that is asked for instead, if any.

    The length is CHUNKED where the body comes in chunks. `head`: from the first byte of a request
    to its blank line. `hosts`: the only ones asked for, where there are any. Raises CallerError.
    """
    found = _HEAD.fullmatch(head)
    if found is None or len(head) > _PLAIN_SIZE or head.count(b"\r\n") > MAX_FIELDS + 2:
        _check_size(head)
    if found is None:
        raise _unreadable(head)
    if found.end(3) > found.start(3):  # the path has more than words with one / or . between them
        _check_path(found[2])
    pairs = _FRAMING.findall(head)
    said = {name.lower(): value.rstrip(b" \t") for name, value in pairs}
    if len(said) != len(pairs):
        raise malformed("it has a header twice that may be there once")
    host, length = said.get(b"host"), said.get(b"content-length", b"0")
    if hosts or host is None or not _HOST.fullmatch(host):
        _check_host(host, found[4], hosts)
    is_plain = length.isdigit() and len(length) <= _DIGITS and b"transfer-encoding" not in said
    return int(length) if is_plain else _coded(said, found[4]), said.get(b"upgrade")


def check_begun(begun: bytes, seen: int) -> None:
    """Raise CallerError where the beginning of a head can never become a whole one.

    `seen`: how many of its bytes were looked at before.
    """
    line = begun.find(b"\r\n")
    if line > _LONGEST_LINE or (line < 0 and len(begun) > _LONGEST_LINE):
        raise _too_long()
    if len(begun) - line > MAX_FIELDS_SIZE or begun.count(b"\r\n") > MAX_FIELDS + 1:
        raise _too_many()
    if not begun[:1].isupper() or _NEVER.search(begun, max(0, seen - 1)):
        raise malformed("it is no HTTP/1.1")


def malformed(why: str) -> CallerError:
    """Return what a request is told that could be read in several ways, or in none."""
    return CallerError(400, "malformed_request", f"The request cannot be read: {why}.")


def _check_size(head: bytes) -> None:
    """Raise CallerError where a head is larger than it may be."""
    line, _, fields = head.partition(b"\r\n")
    if len(_target(line)) > MAX_TARGET:
        raise _too_long()
    if len(fields) > MAX_FIELDS_SIZE or head.count(b"\r\n") > MAX_FIELDS + 2:
        raise _too_many()


def _target(line: bytes) -> bytes:
    return line.partition(b" ")[2].rpartition(b" ")[0]


def _unreadable(head: bytes) -> CallerError:
    """Return what is wrong with a head that is not of the grammar."""
    line = head.partition(b"\r\n")[0]
    if not line.endswith((b" HTTP/1.1", b" HTTP/1.0")):
        return malformed("it is not of HTTP/1.1 or HTTP/1.0")
    if not _target(line).startswith(b"/"):
        return malformed("its address does not begin with /")
    return malformed("its first line or a header is not as RFC 9112 writes them")


def _too_long() -> CallerError:
    return CallerError(414, "uri_too_long", f"The URL is longer than {MAX_TARGET} bytes.")


def _too_many() -> CallerError:
    message = f"The headers are more than {MAX_FIELDS}, or larger than {MAX_FIELDS_SIZE} bytes."
    return CallerError(431, "headers_too_large", message)


def _check_path(path: bytes) -> None:
    """Raise CallerError where a proxy in front may see another path than infway does."""
    slash = path.lower().find(b"%2f")
    named = _NAMED.match(path)
    is_trick = slash >= 0 and (named is None or named.end() > slash)
    plain = any(trick in path for trick in _TRICKS[:-1])
    if is_trick or plain or _ENCODED.search(path) or _BAD_ESCAPE.search(path):
        message = "The path has what can be read in several ways, such as // or %2f."
        raise CallerError(400, "invalid_path", message)


def _check_host(host: bytes | None, version: bytes, hosts: frozenset[str]) -> None:
    """Raise CallerError unless the Host is one, and one that may be asked for.

    HTTP/1.0 knows none; those who check whether infway lives may still speak it.
    """
    found = None if host is None else _HOST.fullmatch(host)
    if found is None and (host is not None or version == b"1"):
        raise malformed("it needs exactly one Host, which is the name of one")
    if hosts and (found is None or found[1].decode().lower() not in hosts):
        raise CallerError(400, "unknown_host", "infway is not asked for by this Host.")


def _coded(said: Mapping[bytes, bytes], version: bytes) -> int:
    """Return CHUNKED; raises CallerError where the length of the body is said in any other way."""
    coding = said.get(b"transfer-encoding")
    if coding is None:
        raise malformed("its Content-Length is no number")
    if b"content-length" in said:
        raise malformed("it has both Content-Length and Transfer-Encoding")
    if coding.lower() != b"chunked" or version == b"0":
        raise malformed("its only Transfer-Encoding may be chunked, in HTTP/1.1")
    return CHUNKED


def without_upgrade(data: bytes, end: int) -> tuple[bytes, int]:
    """Return the bytes without the wish for another protocol, and where their head ends."""
    at = data[:end].lower().index(_UPGRADE)
    cut = data.index(b"\r\n", at + 2) - at
    return data[:at] + data[at + cut :], end - cut
