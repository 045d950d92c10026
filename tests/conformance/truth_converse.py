"""The truth of Bedrock Converse replies.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

import json
from collections.abc import Mapping

from tests.conformance.recording import Recording
from tests.conformance.said import Choice, Failing, Said, Spent
from tests.conformance.truth_errors import failing
from tests.conformance.wires import Json, aws_frames

_FINISHES: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}


def read(recording: Recording) -> Said:
    """Return what a recorded reply says."""
    if recording.status != 200:
        return Said(failing=failing(recording))
    if recording.is_streamed:
        return _stream(recording.body)
    reply = json.loads(recording.text)
    said = Said(usage=_spent(reply["usage"]))
    for block in reply["output"]["message"]["content"]:
        _block(said.choice(), block)
    _end(said.choice(), reply["stopReason"])
    return said


def _stream(body: bytes) -> Said:
    said = Said(failing=Failing())  # until the end is seen
    choice, calls = said.choice(), {}
    for frame in aws_frames(body):
        part = json.loads(frame.payload)
        match frame.headers.get(":event-type"):
            case "contentBlockStart" if _is_call(part["start"].get("toolUse")):
                use = part["start"]["toolUse"]
                call = calls[part["contentBlockIndex"]] = choice.call(len(choice.calls))
                call.id, call.name = use["toolUseId"], use["name"]
            case "contentBlockDelta":
                delta = part["delta"]
                if "toolUse" in delta and part["contentBlockIndex"] in calls:
                    calls[part["contentBlockIndex"]].arguments += delta["toolUse"]["input"]
                _delta(choice, delta)
            case "messageStop":
                _end(choice, part["stopReason"])
                said.failing = None
            case "metadata":
                said.usage = _spent(part["usage"])
    return said


def _is_call(use: Json | None) -> bool:
    """Tell a call for the caller from one of the vendor's own tools."""
    return use is not None and use.get("type") != "server_tool_use"


def _delta(choice: Choice, delta: Json) -> None:
    choice.text += delta.get("text", "")
    thought = delta.get("reasoningContent", {})
    choice.reasoning += thought.get("text", "")
    choice.kept |= {thought[name] for name in ("signature", "redactedContent") if thought.get(name)}
    if "citation" in delta:
        choice.cited.add(_known_by(delta["citation"]))


def _block(choice: Choice, block: Json) -> None:
    choice.text += block.get("text", "")
    cited = block.get("citationsContent", {})
    choice.text += "".join(part.get("text", "") for part in cited.get("content", []))
    choice.cited |= {_known_by(one) for one in cited.get("citations", [])}
    thought = block.get("reasoningContent", {})
    plain = thought.get("reasoningText", {})
    choice.reasoning += plain.get("text", "")
    kept = (plain.get("signature"), thought.get("redactedContent"))
    choice.kept |= set(filter(None, kept))
    use = block.get("toolUse")
    if use is not None and _is_call(use):
        call = choice.call(len(choice.calls))
        call.id, call.name, call.arguments = use["toolUseId"], use["name"], json.dumps(use["input"])


def _known_by(citation: Json) -> frozenset[str]:
    """Return the address or the source of a citation, or what it quotes."""
    web = citation.get("location", {}).get("web", {})
    quotes = [part.get("text") for part in citation.get("sourceContent", [])]
    named = (web.get("url"), citation.get("source"), "".join(filter(None, quotes)), *quotes)
    return frozenset(filter(None, named))


def _end(choice: Choice, word: str) -> None:
    choice.native = word
    choice.finish = _FINISHES.get(word, "stop")
    if choice.calls and choice.finish == "stop":
        choice.finish = "tool_calls"


def _spent(said: Json) -> Spent:
    """Return the tokens: what the cache has to do with is not in `inputTokens`."""
    cached = said.get("cacheReadInputTokens") or 0
    written = said.get("cacheWriteInputTokens") or 0
    prompt = said["inputTokens"] + cached + written
    return Spent(prompt, said["outputTokens"], said["totalTokens"], cached, written)
