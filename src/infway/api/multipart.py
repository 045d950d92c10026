"""Forms with files: where the parts of a body are, found in one pass and never copied.

multipart/form-data is RFC 7578; delimiters are those of RFC 2046, section 5.1.1. What browsers
and SDKs send is understood, what is ambiguous is refused: two readers of one body must not
disagree about it.
"""

import re
from typing import NoReturn

from infway.kernel.errors import CallerError
from infway.kernel.form import Form, Part

MOST_PARTS = 200
MOST_HEAD = 8 * 1024  # bytes of one part's headers
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_PARAMETER = re.compile(rb';[ \t]*([^\s;="]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^;"]*[^;"\s]|)')
_ESCAPED = re.compile(rb'\\(["\\])')
_LINE = re.compile(rb"[ \t]*\r\n")


def read_form(kind: bytes, body: bytes) -> Form:
    """Return the form that a body is; `kind`: its content type. Raises CallerError."""
    delimiter = b"--" + _boundary(kind)
    if body.startswith(delimiter):
        at = 0
    else:
        at = body.find(b"\r\n" + delimiter) + 2
        if at < 2:
            _refuse("the boundary of its content type is not in it")
    parts: list[Part] = []
    while True:
        after = at + len(delimiter)
        if body.startswith(b"--", after):
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
    found = _parameters(kind).get(b"boundary", [])
    if len(found) != 1 or not _BOUNDARY.fullmatch(found[0]):
        _refuse("its content type names no boundary")
    return found[0]


def _part(body: bytes, delimiter: bytes, start: int, head: int) -> Part:
    """Return the part whose headers begin at `head`."""
    if body.startswith(b"\r\n", head):
        _refuse("a part has no name")
    blank = body.find(b"\r\n\r\n", head, head + MOST_HEAD)
    if blank < 0:
        _refuse("the headers of a part do not end")
    end = _end(body, b"\r\n" + delimiter, blank + 2)
    if end < blank + 4:
        _refuse("a part has no value")
    name, filename = _names(body[head:blank])
    return Part(name, filename, start, blank + 4, end)


def _end(body: bytes, mark: bytes, at: int) -> int:
    """Return where a value ends: before a delimiter that is a whole line, or the last one."""
    while (end := body.find(mark, at)) >= 0:
        at = end + len(mark)
        if body.startswith(b"--", at) or _LINE.match(body, at):
            return end
    return _refuse("its last part does not end")


def _names(head: bytes) -> tuple[str, str | None]:
    """Return the name of a part, and of its file."""
    fields = [line.partition(b":") for line in head.split(b"\r\n")]
    told = [value for field, _, value in fields if field.strip().lower() == b"content-disposition"]
    if len(told) != 1 or told[0].partition(b";")[0].strip().lower() != b"form-data":
        _refuse("a part needs one Content-Disposition, of form-data")
    said = _parameters(told[0])
    names = said.get(b"name", [])
    if len(names) != 1 or not names[0]:
        _refuse("a part has no name, or several")
    files = said.get(b"filename", []) + said.get(b"filename*", [])
    return names[0].decode(errors="replace"), files[0].decode(errors="replace") if files else None


def _parameters(header: bytes) -> dict[bytes, list[bytes]]:
    """Return what stands behind the semicolons of a header; names in lower case."""
    found: dict[bytes, list[bytes]] = {}
    for name, said in _PARAMETER.findall(header):
        value = _ESCAPED.sub(rb"\1", said[1:-1]) if said.startswith(b'"') else said
        found.setdefault(name.lower(), []).append(value)
    return found


def _refuse(why: str) -> NoReturn:
    raise CallerError(400, "invalid_request_body", f"The form cannot be read: {why}.")
