"""What is wrong with a body that is no JSON, in words that help to mend it."""

import re

from infway.kernel.errors import CallerError

# Half of a surrogate pair as JSON escapes it, behind an even number of backslashes
_HALF = re.compile(
    rb"(?<!\\)(?:\\\\)*(?:\\u[dD][89abAB][\da-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][\da-fA-F]{2})\\u[dD][c-fC-F][\da-fA-F]{2})"
)
_BOM = b"\xef\xbb\xbf"
_TRUNCATED = "truncated"  # the word of msgspec for an end that comes too early


def not_json(body: bytes, error: Exception) -> CallerError:
    """Return what a caller is told; `error` is what its reader raised."""
    return CallerError(400, "invalid_request_body", f"The body is not JSON: {_why(body, error)}")


def _why(body: bytes, error: Exception) -> str:
    for holds, words in (
        (isinstance(error, RecursionError), "it is nested too deeply."),
        (not body.strip(), "it is empty."),
        (isinstance(error, UnicodeDecodeError), "it is not UTF-8."),
        (body.startswith(_BOM), "it begins with a byte order mark."),
        (_HALF.search(body), "a text has half of a surrogate pair, such as \\ud800 alone."),
        (_TRUNCATED in str(error), "it ends too early."),
    ):
        if holds:
            return words
    return f"{error}."
