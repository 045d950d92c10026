"""What an adapter may say that it has no words for, by the path it names: only what is asked for."""

import re
from collections.abc import Callable, Mapping

from tests.translation.chat_facts import told
from tests.translation.facts import Cached, Choice, Json, Media, Text, Told

_PLACE = re.compile(r"\[\d+\]")


def _holds(*kinds: str) -> Callable[[Told], bool]:
    return lambda facts: any(isinstance(one, Media) and one.kind in kinds for one in facts.said)


def _is_demanded(facts: Told) -> bool:
    return facts.wishes.get("choice", Choice("auto")).mode not in ("auto", "none")


def _ends_with_an_answer(facts: Told) -> bool:
    """Tell whether the assistant has the last word, markers and white space aside."""
    said = [one for one in facts.said if not isinstance(one, Cached)]
    words = [one for one in said if not isinstance(one, Text) or one.text.strip()]
    return any(getattr(one[-1], "who", "assistant") == "assistant" for one in (said, words) if one)


_REASONS: Mapping[str, Callable[[Told], bool]] = {
    "messages": _ends_with_an_answer,
    "messages.content": _holds("image", "audio", "file"),
    "messages.content.type": _holds("audio", "file"),
    "messages.content.image_url": _holds("image"),
    "messages.content.input_audio": _holds("audio"),
    "messages.content.file": _holds("file"),
    "messages.content.file.file_id": _holds("file"),
    "response_format": lambda facts: "form" in facts.wishes,
    "tool_choice": _is_demanded,
    "n": lambda facts: "n" in facts.wishes,
}


def is_sensible(request: Json, path: str | None) -> bool:
    """Tell whether a request holds what an adapter refuses: media, a form, a demand, a prefill."""
    reason = _REASONS.get(_PLACE.sub("", path or ""))
    return reason is not None and reason(told(request))
