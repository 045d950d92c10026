"""The truth of Gemini generateContent replies. https://ai.google.dev/api/generate-content

A stream is a row of the same objects; usage in each of them counts from the beginning.
"""

import json
from collections.abc import Mapping

from tests.conformance.recording import Recording
from tests.conformance.said import Choice, Failing, Said, Spent
from tests.conformance.truth_errors import failing, failing_inside
from tests.conformance.wires import Json, objects

_FINISHES: Mapping[str, str] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(
        (
            "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
            "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR",
        ),
        "content_filter",
    ),
    **dict.fromkeys(
        (
            "OTHER", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",
            "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE", "NO_IMAGE", "IMAGE_OTHER",
        ),
        "error",
    ),
}  # fmt: skip

# What else is in a part than the work of Google's own tools
_CARRIED = frozenset({"text", "functionCall", "inlineData"})


def read(recording: Recording) -> Said:
    """Return what a recorded reply says."""
    if recording.status != 200:
        return Said(failing=failing(recording))
    said = Said()
    counted: Json = {}
    chunks = objects(recording.text) if recording.is_streamed else [json.loads(recording.text)]
    for chunk in chunks:
        if "error" in chunk:
            return Said(said.choices, failing=failing_inside("gemini", chunk["error"]))
        if chunk.get("promptFeedback", {}).get("blockReason") and not chunk.get("candidates"):
            return Said(failing=Failing(400, "content_policy_violation"))
        for place, candidate in enumerate(chunk.get("candidates", [])):
            _candidate(said.choice(candidate.get("index", place)), candidate)
        counted = chunk.get("usageMetadata") or counted
    if not said.choices or not all(choice.native for choice in said.choices.values()):
        said.failing = Failing()
        return said
    said.usage = _spent(counted)
    return said


def _candidate(choice: Choice, candidate: Json) -> None:
    for part in candidate.get("content", {}).get("parts", []):
        _part(choice, part)
    found = candidate.get("groundingMetadata", {})
    sources = found.get("groundingChunks", [])
    for support in found.get("groundingSupports", []):
        choice.cited |= {
            _known_by(sources[place])
            for place in support.get("groundingChunkIndices", [])
            if place < len(sources)
        }
    chosen = candidate.get("logprobsResult", {}).get("chosenCandidates", [])
    choice.tokens += [one["token"] for one in chosen]
    if "finishReason" in candidate:
        choice.native = candidate["finishReason"]
        choice.finish = _FINISHES.get(candidate["finishReason"], "stop")
        if choice.calls and choice.finish == "stop":
            choice.finish = "tool_calls"


def _part(choice: Choice, part: Json) -> None:
    """Add a part; the code that Google itself runs is neither text nor a call."""
    if "text" in part and part.get("thought"):
        choice.reasoning += part["text"]
    elif "text" in part:
        choice.text += part["text"]
    if "functionCall" in part:
        call = choice.call(len(choice.calls))
        call.id, call.name = part["functionCall"].get("id"), part["functionCall"]["name"]
        call.arguments = json.dumps(part["functionCall"].get("args") or {})
    if "inlineData" in part and part["inlineData"]["mimeType"].startswith("image/"):
        choice.images += 1
    if "thoughtSignature" in part and _CARRIED & part.keys():
        choice.kept.add(part["thoughtSignature"])


def _known_by(source: Json) -> frozenset[str]:
    """Return the address or the title of a source."""
    said = source.get("web") or source.get("retrievedContext") or source.get("maps") or {}
    return frozenset(filter(None, (said.get("uri"), said.get("title"))))


def _spent(said: Json) -> Spent:
    """Return the tokens: thoughts are beside the candidates, results of tools beside the prompt."""
    thought = said.get("thoughtsTokenCount", 0)
    prompt = said.get("promptTokenCount", 0) + said.get("toolUsePromptTokenCount", 0)
    completion = said.get("candidatesTokenCount", 0) + thought
    return Spent(
        prompt=prompt,
        completion=completion,
        total=said.get("totalTokenCount") or prompt + completion,
        cached=said.get("cachedContentTokenCount", 0),
        reasoning=thought,
    )
