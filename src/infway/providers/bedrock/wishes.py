"""How a model of Bedrock shall answer: limits, sampling, reasoning.

What Converse has no fields for goes into `additionalModelRequestFields`, in the model's own words.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html
"""

from collections.abc import Mapping, Sequence

from infway.kernel.chat import Offer
from infway.providers.anthropic.models import Generation
from infway.providers.anthropic.thinking import is_hindered, sampling_of, thinking_of
from infway.providers.bedrock.cache import Block
from infway.providers.bedrock.families import Dial, Family
from infway.providers.bedrock.messages import kind_of
from infway.providers.conversation.parts import Conversation
from infway.providers.shapes import as_object, as_objects

_LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_USUAL = "medium"
_HOTTEST = 1.0  # of all models
# Blocks that decide whether Claude may think, in the words of its own API
_TYPES = {"toolResult": "tool_result", "reasoningContent": "thinking"}
_NAMES = {"temperature": "temperature", "top_p": "topP"}


def wishes_of(
    talk: Conversation, offer: Offer, family: Family, messages: list[Block], *, forced: bool
) -> tuple[Block, Block]:
    """Return `inferenceConfig` and `additionalModelRequestFields`. `forced`: a call is demanded."""
    if family.claude is None:
        inference, additional = _plain(talk, family)
    else:
        hindered = is_hindered(_shape(messages), forced=forced)
        inference, additional = _claudes(talk, offer, family.claude, hindered=hindered)
    stop = [one for one in talk.stop if (one.strip() if family.claude else one)]
    if len(stop) < len(talk.stop):
        talk.drop("stop")
    if stop:
        inference["stopSequences"] = stop
    return inference, additional


def _claudes(
    talk: Conversation, offer: Offer, claude: Generation, *, hindered: bool
) -> tuple[Block, Block]:
    """Return what Claude is told, whose own fields are those of Anthropic's API."""
    limit = talk.max_tokens or offer.max_output or claude.max_output
    thinking = thinking_of(talk, claude, limit)
    kind = as_object(thinking.get("thinking")).get("type")
    if kind == "enabled" and hindered:
        talk.drop("reasoning_effort")
        thinking, kind = {}, None
    sampling = sampling_of(talk, claude, thinks=kind in ("enabled", "adaptive"))
    top_k = _nested(("top_k",), sampling.pop("top_k", None))
    # a budget of thinking has to stay below the limit, so the limit must not be left to Bedrock
    said = limit if kind == "enabled" else talk.max_tokens
    return _inference(said, sampling), top_k | thinking


def _plain(talk: Conversation, family: Family) -> tuple[Block, Block]:
    """Return what any other model is told."""
    sampling = {name: value for name in _NAMES if (value := _number(talk, name)) is not None}
    if sampling.get("temperature", 0) > _HOTTEST:
        sampling["temperature"] = _HOTTEST
        talk.drop("temperature")  # OpenAI's goes up to 2
    top_k = _nested(family.top_k, _number(talk, "top_k") if family.top_k else None)
    is_limited = bool(sampling) or talk.max_tokens is not None
    dialled = _dialled(talk, family.dial, is_limited=is_limited)
    return _inference(talk.max_tokens, sampling), top_k | dialled


def _inference(limit: int | None, sampling: Mapping[str, object]) -> Block:
    said: Block = {} if limit is None else {"maxTokens": limit}
    return said | {_NAMES[name]: value for name, value in sampling.items()}


def _dialled(talk: Conversation, dial: Dial | None, *, is_limited: bool) -> Block:
    """Return how much the model shall reason, as near to the wish as it can."""
    effort = talk.effort
    if effort is None:
        return {}
    level = "none" if effort.budget == 0 else effort.level or _USUAL
    if dial is None or level not in _LEVELS:
        if level != "none":
            talk.drop("reasoning_effort")
        return {}
    if level == "none" and level not in dial.levels:
        if not dial.rests:
            talk.drop("reasoning_effort")
        return {}
    if effort.budget:
        talk.drop("reasoning.max_tokens")
    nearest = _nearest(level, dial.levels)
    if is_limited and nearest in dial.unlimited:
        talk.drop("reasoning_effort")
        nearest = dial.levels[dial.levels.index(nearest) - 1]
    *path, name = dial.path
    return _nested(tuple(path), {**dial.beside, name: nearest})


def _nearest(level: str, levels: Sequence[str]) -> str:
    """Return the level, or the next one above that the model has, or its highest."""
    above = _LEVELS[_LEVELS.index(level) :]
    return next((one for one in above if one in levels), levels[-1])


def _nested(path: Sequence[str], value: object) -> Block:
    """Return a value at the end of a path of fields; nothing where there is no value."""
    if value is None:
        return {}
    for name in reversed(path):
        value = {name: value}
    return as_object(value)


def _number(talk: Conversation, name: str) -> float | None:
    value = talk.fields.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    talk.take(name)
    return value


def _shape(messages: list[Block]) -> list[Block]:
    """Return which kinds of blocks stand where, in the words of Anthropic's API."""
    return [
        {
            "role": one["role"],
            "content": [
                {"type": _TYPES.get(kind_of(block), "")} for block in as_objects(one["content"])
            ],
        }
        for one in messages
    ]
