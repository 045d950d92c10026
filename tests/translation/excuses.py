"""Which listed loss excuses what: the table between paths in `dropped` and facts not found.

Each excuse changes both tellings, the one of the request and the one of the vendor's body, so that
what is excused is told in neither.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import NamedTuple

from tests.translation.facts import (
    Cached,
    Called,
    Fact,
    Media,
    Text,
    Thought,
    canonical,
)

BEGIN, END = "<system>", "</system>"
_BLANK_ENDS = re.compile(rf"^\s+|\s+$|(?<={BEGIN})\s+|\s+(?={END})")
_MARKED_BLANK = re.compile(rf"^{BEGIN}(\s*){END}$")
# Said where a conversation has to begin with the user, or a turn has to be parted in two
OPENINGS = ("(The conversation begins.)", ".")
SILENCE = " "  # what Gemini is told where nothing is said


class Both(NamedTuple):
    """What the request says, and what was found in the vendor's body."""

    asked: list[Fact]
    found: list[Fact]


def excuse(both: Both, dropped: Collection[str]) -> Both:
    """Return both tellings without what is listed as lost."""
    for path, change in EXCUSES.items():
        if path in dropped:
            both = change(both)
    return _without_opening(both, SILENCE)


def _each(change: Callable[[Fact], Fact | None]) -> Callable[[Both], Both]:
    def changed(both: Both) -> Both:
        return Both(*([new for one in facts if (new := change(one)) is not None] for facts in both))

    return changed


def _without_cache(fact: Fact) -> Fact | None:
    return None if isinstance(fact, Cached) else fact


def _without_ttl(fact: Fact) -> Fact:
    return Cached("") if isinstance(fact, Cached) else fact


def _without_signature(fact: Fact) -> Fact:
    return fact._replace(signature="") if isinstance(fact, Called) else fact


def _without_detail(fact: Fact) -> Fact:
    return fact._replace(detail="") if isinstance(fact, Media) else fact


def _without_name(fact: Fact) -> Fact:
    return fact._replace(name="") if isinstance(fact, Media) else fact


def _without_blanks(fact: Fact) -> Fact | None:
    """Nothing is said by white space alone or at an end, nor by media of the system."""
    if isinstance(fact, Media) and fact.who == "system":
        return None
    if not isinstance(fact, Text):
        return fact
    text = _BLANK_ENDS.sub("", fact.text)
    return fact._replace(text=text) if text else None


def _spoken_by_the_user(both: Both) -> Both:
    """The system speaks through the user, between marks, where it speaks in the middle."""
    begun = False
    asked: list[Fact] = []
    for fact in both.asked:
        begun = begun or (not isinstance(fact, Cached) and getattr(fact, "who", "") != "system")
        is_systems = isinstance(fact, Text) and fact.who == "system"
        asked.append(_marked(fact) if begun and is_systems else fact)
    if not any(isinstance(one, Text) and one.who == "system" for one in both.found):
        asked = [_marked(fact) for fact in asked]
    found = [one for one in map(_unmarked, both.found) if not _is_made_up(one, asked)]
    return Both(asked, found)


def _marked(fact: Fact) -> Fact:
    """White space alone needs no marks."""
    if not isinstance(fact, Text) or fact.who != "system":
        return fact
    return Text("user", f"{BEGIN}{fact.text}{END}" if fact.text.strip() else fact.text)


def _unmarked(fact: Fact) -> Fact:
    if not isinstance(fact, Text):
        return fact
    return fact._replace(text=_MARKED_BLANK.sub(r"\1", fact.text))


def _is_made_up(fact: Fact, asked: list[Fact]) -> bool:
    return isinstance(fact, Text) and fact.text in OPENINGS and fact not in asked


def _is_after_system(fact: Fact) -> bool:
    if isinstance(fact, Text):
        return bool(fact.text) and fact.who != "system"
    return not isinstance(fact, Cached)


def _without_opening(both: Both, opening: str) -> Both:
    """Take away what was found first after the system's words, if nobody asked for it."""
    asked, first = (next(filter(_is_after_system, facts), None) for facts in both)
    if first != Text("user", opening) or asked == first:
        return both
    found = list(both.found)
    found.remove(first)
    return Both(both.asked, found)


def _thoughts_found(both: Both) -> Both:
    """A vendor believes its own thoughts only, and not every model those of another."""
    found = [one for one in both.found if isinstance(one, Thought)]
    kept = [one for one in both.asked if not isinstance(one, Thought) or one in found]
    return Both(kept, both.found)


def _odd_arguments(both: Both) -> Both:
    """What is no object stands in one, under the name `arguments`."""
    found = {one.number: one.arguments for one in both.found if isinstance(one, Called)}
    asked = [
        _held(one, found.get(one.number)) if isinstance(one, Called) else one for one in both.asked
    ]
    return Both(asked, both.found)


def _held(call: Called, found: str | None) -> Called:
    ways = [canonical({"arguments": call.arguments})]
    with suppress(ValueError):
        ways.append(canonical({"arguments": json.loads(call.arguments)}))
    return call._replace(arguments=found) if found in ways else call


EXCUSES: Mapping[str, Callable[[Both], Both]] = {
    "messages.role": _spoken_by_the_user,  # the first, for the others change who speaks when
    "messages.cache_control": _each(_without_cache),
    "messages.content": _each(_without_blanks),
    "messages.content.cache_control": _each(_without_cache),
    "messages.content.cache_control.ttl": _each(_without_ttl),
    "messages.content.file.filename": _each(_without_name),
    "messages.content.image_url.detail": _each(_without_detail),
    "messages.reasoning_details": _thoughts_found,
    "messages.tool_calls.arguments": _odd_arguments,
    "messages.tool_calls.extra_content": _each(_without_signature),
}
