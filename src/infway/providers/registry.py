"""Dialect names to adapters and embedders, one line each."""

from collections.abc import Mapping

from infway.providers.adapter import Adapter
from infway.providers.anthropic.adapter import Anthropic
from infway.providers.bedrock.adapter import Bedrock
from infway.providers.bedrock.invoke import BedrockInvoke
from infway.providers.cohere.adapter import Cohere
from infway.providers.embeddings.bedrock import (
    BedrockCohereEmbeddings,
    NovaEmbeddings,
    TitanEmbeddings,
)
from infway.providers.embeddings.cohere import CohereEmbeddings
from infway.providers.embeddings.embedder import Embedder
from infway.providers.embeddings.gemini import GeminiEmbeddings
from infway.providers.embeddings.ollama import OllamaEmbeddings
from infway.providers.embeddings.openai import OpenAIEmbeddings
from infway.providers.embeddings.vertex import VertexEmbeddings
from infway.providers.gemini.adapter import Gemini
from infway.providers.mirror import Carrier
from infway.providers.ollama.adapter import Ollama
from infway.providers.openai.adapter import OpenAI
from infway.providers.responses.adapter import Responses
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

CARRIERS: Mapping[str, Carrier] = {}

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
