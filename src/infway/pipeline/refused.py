"""What is said to a request beyond a limit: whose it is, and what helps."""

from collections.abc import Mapping, Sequence
from math import ceil

from infway.kernel.account import Holder, Limits, Window
from infway.kernel.errors import UnavailableError
from infway.state.meter import Kind, Need, Refused

OUTPUT = 256
"""Tokens of an answer whose length its caller left open, until it is settled."""
_WHOSE = {
    "key": "this key",
    "project": "the key's project",
    "organisation": "the key's organisation",
}
_CODES: Mapping[Kind, str] = {
    Kind.TOKENS: "tokens_per_minute_exceeded",
    Kind.CONCURRENT: "concurrent_requests_exceeded",
}


def refusal(refused: Refused, holders: Sequence[Holder], need: Need) -> UnavailableError:
    """Return what is said. `holders`: all whose limits held; `need`: what the request was counted as."""
    whose = _WHOSE.get(refused.holder.partition(":")[0], "the key")
    what = refused.what
    if refused.never:
        limits = next((one.limits for one in holders if one.id == refused.holder), Limits())
        what, said = _too_large(whose, limits, need)
    else:
        said = f"{_full(what, whose)} Try again in {max(1, ceil(refused.retry_after))} s."
    code = _CODES.get(what, "rate_limit_exceeded")
    retryable = False if refused.never else None
    after = refused.retry_after
    return UnavailableError(429, code, said, retry_after=after, retryable=retryable)


def _full(what: Kind, whose: str) -> str:
    if what is Kind.CONCURRENT:
        return f"{_capital(whose)} has as many requests under way as it may."
    return f"{_capital(whose)} is beyond its limit of {what.name.lower()}."


def _too_large(whose: str, limits: Limits, need: Need) -> tuple[Kind, str]:
    """Return which limit one request is more than, so that no waiting helps, and how it is said."""
    if most := _below(need.tokens, limits.tokens):
        counted = f"its prompt and its longest answer, {OUTPUT} where that is not said"
        said = f"The request may use {need.tokens} tokens ({counted}), and {whose} may use {most}."
        return Kind.TOKENS, said
    if most := _below(need.characters, limits.characters):
        said = f"The request has {need.characters} characters, and {whose} may send {most}."
        return Kind.CHARACTERS, said
    kind = Kind.REQUESTS if _below(1, limits.requests) else Kind.CONCURRENT
    return kind, f"{_capital(whose)} may send no request: its limit is 0."


def _below(amount: int, windows: Sequence[Window]) -> str:
    """Return the least of the limits that are less than an amount, none where there is none."""
    least = min(windows, key=lambda one: one.most, default=None)
    return f"{least.most} in {least.seconds} s" if least and least.most < amount else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
