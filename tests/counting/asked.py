"""A recorded request, whatever its dialect, as the fields of a chat completion.

Only what models read is kept. What cannot be compared raises Untold: tools of the vendor's own
that add hidden prompts, conversations that the vendor stores, files that only the vendor has.
"""

from collections.abc import Callable, Mapping

from tests.counting import asked_anthropic, asked_bedrock, asked_gemini, asked_responses, words
from tests.counting.words import Json, Untold

_HIDDEN = {"web_search_options", "plugins", "search_parameters", "documents", "transforms"}


def openai(body: Json) -> Json:
    """Chat completions are what they are."""
    tools = body.get("tools") or ()
    if body.keys() & _HIDDEN or any("function" not in tool for tool in tools):
        raise Untold("tools of the vendor's own")
    return body


def ollama(body: Json) -> Json:
    """Ollama's chats: pictures stand beside the text, arguments of calls are objects."""
    if "messages" not in body:
        raise Untold("a prompt that is no chat")
    messages: list[Json] = []
    for message in body["messages"]:
        images = [
            words.image(f"data:image/png;base64,{one}") for one in message.get("images") or ()
        ]
        parts = [words.text(message.get("content") or ""), *images]
        calls = [one["function"] for one in message.get("tool_calls") or ()]
        made = [words.call("", one["name"], one["arguments"]) for one in calls]
        messages.append({**message, "content": parts, "tool_calls": made})
    return words.chat(messages, body.get("tools") or [])


READERS: Mapping[str, Callable[[Json], Json]] = {
    "openai_chat": openai,
    "openai_responses": asked_responses.chat,
    "anthropic_messages": asked_anthropic.chat,
    "anthropic_count_tokens": asked_anthropic.chat,
    "bedrock_converse": asked_bedrock.chat,
    "gemini": asked_gemini.chat,
    "gemini_count_tokens": asked_gemini.chat,
    "cohere_v2": openai,
    "ollama_native": ollama,
}
