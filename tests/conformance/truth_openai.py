"""The truth of OpenAI chat replies. https://platform.openai.com/docs/api-reference/chat

Also what vendors make of it: Mistral's content in typed parts, Cloudflare's content that is an
object, OpenRouter's `native_finish_reason`, Snowflake's streams without a finish reason.
"""

import json
from collections.abc import Mapping

from tests.conformance.recording import Recording
from tests.conformance.said import FINISHES, Choice, Failing, Said, Spent
from tests.conformance.truth_errors import failing, failing_inside
from tests.conformance.wires import Json, is_done, objects

# Words that are not among the five
_FINISHES: Mapping[str, str] = {
    "function_call": "tool_calls",  # OpenAI, before tools
    "eos": "stop",  # Together
    "model_length": "length",  # Mistral
}


def read(recording: Recording) -> Said:
    """Return what a recorded reply says."""
    if recording.status != 200:
        return Said(failing=failing(recording))
    if not recording.is_streamed:
        return _whole(recording)
    return _stream(recording.text)


def _whole(recording: Recording) -> Said:
    reply = json.loads(recording.text)
    if reply.get("error"):
        return Said(failing=failing_inside(recording.row.dialect, reply["error"]))
    if recording.row.stream:  # a stream was asked for, and that is none
        return Said(failing=Failing(502, "upstream_bad_response"))
    said = Said()
    _add(said, reply, "message")
    _end(said)
    return said


def _stream(text: str) -> Said:
    said = Said()
    for chunk in objects(text):
        if chunk.get("error"):
            _add(said, {**chunk, "choices": []}, "delta")
            said.failing = failing_inside("openai_chat", chunk["error"])
            return said
        _add(said, chunk, "delta")
    has_said = any(one.text or one.calls or one.reasoning for one in said.choices.values())
    # A choice without a finish is not at its end, unless the vendor says that the whole reply is
    # and never gives any choice a reason.
    nobody = not any(one.native for one in said.choices.values())
    is_whole = bool(said.choices) and all(one.native for one in said.choices.values())
    if not is_whole and not (nobody and has_said and is_done(text)):
        said.failing = Failing()
        return said
    _end(said)
    return said


def _end(said: Said) -> None:
    for choice in said.choices.values():
        word = (choice.finish or "").lower()
        if word:
            choice.finish = word if word in FINISHES else _FINISHES.get(word, "stop")
        else:
            choice.finish = "tool_calls" if choice.calls else "stop"


def _add(said: Said, root: Json, key: str) -> None:
    counted = root.get("usage")
    if counted and counted.get("prompt_tokens") is not None:
        said.usage = _spent(counted)
    for place, part in enumerate(root.get("choices") or []):
        choice = said.choice(part.get("index", place))
        _message(choice, part.get(key) or {})
        if part.get("finish_reason"):
            choice.finish = part["finish_reason"]
            choice.native = part.get("native_finish_reason") or choice.finish
        chances = part.get("logprobs")
        if isinstance(chances, dict):
            choice.tokens += [token["token"] for token in chances.get("content") or []]


def _message(choice: Choice, said: Json) -> None:
    _content(choice, said.get("content"))
    reasoning = said.get("reasoning_content")
    choice.reasoning += (said.get("reasoning") if reasoning is None else reasoning) or ""
    choice.refusal += said.get("refusal") or ""
    for position, piece in enumerate(said.get("tool_calls") or []):
        at = piece.get("index")
        call = choice.call(position if at is None else at)
        call.id = piece.get("id") or call.id
        custom, function = piece.get("custom") or {}, piece.get("function") or {}
        call.name += function.get("name") or custom.get("name") or ""
        call.arguments += function.get("arguments") or custom.get("input") or ""
    old = said.get("function_call") or {}
    if old.get("name") or old.get("arguments"):
        call = choice.call(0)
        call.name += old.get("name") or ""
        call.arguments += old.get("arguments") or ""
    cited = [item.get("url_citation") or {} for item in said.get("annotations") or []]
    choice.cited |= {frozenset({item["url"]}) for item in cited if item.get("url")}
    choice.images += len(said.get("images") or [])
    choice.audio += (said.get("audio") or {}).get("data") or ""
    choice.kept |= {
        item.get("signature") or item.get("data")
        for item in said.get("reasoning_details") or []
        if item.get("signature") or item.get("data")
    }


def _content(choice: Choice, content: object) -> None:
    if isinstance(content, str):
        choice.text += content
    elif isinstance(content, dict):
        choice.text += json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    elif isinstance(content, list):
        for part in content:
            if part["type"] == "thinking":
                choice.reasoning += "".join(one.get("text") or "" for one in part["thinking"])
            elif part["type"] == "text":
                choice.text += part["text"]


def _spent(said: Json) -> Spent:
    """Return the tokens; what was cached stands in four places."""
    prompt, completion = said["prompt_tokens"], said.get("completion_tokens") or 0
    into = said.get("prompt_tokens_details") or {}
    out = said.get("completion_tokens_details") or {}
    thought = out.get("reasoning_tokens") or 0
    if said.get("total_tokens") == prompt + completion + thought:
        completion += thought  # xAI counts it beside
    cached = (
        into.get("cached_tokens")
        or said.get("prompt_cache_hit_tokens")  # DeepSeek
        or said.get("cached_tokens")  # Hugging Face
        or said.get("num_cached_tokens")  # Mistral
        or 0
    )
    return Spent(
        prompt=prompt,
        completion=completion,
        total=said.get("total_tokens") or prompt + completion,
        cached=cached,
        written=into.get("cache_write_tokens") or 0,
        reasoning=out.get("reasoning_tokens") or 0,
    )
