"""Which recordings are run and how, and why the others are not: two closed tables."""

from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from openai import AsyncOpenAI
from tests.conformance import (
    truth_anthropic,
    truth_cohere,
    truth_converse,
    truth_gemini,
    truth_invoke,
    truth_ollama,
    truth_openai,
    truth_responses,
    verbatim,
)
from tests.conformance.hearing import hear
from tests.conformance.recording import Recording, Row
from tests.conformance.said import Said, differences

Differences = list[str]


@dataclass(frozen=True)
class Kind:
    """A kind of exchange: how it is asked for through the gateway, and what is to be heard.

    `dialect`: the gateway's name of what the upstream speaks. `truth` reads a recording. `check`
    asks with the SDK for the model of that name, and returns in what the answer differs from it.
    `mode`: what the gateway is told that the model is for.
    """

    dialect: str
    truth: Callable[[Recording], object]
    check: Callable[[AsyncOpenAI, str, Recording], Awaitable[Differences]]
    mode: str = "chat"


def chat(
    dialect: str,
    truth: Callable[[Recording], Said],
    also: Callable[[Recording, bytes], Differences] | None = None,
) -> Kind:
    """Return a kind of chat. `also`: what else is looked at in the bytes of a streamed answer."""

    async def check(client: AsyncOpenAI, model: str, recording: Recording) -> Differences:
        raw: list[bytes] = []
        heard = await hear(client, model, stream=recording.row.stream, raw=raw)
        true = truth(recording)
        found = differences(true, heard)
        if also is not None and recording.is_streamed and true.failing is None:
            found += also(recording, b"".join(raw))
        return found

    return Kind(dialect, truth, check)


# The dialect of a recording -> how it is run
KINDS: Mapping[str, Kind] = {
    "openai_chat": chat("openai", truth_openai.read, verbatim.differences),
    "openai_responses": chat("responses", truth_responses.read),
    "anthropic_messages": chat("anthropic", truth_anthropic.read),
    "gemini": chat("gemini", truth_gemini.read),
    "bedrock_converse": chat("bedrock", truth_converse.read),
    "bedrock_invoke": chat("bedrock-invoke", truth_invoke.read),
    "cohere_v2": chat("cohere", truth_cohere.read),
    "ollama_native": chat("ollama", truth_ollama.read),
}

# Dialects that the gateway does not speak, with what they are for
_OTHERS: Mapping[str, str] = {
    "anthropic_count_tokens": "counting tokens",
    "bedrock_count_tokens": "counting tokens",
    "gemini_count_tokens": "counting tokens",
    "models": "lists of models",
    "openai_moderations": "moderation",
    "openai_completions": "completions of a prompt",
    "cohere_rerank": "reranking",
    "cohere_v1": "Cohere's older chat, which v2 has replaced",
    "openai_embeddings": "embeddings",
    "gemini_embeddings": "embeddings",
    "cohere_embed": "embeddings",
    "vertex_predict": "embeddings",
}


MISSING = "MISSING: the gateway has no adapter of it"


def why_not(row: Row, spoken: Container[str]) -> str | None:
    """Return why a recording is not run, None where it may be. `spoken`: the gateway's dialects."""
    surface = row.api.rpartition(".")[2]
    if row.dialect in _OTHERS:
        return f"{row.dialect}: {_OTHERS[row.dialect]}"
    if row.dialect not in KINDS:
        return f"{row.dialect}: not known here"
    if surface == "embeddings":
        return f"{row.dialect}: embeddings"
    if row.dialect == "ollama_native" and surface != "native_chat":
        return f"{row.dialect}: completions of a prompt"
    if row.dialect == "bedrock_invoke" and "claude" not in row.model:
        return f"{row.dialect}: models but Claude, which Converse serves"
    if row.wire == "json_array_stream":
        return f"{row.dialect}: streams as one array; the gateway always asks for alt=sse"
    if KINDS[row.dialect].dialect not in spoken:
        return f"{row.dialect}: {MISSING}"
    return None


def why_not_so(recording: Recording) -> str | None:
    """Return why a recording is not run that was asked for as the gateway never asks."""
    dialect = recording.row.dialect
    if dialect == "bedrock_invoke" and "prompt" in recording.asked:
        return f"{dialect}: Claude's text completions, which came before messages"
    if "enum-encoding=int" in unquote(recording.url):
        return f"{dialect}: words as numbers; the gateway never asks for enum-encoding=int"
    return None
