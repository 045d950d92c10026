"""What JSON may be beyond its grammar: no deeper, larger or more ambiguous than all readers take.

Readers differ in numbers, depth and names that are there twice, and a reader behind infway must
not see another request than infway does (threat model, row A10; RFC 7493). The parser says what
is no JSON; here one pass in C says the rest, and only what is refused is looked at closely.
"""

import re
from math import isfinite

import msgspec

from infway.kernel.errors import CallerError

MOST_VALUES = 200_000  # read in about a quarter of a second
DEEPEST = 64  # objects and arrays within one another
LARGEST = 2**63 - 1  # as OpenAI has it for a seed; infway passes digits on as they came

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode
_write = msgspec.json.Encoder().encode
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
# What a number looks like that may be too large, once all its digits are 0 and its signs are gone
_DIGITS = bytes.maketrans(b"123456789E", b"000000000e")
_LONG, _EXPONENT = b"0" * 16, b"0e000"
_NUMBER = re.compile(rb"-?[0-9]++[0-9.eE+-]*+")
_STRING_OR_NUMBER = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|(-?[0-9]++[0-9.eE+-]*+)', re.DOTALL)
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|([\[{])|[\]}]', re.DOTALL)
_OPENED = re.compile(rb"[ \t\r\n]*+\{[ \t\r\n]*+")
_NAME = re.compile(rb'("(?:[^"\\]++|\\.)*+")[ \t\r\n]*+:[ \t\r\n]*+', re.DOTALL)
_NEXT = re.compile(rb"[ \t\r\n]*+,?[ \t\r\n]*+")
# What infway itself reads or decides by within the root
_READ_WITHIN = frozenset(
    {
        "model",
        "provider",
        "reasoning",
        "response_format",
        "stream_options",
        "usage",
        "thinking",
        "text",
        "tool_choice",
        "generationConfig",
        "generation_config",
    }
)


def check_shape(body: bytes) -> None:
    """Raise CallerError, with the byte, where a body is too deep, too large or has odd numbers.

    A body that is no JSON may be refused here for what looks so.
    """
    if len(body) <= MOST_VALUES and body.count(b"{") + body.count(b"[") <= DEEPEST:
        digits = body.translate(_DIGITS, b"+-")
        if _LONG not in digits and _EXPONENT not in digits:
            return  # wherever its brackets and digits stand
    plain = body
    if b"\\" in body:
        plain = body.replace(rb"\\", b"").replace(rb"\"", b"")
    if len(body) > 2 * MOST_VALUES and plain.count(b'"') > 4 * MOST_VALUES:
        raise _too_many()
    outside = b"".join(plain.split(b'"')[::2])
    digits = outside.translate(_DIGITS, b"+-")
    if _LONG in digits or _EXPONENT in digits:
        _check_numbers(body, outside)
    opened = outside.count(b"{") + outside.count(b"[")
    if len(outside) > MOST_VALUES and opened + outside.count(b",") > MOST_VALUES:
        raise _too_many()
    if opened > DEEPEST and _is_deep(outside):
        raise _too_deep(body)


def read_members(body: bytes) -> dict[str, msgspec.Raw]:
    """Return the members of a root object; raises CallerError where a name is there twice.

    So it is within those members that infway decides by. Raises what msgspec does.
    """
    fields = _decode(body)
    if len(_write(fields)) != len(body):  # it is not all of its members without white space
        _check_names(body, fields)
    for name in _READ_WITHIN.intersection(fields):
        if (inner := bytes(fields[name])).startswith(b"{"):
            _check_names(inner, _decode(inner))
    return fields


def _check_names(body: bytes, fields: dict[str, msgspec.Raw]) -> None:
    """Go from member to member; the last of those with one name is the one that `fields` has.

    There is no need to where a body has one space behind each mark, as many write it: then its
    members are all of it.
    """
    members = [b'"%b": %b' % (name.encode(), value) for name, value in fields.items()]
    if b"{%b}" % b", ".join(members) == body:
        return
    opened = _OPENED.match(body)
    at = opened.end() if opened else 0
    seen: set[str] = set()
    while found := _NAME.match(body, at):
        name = _decode_text(found[1])
        value = bytes(fields[name])
        if name in seen or not body.startswith(value, found.end()):
            raise _twice(name, at)
        seen.add(name)
        end = found.end() + len(value)
        after = _NEXT.match(body, end)
        at = after.end() if after else end
    if len(seen) != len(fields) or not body.startswith(b"}", at):
        raise _twice("", at)


def _is_exact(number: bytes) -> bool:
    """Tell whether every reader takes a number for the same."""
    if number.lstrip(b"-").isdigit():
        return len(number) <= 20 and -LARGEST - 1 <= int(number) <= LARGEST
    try:
        return isfinite(float(number))
    except ValueError:
        return True  # no number: the parser says so


def _is_deep(outside: bytes) -> bool:
    """Take the innermost brackets away until none are left: each time is one level."""
    brackets = outside.translate(None, _NO_BRACKETS)
    for _ in range(DEEPEST):
        inner = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if len(inner) == len(brackets):
            return False  # none are left, or it is no JSON
        brackets = inner
    return bool(brackets)


def _refusal(what: str, at: int) -> CallerError:
    return CallerError(400, "invalid_request_body", f"{what} (byte {at}).")


def _too_many() -> CallerError:
    message = f"The body has more than {MOST_VALUES} values."
    return CallerError(400, "invalid_request_body", message)


def _twice(name: str, at: int) -> CallerError:
    return _refusal(f"An object has `{name[:64]}` twice", at)


def _check_numbers(body: bytes, outside: bytes) -> None:
    """Raise CallerError where a number outside of all strings is not the same to all readers."""
    if all(map(_is_exact, _NUMBER.findall(outside))):
        return
    for found in _STRING_OR_NUMBER.finditer(body):
        if found[1] is not None and not _is_exact(found[1]):
            raise _refusal("A number is not finite, or not of 64 bits", found.start())


def _too_deep(body: bytes) -> CallerError:
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(body):
        if not found[0].startswith(b'"'):
            depth += 1 if found[1] else -1
        if depth > DEEPEST:
            return _refusal(f"The body is nested too deeply: more than {DEEPEST}", found.start())
    return _refusal(f"The body is nested too deeply: more than {DEEPEST}", 0)
