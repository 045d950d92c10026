"""Errors of what no endpoint answers, in the words of those who ask below a path."""

import re
from collections.abc import Callable
from typing import NamedTuple

from infway.api.anthropic.message import ID_HEADERS
from infway.api.anthropic.refusals import refusal_body
from infway.api.errors import error_body
from infway.api.gemini.errors import refusal_of
from infway.kernel.errors import GatewayError


class Words(NamedTuple):
    """How clients are told an error, and in which headers beside the usual one they seek its id."""

    refusal: Callable[[GatewayError], bytes]
    id_headers: tuple[bytes, ...] = ()


# Whose clients ask below which paths: they read no other errors than their own
_DIALECTS = (
    (
        re.compile(r"(/v1|/api/v1)?/messages(/|$)|/anthropic/"),
        Words(refusal_body, ID_HEADERS[1:]),
    ),
    (re.compile(r"(/gemini)?/v1beta1?(/|$)"), Words(refusal_of)),
)
_USUAL = Words(error_body)


def words_of(path: str) -> Words:
    """Return how an error is told to those who ask below a path."""
    return next((words for dialect, words in _DIALECTS if dialect.match(path)), _USUAL)
