"""The messages of a chat request as texts and tokens: words, calls, results, pictures and files."""

from collections.abc import Sequence

from infway.providers.counting.families import Family
from infway.providers.counting.media import add_media
from infway.providers.counting.tally import Tally
from infway.providers.shapes import Object, as_list, as_object, as_objects, as_text, is_object

_SYSTEM = ("system", "developer")
_SAID = ("text", "refusal")


def add_messages(tally: Tally, messages: Sequence[Object], family: Family) -> None:
    """Add the messages of a request. Reasoning of earlier turns is not read again."""
    for message in messages:
        is_system = message.get("role") in _SYSTEM
        tally.tokens += family.system if is_system else family.message
        if message.get("name"):
            tally.texts.append(as_text(message.get("name")))
            tally.tokens += 1
        _add_content(tally, message, family)
        if message.get("role") == "assistant":
            _add_calls(tally, message, family)


def _add_content(tally: Tally, message: Object, family: Family) -> None:
    content = message.get("content")
    if isinstance(content, str):
        tally.texts.append(content)
    for part in as_list(content):
        if isinstance(part, str):
            tally.texts.append(part)
        elif is_object(part):
            _add_part(tally, part, family)
    if message.get("refusal"):
        tally.texts.append(as_text(message.get("refusal")))
    if content and message.get("role") == "assistant":
        tally.tokens += family.answer


def _add_part(tally: Tally, part: Object, family: Family) -> None:
    kind = as_text(part.get("type"))
    if kind in _SAID:
        tally.texts.append(as_text(part.get(kind)))
    elif kind not in ("thinking", "redacted_thinking"):
        add_media(tally, kind, part, family)


def _add_calls(tally: Tally, message: Object, family: Family) -> None:
    calls = [as_object(call.get("function")) for call in as_objects(message.get("tool_calls"))]
    if message.get("function_call"):
        calls.append(as_object(message["function_call"]))
    for call in calls:
        tally.texts += (as_text(call.get("name")), as_text(call.get("arguments")))
        tally.guess(family.call)
