"""A request told twice: by its own JSON, and by the body that an adapter made of it."""

import json
import re
from collections.abc import Callable, Iterable, Mapping

from tests.translation import (
    back_anthropic,
    back_bedrock,
    back_cohere,
    back_gemini,
    back_ollama,
    back_responses,
    chat_facts,
)
from tests.translation.excuses import Both, excuse
from tests.translation.facts import Fact, Json, Media, Text, Told, differences, tidy
from tests.translation.wishes import unmet

from infway.kernel.chat import HttpCall

BACK: Mapping[str, Callable[[Json], Told]] = {
    "anthropic": back_anthropic.told,
    "bedrock-invoke": back_anthropic.told,
    "bedrock": back_bedrock.told,
    "gemini": back_gemini.told,
    "cohere": back_cohere.told,
    "ollama": back_ollama.told,
    "responses": back_responses.told,
}
_PLACE = re.compile(r"\[\d+\]")
_ENDING = re.compile(r"\.\w{1,5}$")


def lost(dialect: str, request: Json, call: HttpCall) -> list[str]:
    """Return what of a request the vendor is not told and nobody listed, and what was made up."""
    asked, found = chat_facts.told(request), BACK[dialect](json.loads(call.body))
    both = Both(_as_told_there(dialect, asked.said), found.said)
    if dialect == "bedrock":
        both = both._replace(found=_without_introductions(both.found))
    dropped = anywhere(call.dropped)
    both = excuse(both, dropped)
    lines = list(differences(tidy(both.asked), tidy(both.found)))
    return lines + list(unmet(dialect, asked.wishes, found.wishes, dropped))


def anywhere(paths: Iterable[str]) -> frozenset[str]:
    """Return paths without the places of messages, parts and tools."""
    return frozenset(_PLACE.sub("", path) for path in paths)


def _as_told_there(dialect: str, facts: list[Fact]) -> list[Fact]:
    """Return facts as a dialect tells them; a document's ending is its format for Bedrock."""
    if dialect != "bedrock":
        return facts
    return [
        one._replace(name=_ENDING.sub("", one.name)) if isinstance(one, Media) else one
        for one in facts
    ]


def _without_introductions(facts: list[Fact]) -> list[Fact]:
    """Bedrock wants words beside documents; where there are none, their names are."""
    names = {one.name for one in facts if isinstance(one, Media) and one.kind == "file"}
    return [
        one for one in facts if not isinstance(one, Text) or not set(one.text.split(", ")) <= names
    ]
