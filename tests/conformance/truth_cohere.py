"""The truth of Cohere v2 chat replies. https://docs.cohere.com/v2/reference/chat

Streams: https://docs.cohere.com/v2/docs/streaming
"""

import json
from collections.abc import Mapping

from tests.conformance.recording import Recording
from tests.conformance.said import Choice, Failing, Said, Spent
from tests.conformance.truth_errors import failing
from tests.conformance.wires import Json, objects

_FINISHES: Mapping[str, str] = {
    "complete": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_call": "tool_calls",
    "error": "error",
    "timeout": "error",
}


def read(recording: Recording) -> Said:
    """Return what a recorded reply says."""
    if recording.status != 200:
        return Said(failing=failing(recording))
    if recording.is_streamed:
        return _stream(recording.text)
    reply = json.loads(recording.text)
    said, message = Said(usage=_spent(reply.get("usage") or {})), reply["message"]
    choice = said.choice()
    choice.reasoning += message.get("tool_plan") or ""
    for block in message.get("content") or []:
        _content(choice, block)
    for one in message.get("tool_calls") or []:
        call = choice.call(len(choice.calls))
        call.id, call.name = one["id"], one["function"]["name"]
        call.arguments = one["function"]["arguments"]
    choice.cited |= {_known_by(one) for one in message.get("citations") or []}
    _end(choice, reply["finish_reason"])
    choice.tokens += [one["text"] for one in reply.get("logprobs") or []]
    return said


def _stream(text: str) -> Said:
    said = Said(failing=Failing())  # until the end is seen
    choice = said.choice()
    for event in objects(text):
        message = (event.get("delta") or {}).get("message") or {}
        match event["type"]:
            case "content-start" | "content-delta":
                _content(choice, message["content"])
            case "tool-plan-delta":
                choice.reasoning += message["tool_plan"]
            case "tool-call-start":
                call = choice.call(event["index"])
                call.id = message["tool_calls"]["id"]
                call.name = message["tool_calls"]["function"]["name"]
                call.arguments = message["tool_calls"]["function"].get("arguments") or ""
            case "tool-call-delta":
                piece = message["tool_calls"]["function"]["arguments"]
                choice.call(event["index"]).arguments += piece
            case "citation-start":
                choice.cited.add(_known_by(message["citations"]))
            case "message-end":
                end = event["delta"]
                said.failing = Failing() if end.get("error") else None
                _end(choice, end["finish_reason"])
                said.usage = _spent(end.get("usage") or {})
    return said


def _content(choice: Choice, block: Json) -> None:
    choice.text += block.get("text") or ""
    choice.reasoning += block.get("thinking") or ""


def _known_by(citation: Json) -> frozenset[str]:
    """Return the text that has a source."""
    return frozenset({citation["text"]})


def _end(choice: Choice, word: str) -> None:
    choice.native = word
    choice.finish = _FINISHES.get(word.lower(), "stop")
    if choice.calls and choice.finish == "stop":
        choice.finish = "tool_calls"


def _spent(said: Json) -> Spent | None:
    """Return the tokens that the model read and wrote; what is billed may be fewer."""
    tokens = said.get("tokens")
    if tokens is None:
        return None
    prompt, completion = tokens["input_tokens"], tokens["output_tokens"]
    paid = said.get("billed_units")
    billed = (paid.get("input_tokens") or 0, paid.get("output_tokens") or 0) if paid else None
    return Spent(
        prompt=prompt,
        completion=completion,
        total=prompt + completion,
        cached=said.get("cached_tokens") or 0,
        reasoning=tokens.get("reasoning_tokens") or 0,
        billed=billed,
    )
