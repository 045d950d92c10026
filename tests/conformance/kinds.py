"""Which recordings are run and how, and why the others are not: two closed tables."""

from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from openai import AsyncOpenAI
from tests.conformance import (
    embeddings,
    truth_anthropic,
    truth_cohere,
    truth_converse,
    truth_embeddings,
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
    `mode`: what the gateway is told that the model is for. `vendors`: recorded vendors whose
    upstreams are configured by their own names, and not as custom ones.
    """

    dialect: str
    truth: Callable[[Recording], object]
    check: Callable[[AsyncOpenAI, str, Recording], Awaitable[Differences]]
    mode: str = "chat"
    vendors: Container[str] = ()


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


def vectors(dialect: str, *vendors: str) -> Kind:
    """Return a kind of embeddings."""
    return Kind(dialect, truth_embeddings.read, embeddings.check, "embedding", vendors)


# The kind of a recording -> how it is run
KINDS: Mapping[str, Kind] = {
    "openai_chat": chat("openai", truth_openai.read, verbatim.differences),
    "openai_responses": chat("responses", truth_responses.read),
    "anthropic_messages": chat("anthropic", truth_anthropic.read),
    "gemini": chat("gemini", truth_gemini.read),
    "bedrock_converse": chat("bedrock", truth_converse.read),
    "bedrock_invoke": chat("bedrock-invoke", truth_invoke.read),
    "cohere_v2": chat("cohere", truth_cohere.read),
    "ollama_native": chat("ollama", truth_ollama.read),
    "openai_embeddings": vectors(
        "openai", "dashscope", "llamacpp", "mistral", "openai", "openrouter", "perplexity",
        "vllm", "voyage",
    ),
    "gemini_embeddings": vectors("gemini", "gemini", "vertex"),
    "vertex_predict": vectors("gemini", "vertex"),
    "cohere_embed": vectors("cohere", "cohere"),
    "bedrock_embeddings": vectors("bedrock", "bedrock"),
    "ollama_embeddings": vectors("ollama"),
}  # fmt: skip

# Dialects of chats whose recordings of embeddings are a kind of their own
_EMBEDDING_TOO: Mapping[str, str] = {
    "bedrock_invoke": "bedrock_embeddings",
    "ollama_native": "ollama_embeddings",
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
}


MISSING = "MISSING: the gateway has no adapter of it"


def kind_of(row: Row) -> str:
    """Return the kind of a recording: its dialect, unless that is one of chats alone."""
    if row.api.endswith(".embeddings"):
        return _EMBEDDING_TOO.get(row.dialect, row.dialect)
    return row.dialect


def why_not(row: Row, spoken: Container[str]) -> str | None:
    """Return why a recording is not run, None where it may be. `spoken`: the gateway's dialects."""
    kind = kind_of(row)
    if kind in _OTHERS:
        return f"{kind}: {_OTHERS[kind]}"
    if kind not in KINDS:
        return f"{kind}: not known here"
    if kind == "ollama_native" and not row.api.endswith(".native_chat"):
        return f"{kind}: completions of a prompt"
    if kind == "bedrock_invoke" and "claude" not in row.model:
        return f"{kind}: models but Claude, which Converse serves"
    if row.wire == "json_array_stream":
        return f"{kind}: streams as one array; the gateway always asks for alt=sse"
    if KINDS[kind].dialect not in spoken:
        return f"{kind}: {MISSING}"
    return None


def why_not_so(recording: Recording) -> str | None:
    """Return why a recording is not run that was asked for as the gateway never asks."""
    kind = kind_of(recording.row)
    if kind == "bedrock_invoke" and "prompt" in recording.asked:
        return f"{kind}: Claude's text completions, which came before messages"
    if kind == "gemini" and "enum-encoding=int" in unquote(recording.url):
        return f"{kind}: words as numbers; the gateway never asks for enum-encoding=int"
    if recording.row.provider == "vllm" and recording.asked.get("encoding_format") == "base64":
        return f"{kind}: base64 of an old vLLM, of float64; the gateway asks vLLM for numbers"
    return None
