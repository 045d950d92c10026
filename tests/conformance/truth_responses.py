"""The truth of OpenAI Responses. https://platform.openai.com/docs/api-reference/responses

A stream is read by its finished items; only where it breaks off do its pieces count.
"""

import json
from collections.abc import Iterable

from tests.conformance.recording import Recording
from tests.conformance.said import JOINT, Choice, Failing, Said, Spent
from tests.conformance.truth_errors import failing, failing_inside
from tests.conformance.wires import Json, objects

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})

_PIECES = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.reasoning_text.delta": "reasoning",
    "response.reasoning_summary_text.delta": "reasoning",
}


def read(recording: Recording) -> Said:
    """Return what a recorded reply says."""
    if recording.status != 200:
        return Said(failing=failing(recording))
    if recording.is_streamed:
        return _stream(list(objects(recording.text)))
    reply = json.loads(recording.text)
    return _whole(reply, reply["output"])


def _stream(events: list[Json]) -> Said:
    ends = [event["response"] for event in events if event.get("type") in _ENDS]
    errors = [event for event in events if event.get("type") == "error"]
    items = [event["item"] for event in events if event.get("type") == "response.output_item.done"]
    if ends and not errors:
        said = _whole(ends[-1], items or ends[-1]["output"])
        if said.failing is None:
            return said
    said = Said()
    for event in events:
        if event.get("type") in _PIECES:
            name = _PIECES[event["type"]]
            setattr(said.choice(), name, getattr(said.choice(), name) + event["delta"])
    told = errors[0].get("error", errors[0]) if errors else ends[-1]["error"] if ends else None
    said.failing = failing_inside("openai_responses", told)
    return said


def _whole(reply: Json, items: Iterable[Json]) -> Said:
    if reply["status"] == "failed":
        return Said(failing=failing_inside("openai_responses", reply["error"]))
    if reply["status"] not in ("completed", "incomplete"):
        return Said(failing=Failing())  # it is still being written
    said = Said()
    choice = said.choice()
    for item in items:
        _item(choice, item)
    choice.reasoning = choice.reasoning.strip(JOINT)
    why = (reply.get("incomplete_details") or {}).get("reason")
    choice.native = why or reply["status"]
    choice.finish = "content_filter" if why == "content_filter" else "length"
    if why is None:
        choice.finish = "tool_calls" if choice.calls else "stop"
    said.usage = _spent(reply["usage"]) if reply.get("usage") else None
    return said


def _item(choice: Choice, item: Json) -> None:
    """Add an item; what OpenAI's own tools did is neither text nor a call.

    A custom tool takes plain text, which a function has as its one argument.
    """
    match item["type"]:
        case "message":
            for part in item["content"]:
                _part(choice, part)
        case "reasoning":
            parts = item.get("content") or item.get("summary") or []
            choice.reasoning += "".join(JOINT + part["text"] for part in parts)
            choice.kept |= set(filter(None, [item.get("encrypted_content")]))
        case "function_call" | "custom_tool_call":
            call = choice.call(len(choice.calls))
            call.id, call.name = item["call_id"], item["name"]
            call.arguments = item.get("arguments") or json.dumps({"input": item.get("input", "")})
        case "image_generation_call":
            choice.images += 1


def _part(choice: Choice, part: Json) -> None:
    choice.text += part.get("text", "")
    choice.refusal += part.get("refusal", "")
    choice.tokens += [one["token"] for one in part.get("logprobs") or []]
    for cited in part.get("annotations") or []:
        known = (cited.get("url"), cited.get("file_id"), cited.get("filename"))
        choice.cited.add(frozenset(filter(None, known)))


def _spent(said: Json) -> Spent:
    into, out = said.get("input_tokens_details") or {}, said.get("output_tokens_details") or {}
    return Spent(
        prompt=said["input_tokens"],
        completion=said["output_tokens"],
        total=said["total_tokens"],
        cached=into.get("cached_tokens") or 0,
        written=into.get("cache_write_tokens") or 0,
        reasoning=out.get("reasoning_tokens") or 0,
    )
