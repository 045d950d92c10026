"""Forms with files: where the parts of a body are, found in one pass and never copied.

multipart/form-data is RFC 7578; delimiters are those of RFC 2046, section 5.1.1. What browsers
and SDKs send is understood, what is ambiguous is refused: two readers of one body must not
disagree about it. Other readers take a bare LF for a line's end, look for delimiters in what
stands before the first one, unfold headers and read RFC 2231's `name*`: none of that is let in.
"""

import re
from collections.abc import Mapping
from typing import NoReturn

from infway.kernel.errors import CallerError
from infway.kernel.form import Form, Part

MOST_PARTS = 200
MOST_HEAD = 8 * 1024  # bytes of one part's headers
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_TOKEN = rb"[0-9A-Za-z!#$%&'*+.^_`|~-]++"  # RFC 9110, section 5.6.2
_PARAMETER = rb';[ \t]*+(%b)=("[^"]*+"|%b)[ \t]*+' % (_TOKEN, _TOKEN)
_PARAMETERS = re.compile(_PARAMETER)
_HEADER = re.compile(rb'[^;"]*+(?:%b)*+;?[ \t]*+' % _PARAMETER)
_FIELD = re.compile(rb"[0-9A-Za-z][!-9;-~]*+:[^\0\r\n]*+")  # one line: nothing is folded
_KIND = re.compile(rb"[\t -~]+")  # it goes to the upstream as it came
_LINE = re.compile(rb"[ \t]*+\r\n")
_CLOSED = re.compile(rb"--[ \t]{0,64}(?:\r\n[ \t\r\n]{0,64})?")


def read_form(kind: bytes, body: bytes) -> Form:
    """Return the form that a body is; `kind`: its content type. Raises CallerError."""
    if not _KIND.fullmatch(kind):
        _refuse("its content type is not printable ASCII")
    delimiter = b"--" + _boundary(kind)
    if not body.startswith(delimiter):
        _refuse("it does not begin with the boundary of its content type")
    at = 0
    parts: list[Part] = []
    while True:
        after = at + len(delimiter)
        if _CLOSED.fullmatch(body, after):
            return Form(kind.decode("latin-1"), body, delimiter, tuple(parts), at)
        line = _LINE.match(body, after)
        if line is None:
            _refuse("a delimiter goes on where it should end")
        if len(parts) == MOST_PARTS:
            _refuse(f"it has more than {MOST_PARTS} parts")
        part = _part(body, delimiter, at, line.end())
        parts.append(part)
        at = part.end + 2


def _boundary(kind: bytes) -> bytes:
    said = _parameters(kind)
    found = said.get(b"boundary", [])
    if len(found) != 1 or not _BOUNDARY.fullmatch(found[0]) or _is_extended(said, b"boundary"):
        _refuse("its content type names no boundary")
    return found[0]


def _part(body: bytes, delimiter: bytes, start: int, head: int) -> Part:
    """Return the part whose headers begin at `head`."""
    if body.startswith(b"\r\n", head):
        _refuse("a part has no name")
    blank = body.find(b"\r\n\r\n", head, head + MOST_HEAD)
    if blank < 0:
        _refuse("the headers of a part do not end")
    end = _end(body, delimiter, blank + 3)
    if end < blank + 4:
        _refuse("a part has no value")
    name, filename = _names(body[head:blank])
    return Part(name, filename, start, blank + 4, end)


def _end(body: bytes, delimiter: bytes, at: int) -> int:
    """Return where a value ends: before the first line that begins with the delimiter.

    Refused where only CR or LF is before that line, which some readers take for its beginning.
    """
    end = body.find(b"\n" + delimiter, at) - 1
    if end < 0:
        _refuse("its last part does not end")
    if not body.startswith(b"\r", end) or body.find(b"\r" + delimiter, at, end) >= 0:
        _refuse("a delimiter stands behind half of a line's end")
    return end


def _names(head: bytes) -> tuple[str, str | None]:
    """Return the name of a part, and of its file."""
    lines = head.split(b"\r\n")
    if not all(map(_FIELD.fullmatch, lines)):
        _refuse("a line of a part's headers is no header")
    fields = [line.partition(b":") for line in lines]
    told = [value for field, _, value in fields if field.lower() == b"content-disposition"]
    if len(told) != 1 or told[0].partition(b";")[0].strip().lower() != b"form-data":
        _refuse("a part needs one Content-Disposition, of form-data")
    said = _parameters(told[0])
    names = said.get(b"name", [])
    if len(names) != 1 or not names[0] or b"\\" in names[0] or _is_extended(said, b"name"):
        _refuse("a part has no name, or one that can be read in several ways")
    files = said.get(b"filename", []) + said.get(b"filename*", [])
    return names[0].decode(errors="replace"), files[0].decode(errors="replace") if files else None


def _parameters(header: bytes) -> dict[bytes, list[bytes]]:
    """Return what stands behind the semicolons of a header; names in lower case.

    An escaped quote is refused: browsers write `%22`, and not all readers know the other.
    """
    if b'\\"' in header or not _HEADER.fullmatch(header):
        _refuse("a header has parameters that can be read in several ways")
    found: dict[bytes, list[bytes]] = {}
    for name, said in _PARAMETERS.findall(header):
        value = said[1:-1] if said.startswith(b'"') else said
        found.setdefault(name.lower(), []).append(value)
    return found


def _is_extended(said: Mapping[bytes, object], name: bytes) -> bool:
    """Tell whether a parameter is said as RFC 2231 has it too: `name*`, `name*0`."""
    return any(one.startswith(name + b"*") for one in said)


def _refuse(why: str) -> NoReturn:
    raise CallerError(400, "invalid_request_body", f"The form cannot be read: {why}.")
