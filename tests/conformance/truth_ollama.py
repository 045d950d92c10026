"""The truth of Ollama's own chat replies. https://docs.ollama.com/api/chat"""

import json
from collections.abc import Mapping

from tests.conformance.recording import Recording
from tests.conformance.said import Choice, Failing, Said, Spent
from tests.conformance.truth_errors import failing, failing_inside
from tests.conformance.wires import Json, lines

_FINISHES: Mapping[str, str] = {"stop": "stop", "length": "length"}


def read(recording: Recording) -> Said:
    """Return what a recorded reply says; a stream is the same objects, one a line."""
    if recording.status != 200:
        return Said(failing=failing(recording))
    said = Said(failing=Failing())  # until the end is seen
    parts = lines(recording.text) if recording.is_streamed else [json.loads(recording.text)]
    for part in parts:
        if "error" in part:
            said.failing = failing_inside("ollama_native", part["error"])
            break
        _part(said.choice(), part)
        if part["done"]:
            said.failing = None
            said.usage = _spent(part)
    return said


def _part(choice: Choice, part: Json) -> None:
    message = part["message"]
    choice.text += message.get("content") or ""
    choice.reasoning += message.get("thinking") or ""
    for one in message.get("tool_calls") or []:
        call = choice.call(len(choice.calls))
        call.id, call.name = one.get("id") or None, one["function"]["name"]
        call.arguments = json.dumps(one["function"]["arguments"])
    choice.tokens += [one["token"] for one in part.get("logprobs") or []]
    if part["done"]:
        choice.native = part.get("done_reason")
        choice.finish = _FINISHES.get(choice.native or "", "stop")
        if choice.calls and choice.finish == "stop":
            choice.finish = "tool_calls"


def _spent(part: Json) -> Spent:
    """Return the tokens; a prompt that was cached whole is not counted."""
    prompt, completion = part.get("prompt_eval_count") or 0, part.get("eval_count") or 0
    return Spent(prompt, completion, prompt + completion)
