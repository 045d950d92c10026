"""What a body of Ollama's chat says, read by its reference and nothing else.

https://docs.ollama.com/api/chat
"""

from collections.abc import Iterator

from tests.translation.facts import (
    Called,
    Choice,
    Effort,
    Fact,
    Form,
    Json,
    Media,
    Result,
    Text,
    Thought,
    Told,
    Tool,
    canonical,
    schema,
)

_OPTIONS = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "min_p": "min_p",
    "seed": "seed", "num_predict": "max_tokens", "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}  # fmt: skip


class _Open:
    """Calls not answered yet: a result says the name of its call, and they come in order."""

    def __init__(self) -> None:
        self._count = 0
        self._waiting: list[tuple[int, str, str]] = []

    def made(self, name: str, id_: str) -> int:
        self._waiting.append((self._count, name, id_))
        self._count += 1
        return self._count - 1

    def answered(self, name: str, id_: str) -> int:
        found = [one for one in self._waiting if (one[2] == id_ if id_ else name in ("", one[1]))]
        if not found:
            return -1
        self._waiting.remove(found[0])
        return found[0][0]


def told(body: Json) -> Told:
    """Return the facts of a body."""
    facts = Told()
    waiting = _Open()
    for message in body["messages"]:
        facts.said += _message(message, waiting)
    options = body.get("options", {})
    for name, wish in _OPTIONS.items():
        facts.wish(wish, options.get(name))
    facts.wish("stop", tuple(options.get("stop", ())))
    facts.wish("logprobs", body.get("logprobs"))
    facts.wish("top_logprobs", body.get("top_logprobs"))
    facts.wish("tools", tuple(_tool(tool["function"]) for tool in body.get("tools", [])))
    facts.wish("choice", Choice("auto"))
    held = body.get("format")
    if held:
        facts.wish(
            "form", Form("json_object") if held == "json" else Form("json_schema", schema(held))
        )
    facts.wish("effort", _effort(body.get("think")))
    return facts


def _message(message: Json, waiting: _Open) -> Iterator[Fact]:
    who = message["role"]
    if who == "tool":
        name = message.get("tool_name", "")
        yield Result(waiting.answered(name, message.get("tool_call_id", "")))
    if message.get("thinking"):
        yield Thought(message["thinking"])
    yield Text(who, message.get("content", ""))
    for image in message.get("images", []):
        yield Media(who, "image", image)
    for call in message.get("tool_calls", []):
        function = call["function"]
        number = waiting.made(function["name"], call.get("id", ""))
        yield Called(number, function["name"], canonical(function["arguments"]))


def _tool(said: Json) -> Tool:
    return Tool(said["name"], said.get("description", ""), schema(said.get("parameters")))


def _effort(said: bool | str | None) -> Effort | None:
    match said:
        case None:
            return None
        case bool():
            return Effort(on=said)
        case _:
            return Effort(True, said)
