"""What the OpenAI SDK makes of the gateway's answer."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.completion_usage import CompletionUsage
from tests.conformance.said import Choice, Failing, Said, Spent

_MESSAGES: Any = [{"role": "user", "content": "Say what you said."}]
_COST = {"usage": {"include": True}}  # cost comes beside usage


async def hear(client: AsyncOpenAI, model: str, *, stream: bool, raw: list[bytes]) -> Said:
    """Ask for a chat completion and return what the SDK reads.

    `raw` gets the bytes of a streamed answer.
    """
    said = Said()
    try:
        if stream:
            await _hear_stream(client, model, said, raw)
        else:
            _whole(
                said,
                await client.chat.completions.create(
                    model=model, messages=_MESSAGES, extra_body=_COST
                ),
            )
    except openai.APIStatusError as error:
        said.failing = failed(error)
    except openai.APIError as error:
        body = error.body if isinstance(error.body, Mapping) else {}
        said.failing = Failing(body.get("status"), error.code, error.message)
    return said


def failed(error: openai.APIStatusError) -> Failing:
    """Return the error that came in the place of a reply."""
    wait = _wait(error.response.headers)
    return Failing(error.status_code, error.code, error.message, wait, is_instead=True)


async def _hear_stream(client: AsyncOpenAI, model: str, said: Said, raw: list[bytes]) -> None:
    stream = await client.chat.completions.create(
        model=model,
        messages=_MESSAGES,
        stream=True,
        stream_options={"include_usage": True},
        extra_body=_COST,
    )
    stream.response.stream = _Tap(stream.response.stream, raw)
    async for chunk in stream:
        _chunk(said, chunk)


class _Tap(httpx2.AsyncByteStream):
    """A response's bytes, kept as they go by."""

    def __init__(self, stream: Any, sink: list[bytes]) -> None:
        self._stream = stream
        self._sink = sink

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._stream:
            self._sink.append(data)
            yield data

    async def aclose(self) -> None:
        """Close the response."""
        await self._stream.aclose()


def _whole(said: Said, reply: ChatCompletion) -> None:
    for one in reply.choices:
        choice = said.choice(one.index)
        _part(choice, one.message)
        _end(choice, one)
    _count(said, reply)


def _chunk(said: Said, chunk: ChatCompletionChunk) -> None:
    for one in chunk.choices:
        choice = said.choice(one.index)
        _part(choice, one.delta)
        _end(choice, one)
    _count(said, chunk)


def _end(choice: Choice, said: Any) -> None:
    if said.finish_reason is not None:
        choice.finish = said.finish_reason
        choice.native = (said.model_extra or {}).get("native_finish_reason")
    tokens = getattr(said.logprobs, "content", None)  # Together has numbers in its place
    choice.tokens += [token.token for token in tokens or []]


def _part(choice: Choice, part: Any) -> None:
    """Add a message, or a delta of one."""
    if part is None:
        return
    more = part.model_extra or {}
    content: object = part.content or ""
    choice.text += content if isinstance(content, str) else f"<no text: {content!r}>"
    choice.reasoning += more.get("reasoning_content") or ""
    choice.refusal += part.refusal or ""
    for position, piece in enumerate(part.tool_calls or []):
        _call(choice, getattr(piece, "index", None), position, piece)
    if part.function_call is not None and part.function_call.name:
        call = choice.call(0)
        call.name += part.function_call.name
        call.arguments += part.function_call.arguments or ""
        call.id = "none"  # the old form had no ids
    for item in _items(getattr(part, "annotations", None) or more.get("annotations")):
        choice.cited.add(frozenset(_strings(item)))
    for item in _items(more.get("reasoning_details")):
        choice.kept |= {str(item[name]) for name in ("signature", "data") if item.get(name)}
    choice.images += len(more.get("images") or [])
    choice.audio += _audio(part, more)


def _call(choice: Choice, index: int | None, position: int, piece: Any) -> None:
    call = choice.call(position if index is None else index)
    call.id = piece.id or call.id
    function = getattr(piece, "function", None)
    custom = (piece.model_extra or {}).get("custom") or getattr(piece, "custom", None)
    if function is not None:
        call.name += function.name or ""
        call.arguments += function.arguments or ""
    elif custom is not None:
        call.name += custom["name"] if isinstance(custom, dict) else custom.name
        call.arguments += custom["input"] if isinstance(custom, dict) else custom.input
    google = ((piece.model_extra or {}).get("extra_content") or {}).get("google") or {}
    if google.get("thought_signature"):
        choice.kept.add(google["thought_signature"])


def _strings(item: Any) -> Iterator[str]:
    if isinstance(item, str):
        yield item
    elif isinstance(item, Mapping):
        for value in item.values():
            yield from _strings(value)


def _items(listed: Any) -> list[dict[str, Any]]:
    return [one if isinstance(one, dict) else one.model_dump() for one in listed or []]


def _audio(part: Any, more: Mapping[str, Any]) -> str:
    audio = getattr(part, "audio", None) or more.get("audio")
    if audio is None:
        return ""
    return (audio.get("data") if isinstance(audio, dict) else audio.data) or ""


def _count(said: Said, root: ChatCompletion | ChatCompletionChunk) -> None:
    if root.usage is not None:
        said.usage = _spent(root.usage)
    cost = (root.model_extra or {}).get("cost")
    if isinstance(cost, int | float):  # some vendors say their own cost in another shape
        said.cost = float(cost)


def _spent(usage: CompletionUsage) -> Spent:
    into, out = usage.prompt_tokens_details, usage.completion_tokens_details
    return Spent(
        prompt=usage.prompt_tokens,
        completion=usage.completion_tokens,
        total=usage.total_tokens,
        cached=(into.cached_tokens or 0) if into else 0,
        written=((into.model_dump().get("cache_write_tokens")) or 0) if into else 0,
        reasoning=(out.reasoning_tokens or 0) if out else 0,
    )


def _wait(headers: Any) -> float | None:
    said = headers.get("retry-after")
    return None if said is None else float(said)
