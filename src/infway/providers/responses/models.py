"""What OpenAI's models can be told beside their prompt, by the pattern of their names.

Sources: https://platform.openai.com/docs/guides/reasoning, the pages of the models, and what the
API answers to a level that a model lacks. A name that no row knows may be asked for anything.
"""

import re

# From less to more
LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_O_SERIES = ("low", "medium", "high")

# The first row that matches counts. No levels: the model does not reason, and refuses to be asked.
_ROWS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), levels)
    for pattern, levels in (
        (r"(chatgpt|gpt-3|gpt-4|gpt-5-chat)", ()),
        (r"gpt-5-pro", ("high",)),
        (r"gpt-5\.\d+-pro", ("medium", "high", "xhigh")),
        (r"gpt-5-codex|gpt-5\.1-codex(?!-max)|codex-mini", _O_SERIES),
        (r"gpt-5\.\d+-codex", (*_O_SERIES, "xhigh")),
        (r"gpt-5\.1(?!\d)", ("none", *_O_SERIES)),
        (r"gpt-5\.[2-5](?!\d)", ("none", *_O_SERIES, "xhigh")),
        (r"gpt-5\.\d+", ("none", *_O_SERIES, "xhigh", "max")),
        (r"gpt-5", ("minimal", *_O_SERIES)),
        (r"o\d|gpt-oss", _O_SERIES),
    )
)
_MAKER = re.compile(r"openai[./]")
_MARKS_CACHE = re.compile(r"gpt-5\.([6-9]|\d\d)")
_OPEN = re.compile(r"gpt-oss")


def levels_of(native: str) -> tuple[str, ...] | None:
    """Return the levels of reasoning a model has, None where it is not known here."""
    name = _plain(native)
    return next((levels for pattern, levels in _ROWS if pattern.match(name)), None)


def nearest_level(level: str, levels: tuple[str, ...]) -> str:
    """Return the level that is next to the one asked for, the higher one of two."""
    if level in levels or level not in LEVELS:
        return level
    asked = LEVELS.index(level)
    return min(reversed(levels), key=lambda one: abs(LEVELS.index(one) - asked))


def marks_cache(native: str) -> bool:
    """Tell whether parts of a prompt may be marked as the end of what is cached."""
    return _MARKS_CACHE.match(_plain(native)) is not None


def hides_thoughts(native: str) -> bool:
    """Tell whether a model refuses to read reasoning that is not encrypted."""
    return levels_of(native) is not None and _OPEN.match(_plain(native)) is None


def _plain(native: str) -> str:
    """Return a name without its maker's, as OpenRouter and Bedrock spell it."""
    found = _MAKER.match(native)
    return native[found.end() :] if found else native
