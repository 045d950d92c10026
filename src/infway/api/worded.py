"""Errors of what no endpoint answers, in the words of those who ask below a path."""

import re

from infway.api.anthropic.refusals import refusal_body
from infway.api.errors import error_body
from infway.api.gemini.errors import refusal_of
from infway.kernel.errors import GatewayError

# Whose clients ask below which paths: they read no other errors than their own
_DIALECTS = (
    (re.compile(r"(/v1|/api/v1)?/messages(/|$)|/anthropic/"), refusal_body),
    (re.compile(r"(/gemini)?/v1beta1?(/|$)"), refusal_of),
)


def worded(path: str, error: GatewayError) -> bytes:
    """Return the body of an error at a path."""
    for dialect, refusal in _DIALECTS:
        if dialect.match(path):
            return refusal(error)
    return error_body(error)
