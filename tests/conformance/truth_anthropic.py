"""The truth of Anthropic Messages replies. https://docs.anthropic.com/en/api/messages

Streams: https://docs.anthropic.com/en/docs/build-with-claude/streaming; usage there is cumulative:
what `message_delta` says takes the place of what `message_start` said.
"""

import json
from collections.abc import Iterable, Mapping

from tests.conformance.recording import Recording
from tests.conformance.said import Choice, Failing, Said, Spent
from tests.conformance.truth_errors import failing, failing_inside
from tests.conformance.wires import Json, events

_FINISHES: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def read(recording: Recording) -> Said:
    """Return what a recorded reply says."""
    if recording.status != 200:
        return Said(failing=failing(recording))
    if recording.is_streamed:
        return read_stream(json.loads(event.data) for event in events(recording.text))
    return read_whole(json.loads(recording.text))


def read_whole(reply: Json) -> Said:
    """Return what one message says."""
    said = Said(usage=_spent(reply["usage"]))
    for block in reply["content"]:
        _block(said.choice(), block)
    _end(said.choice(), reply["stop_reason"])
    return said


def read_stream(parts: Iterable[Json]) -> Said:
    """Return what the events of a stream add up to."""
    said = Said()
    counted: Json = {}
    blocks: dict[int, Json] = {}
    stop = None
    failure: Failing | None = Failing()  # until the end is seen
    for part in parts:
        match part["type"]:
            case "message_start":
                counted |= part["message"]["usage"]
            case "content_block_start":
                blocks[part["index"]] = dict(part["content_block"])
            case "content_block_delta":
                _grow(blocks[part["index"]], part["delta"])
            case "message_delta":
                stop = part["delta"].get("stop_reason") or stop
                counted |= {k: v for k, v in part.get("usage", {}).items() if v is not None}
            case "message_stop":
                failure = None
            case "error":
                failure = failing_inside("anthropic_messages", part["error"])
                break
    for _, block in sorted(blocks.items()):
        _block(said.choice(), block)
    said.failing = failure
    if failure is None:
        _end(said.choice(), stop or "")
        said.usage = _spent(counted)
    return said


def _grow(block: Json, delta: Json) -> None:
    """Add a piece to the block that it belongs to."""
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = block.get("signature", "") + delta["signature"]
        case "input_json_delta":
            block["arguments"] = block.get("arguments", "") + delta["partial_json"]
        case "citations_delta":
            block["citations"] = [*(block.get("citations") or []), delta["citation"]]


def _block(choice: Choice, block: Json) -> None:
    """Add a finished block; what the vendor's own tools did is neither text nor a call."""
    match block["type"]:
        case "text":
            choice.text += block["text"]
            for cited in block.get("citations") or []:
                known = (cited.get("url"), cited.get("source"), cited.get("cited_text"))
                choice.cited.add(frozenset(filter(None, known)))
        case "thinking":
            choice.reasoning += block["thinking"]
            choice.kept |= {block["signature"]} if block.get("signature") else set()
        case "redacted_thinking":
            choice.kept.add(block["data"])
        case "tool_use":
            call = choice.call(len(choice.calls))
            call.id, call.name = block["id"], block["name"]
            call.arguments = block.get("arguments") or json.dumps(block["input"])


def _end(choice: Choice, word: str) -> None:
    choice.native = word
    choice.finish = _FINISHES.get(word, "stop")
    if choice.calls and choice.finish == "stop":
        choice.finish = "tool_calls"


def _spent(said: Json) -> Spent:
    """Return the tokens: what was read from the cache or written to it is not in `input_tokens`."""
    cached = said.get("cache_read_input_tokens") or 0
    written = said.get("cache_creation_input_tokens") or 0
    prompt, completion = said["input_tokens"] + cached + written, said["output_tokens"]
    details = said.get("output_tokens_details") or {}
    return Spent(
        prompt=prompt,
        completion=completion,
        total=prompt + completion,
        cached=cached,
        written=written,
        reasoning=details.get("thinking_tokens") or 0,
    )
