"""Requests to Claude as clients write them, and the bodies that leave."""

from tests.providers.asking import Asking

from infway.providers.anthropic.adapter import Anthropic

ADAPTER = Anthropic()
DIRECT = "https://api.anthropic.com/v1/messages"
CLAUDE = "claude-sonnet-4-5"  # thinks with a budget, keeps to schemas, takes a prefill
NEWER = "claude-sonnet-5"  # thinks as it sees fit, samples as it likes
LOCKED = "claude-opus-5-5"  # thinks always, calls no tool on demand
ELDER = "claude-3-5-haiku-20241022"  # thinks never, keeps to no schema

_ASKING = Asking(Anthropic, "anthropic", DIRECT, CLAUDE)
call, body, lossy, refused = _ASKING.call, _ASKING.body, _ASKING.lossy, _ASKING.refused


def blocks(*messages: dict, **said) -> list[list[dict]]:
    return [message["content"] for message in _ASKING.said(*messages, **said)]
