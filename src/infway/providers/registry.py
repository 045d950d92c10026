"""Dialect names to adapters and embedders, one line each."""

from collections.abc import Mapping

from infway.providers.adapter import Adapter
from infway.providers.anthropic import Anthropic
from infway.providers.bedrock import Bedrock
from infway.providers.bedrock_invoke import BedrockInvoke
from infway.providers.cohere import Cohere
from infway.providers.embed_bedrock import (
    BedrockCohereEmbeddings,
    NovaEmbeddings,
    TitanEmbeddings,
)
from infway.providers.embed_cohere import CohereEmbeddings
from infway.providers.embed_gemini import GeminiEmbeddings
from infway.providers.embed_ollama import OllamaEmbeddings
from infway.providers.embed_openai import OpenAIEmbeddings
from infway.providers.embed_vertex import VertexEmbeddings
from infway.providers.embedder import Embedder
from infway.providers.gemini import Gemini
from infway.providers.ollama import Ollama
from infway.providers.openai import OpenAI
from infway.providers.responses import Responses
from infway.providers.sandbox import Sandbox

ADAPTERS: Mapping[str, Adapter] = {
    "anthropic": Anthropic(),
    "bedrock": Bedrock(),
    "bedrock-invoke": BedrockInvoke(),
    "cohere": Cohere(),
    "gemini": Gemini(),
    "ollama": Ollama(),
    "openai": OpenAI(),
    "responses": Responses(),
    "sandbox": Sandbox(),
}

EMBEDDERS: Mapping[str, Embedder] = {
    "bedrock-cohere": BedrockCohereEmbeddings(),
    "bedrock-nova": NovaEmbeddings(),
    "bedrock-titan": TitanEmbeddings(),
    "cohere": CohereEmbeddings(),
    "gemini": GeminiEmbeddings(),
    "gemini-single": GeminiEmbeddings(single=True),
    "ollama": OllamaEmbeddings(),
    "openai": OpenAIEmbeddings(),
    "openai-bytes": OpenAIEmbeddings(small=True),
    "vertex": VertexEmbeddings(),
}
