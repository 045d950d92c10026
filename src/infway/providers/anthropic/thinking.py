"""How much Claude shall think, and how it samples.

https://platform.claude.com/docs/en/build-with-claude/thinking, .../effort, .../extended-thinking
"""

from collections.abc import Mapping, Sequence

from infway.providers.anthropic.cache import Block
from infway.providers.anthropic.models import Generation, Sampling
from infway.providers.conversation.parts import Conversation, Effort
from infway.providers.shapes import as_objects

LEAST = 1024  # tokens of thinking
_MEDIUM = 0.5
# The share of the output limit that a level may think (OpenRouter's rule)
_SHARES: Mapping[str, float] = {
    "minimal": 0.1, "low": 0.2, "medium": _MEDIUM, "high": 0.8, "xhigh": 0.95, "max": 0.95,
}  # fmt: skip
_LEVELS = tuple(_SHARES)
_TOP_P = 0.95  # the least top_p beside thinking
_THOUGHTS = frozenset({"thinking", "redacted_thinking"})


def thinking_of(talk: Conversation, model: Generation, limit: int) -> Block:
    """Return `thinking` and `output_config` as the caller wishes and the model can.

    `limit`: output tokens, thinking included.
    """
    effort = talk.effort
    if effort is None:
        return {}
    if effort.level == "none" or effort.budget == 0:
        return _off(talk, model)
    if effort.level is not None and effort.level not in _SHARES:
        talk.drop("reasoning_effort")
        return {}
    if model.adaptive and not (model.budget and effort.budget is not None):
        return _adaptive(talk, model, effort)
    if not model.budget or limit <= LEAST:
        talk.drop("reasoning_effort")
        return {}
    share = _SHARES[effort.level] if effort.level else _MEDIUM
    wished = int(limit * share) if effort.budget is None else effort.budget
    budget = min(max(wished, LEAST), limit - 1)
    if effort.budget not in (None, budget):
        talk.drop("reasoning.max_tokens")
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _off(talk: Conversation, model: Generation) -> Block:
    if model.off is None:
        talk.drop("reasoning_effort")
        return {"output_config": {"effort": model.efforts[0]}}
    return {"thinking": {"type": model.off}} if model.off else {}


def _adaptive(talk: Conversation, model: Generation, effort: Effort) -> Block:
    if effort.budget is not None:
        talk.drop("reasoning.max_tokens")
    # From Claude 4.7 on the text of thoughts is left out where it is not asked for
    said: Block = {"thinking": {"type": "adaptive", "display": "summarized"}}
    if effort.level is not None:
        said["output_config"] = {"effort": _nearest(effort.level, model.efforts)}
    return said


def _nearest(level: str, efforts: Sequence[str]) -> str:
    """Return the level, or the next one above that the model has, or its highest."""
    above = _LEVELS[_LEVELS.index(level) :]
    return next((one for one in above if one in efforts), efforts[-1])


def is_hindered(messages: Sequence[Block], *, forced: bool) -> bool:
    """Tell whether thinking with a budget cannot be asked for here.

    It goes with no demanded tool, with no prefill, and not within a tool loop that began without
    signed thoughts.
    """
    if forced or messages[-1]["role"] == "assistant":
        return True
    beginning = _loop_beginning(messages)
    return bool(beginning) and beginning[0]["type"] not in _THOUGHTS


def _loop_beginning(messages: Sequence[Block]) -> Sequence[Block]:
    """Return what the assistant said first after the user's last words, or nothing."""
    beginning: Sequence[Block] = ()
    for message in reversed(messages):
        blocks = as_objects(message["content"])
        if message["role"] == "assistant":
            beginning = blocks
        elif not any(block["type"] == "tool_result" for block in blocks):
            break
    return beginning


def sampling_of(talk: Conversation, model: Generation, *, thinks: bool) -> Block:
    """Return temperature, top_p and top_k as far as the model takes them."""
    asked = {name: talk.take(name) for name in ("temperature", "top_p", "top_k")}
    said = {name: value for name, value in asked.items() if isinstance(value, int | float)}
    if model.sampling is Sampling.NONE:
        said.clear()
    elif thinks:
        said = {name: value for name, value in said.items() if name == "top_p" and value >= _TOP_P}
        if asked["temperature"] == 1:
            asked["temperature"] = None  # what thinking has anyway
    elif said.get("temperature", 0) > 1:
        said["temperature"] = 1.0
        talk.drop("temperature")  # OpenAI's goes up to 2
    if model.sampling is Sampling.ONE and "temperature" in said:
        said.pop("top_p", None)
    for name, value in asked.items():
        if value is not None and name not in said:
            talk.drop(name)
    return dict(said)
