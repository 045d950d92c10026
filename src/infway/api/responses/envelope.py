"""The response object around the items: who answered, how it ended, and the settings it was asked with."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from infway.api.responses.schema import ResponsesBody
from infway.kernel.events import Usage

Object = dict[str, object]
_UNSAID: Mapping[str, object] = {"description": None, "parameters": None, "strict": None}
# What is told of a field that was not sent: OpenAI's own defaults
_DEFAULTS: Mapping[str, object] = {
    "background": False, "frequency_penalty": 0.0, "instructions": None, "max_output_tokens": None,
    "max_tool_calls": None, "metadata": {}, "parallel_tool_calls": True, "presence_penalty": 0.0,
    "previous_response_id": None, "prompt_cache_key": None, "safety_identifier": None,
    "temperature": 1.0, "tool_choice": "auto", "top_logprobs": 0, "top_p": 1.0,
    "truncation": "disabled",
}  # fmt: skip
_OPTIONAL = ("user", "prompt_cache_retention")


class State(NamedTuple):
    """What changes while a response is made. `service_tier`: what the upstream said of it."""

    status: str
    output: Sequence[Mapping[str, object]] = ()
    error: Mapping[str, object] | None = None
    incomplete: str | None = None
    usage: Mapping[str, object] | None = None
    service_tier: str | None = None
    completed_at: int | None = None


def settings_of(body: ResponsesBody, *, store: bool) -> Object:
    """Return the settings of a request as its response tells them."""
    said: Object = {}
    for name, default in _DEFAULTS.items():
        value = getattr(body, name)
        said[name] = default if value is None else value
    for name in _OPTIONAL:
        value = getattr(body, name)
        if value is not None:
            said[name] = value
    reasoning, text = body.reasoning, body.text
    form = None if text is None else text.format
    said |= {
        "store": store,
        "reasoning": {
            "effort": reasoning.effort if reasoning else None,
            "summary": summary_of(body),
        },
        "service_tier": body.service_tier or "auto",
        "text": {
            "format": {"type": "text"} if form is None else _said(form),
            "verbosity": (text.verbosity if text else None) or "medium",
        },
        "tools": [
            {**_UNSAID, **tool} if tool["type"] == "function" else tool for tool in body.tools or ()
        ],
    }
    return said


def _said(form: object) -> Object:
    said = {name: getattr(form, name) for name in ("type", "name", "schema", "strict")}
    said["description"] = getattr(form, "description", None)
    return {name: value for name, value in said.items() if value is not None}


def summary_of(body: ResponsesBody) -> str | None:
    """Return how thoughts shall be summed up, None where no summary was asked for."""
    said = body.reasoning
    return None if said is None else said.summary or said.generate_summary


def response_object(
    id_: str, created: int, model: str, settings: Mapping[str, object], state: State
) -> Object:
    """Return a whole response."""
    incomplete = None if state.incomplete is None else {"reason": state.incomplete}
    return {
        "id": id_,
        "object": "response",
        "created_at": created,
        "status": state.status,
        **settings,
        "completed_at": state.completed_at,
        "error": state.error,
        "incomplete_details": incomplete,
        "model": model,
        "output": state.output,
        "service_tier": state.service_tier or settings["service_tier"],
        "usage": state.usage,
    }


def usage_object(usage: Usage) -> Object:
    """Return the tokens in this dialect's words."""
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {
            "cached_tokens": usage.cached,
            "cache_write_tokens": usage.cache_write,
        },
        "output_tokens": usage.completion,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total,
    }
