"""Dialect names to adapters and embedders, one line each."""

from collections.abc import Mapping

from infway.providers.adapter import Adapter
from infway.providers.anthropic.adapter import Anthropic
from infway.providers.anthropic.carry import Messages
from infway.providers.bedrock.adapter import Bedrock
from infway.providers.bedrock.faults import fault_of as bedrock_fault
from infway.providers.bedrock.invoke import BedrockInvoke
from infway.providers.cohere.adapter import Cohere
from infway.providers.cohere.faults import fault_of as cohere_fault
from infway.providers.completions.carry import Completions
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
from infway.providers.gemini.carry import GeminiCarrier
from infway.providers.mirror import Carrier
from infway.providers.ollama.adapter import Ollama
from infway.providers.openai.adapter import OpenAI
from infway.providers.passing.openai import OpenAIPassing
from infway.providers.passing.passer import Passer
from infway.providers.passing.rerank import RerankPassing
from infway.providers.responses.adapter import Responses
from infway.providers.responses.carry import ResponsesCarrier
from infway.providers.responses.compact import COMPACTION, CompactCarrier
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

CARRIERS: Mapping[str, Carrier] = {
    "anthropic": Messages(),
    "gemini": GeminiCarrier(),
    "completions": Completions(),
    "responses": ResponsesCarrier(),
    COMPACTION: CompactCarrier(),
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

_NOTHING_ELSE: frozenset[str] = frozenset()

PASSERS: Mapping[str, Passer] = {
    "openai": OpenAIPassing(),
    "openai-json": OpenAIPassing(forms=False),
    "rerank": RerankPassing(),
    "rerank-bedrock": RerankPassing(takes=_NOTHING_ELSE, model_in_path=True, faults=bedrock_fault),
    "rerank-bedrock-cohere": RerankPassing(
        takes=_NOTHING_ELSE, model_in_path=True, extras={"api_version": 2}, faults=bedrock_fault
    ),
    "rerank-cohere": RerankPassing(
        takes=frozenset({"max_tokens_per_doc", "priority"}), faults=cohere_fault
    ),
    "rerank-jina": RerankPassing(
        takes=_NOTHING_ELSE, objects=True, extras={"return_documents": False}
    ),
    "rerank-together": RerankPassing(takes=frozenset({"rank_fields"}), objects=True),
    "rerank-voyage": RerankPassing(top="top_k", takes=frozenset({"truncation"})),
}
