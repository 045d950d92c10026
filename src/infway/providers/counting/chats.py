"""The tokens of a whole chat request, and those of a text."""

from collections.abc import Callable, Sequence

import msgspec

from infway.kernel.chat import ChatRequest
from infway.providers.counting.families import OTHERS, Family, family_of
from infway.providers.counting.functions import declared, formed
from infway.providers.counting.messages import add_messages
from infway.providers.counting.tally import Count, Tally
from infway.providers.counting.vocabularies import tokens_of
from infway.providers.shapes import Object, as_object, as_objects, as_text, is_object, value_of

Weigh = Callable[[Sequence[str], str], int]
_write = msgspec.json.Encoder().encode


def count_texts(texts: Sequence[str], model: str, weigh: Weigh = tokens_of) -> Count:
    """Return the tokens of texts that stand alone each, for a model by any of its names."""
    return _sum(family_of(model), Tally(list(texts)), weigh)


def count_chat(ask: ChatRequest, model: str, weigh: Weigh = tokens_of) -> Count:
    """Return the tokens that a model by any of its names reads of a request.

    They are those of the messages, the functions and the form of the answer. `weigh` counts those
    of texts by a vocabulary, here or wherever the caller likes.
    """
    family = family_of(model)
    tally = Tally(tokens=family.once)
    messages = as_objects(value_of(ask.fields.get("messages")))
    add_messages(tally, messages, family)
    _add_declared(tally, ask.fields, family, has_system=_starts_with_system(messages))
    if family.thinking and _thinks(ask.fields):
        tally.guess(family.thinking)
    return _sum(family, tally, weigh)


def knows(model: str) -> bool:
    """Tell whether the model's family is known; others are counted as most models count."""
    return family_of(model) is not OTHERS


def _sum(family: Family, tally: Tally, weigh: Weigh) -> Count:
    tokens = weigh(tally.texts, family.vocabulary)
    exact = family.is_own and tally.is_plain
    return Count(max(0, round(tokens * family.factor) + tally.tokens), exact)


def _starts_with_system(messages: Sequence[Object]) -> bool:
    return bool(messages) and messages[0].get("role") in ("system", "developer")


def _add_declared(tally: Tally, fields: Object, family: Family, *, has_system: bool) -> None:
    """Add what the model reads in front of the messages: functions, other tools, and the form.

    They stand in a system message, which is made where there is none.
    """
    tools = as_objects(value_of(fields.get("tools")))
    functions = [as_object(tool["function"]) for tool in tools if "function" in tool]
    functions += as_objects(value_of(fields.get("functions")))
    others = [tool for tool in tools if "function" not in tool]
    form = as_object(as_object(value_of(fields.get("response_format"))).get("json_schema"))
    reads_form = bool(form) and family.form is not None
    if functions and family.is_typed:
        tally.texts.append(declared(functions))
    elif functions:
        tally.texts += map(_json, functions)
    if functions or others:
        tally.guess(family.tools)
    tally.texts += map(_json, others)
    if reads_form:
        tally.texts.append(formed(form))
        tally.guess(family.form or 0)
    if (functions or reads_form) and not has_system:
        tally.guess(family.system)


def _json(value: Object) -> str:
    """Return JSON as templates of prompts write it, with spaces."""
    return msgspec.json.format(_write(value), indent=0).decode()


def _thinks(fields: Object) -> bool:
    """Tell whether reasoning is asked for, in any of its three spellings."""
    if as_text(value_of(fields.get("reasoning_effort"))) not in ("", "none"):
        return True
    thinking = as_object(value_of(fields.get("thinking")))
    reasoning = value_of(fields.get("reasoning"))
    is_off = as_object(reasoning).get("enabled") is False
    return thinking.get("type") in ("enabled", "adaptive") or (is_object(reasoning) and not is_off)
