"""What each dialect has words for: features of requests, and request fields.

An offer can do no more than its dialect can say. A field that is not in `takes` is dropped and
listed; with `provider.require_parameters` such an offer is no candidate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from infway.kernel.chat import Feature

# Fields of which every dialect says what they mean, or that say nothing to a model
ALWAYS = frozenset({"messages", "stream", "stream_options", "max_tokens", "max_completion_tokens"})
_TOOLS = frozenset({"tools", "tool_choice", "functions", "function_call"})
_REASONING = frozenset({"reasoning_effort", "reasoning", "thinking"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a dialect can say.

    `takes` None: the dialect of the clients themselves, in which any field is passed on.
    `streams_json`: its streams are JSON too, so that the content type tells no difference.
    """

    features: Feature
    takes: frozenset[str] | None
    streams_json: bool = False


EVERYTHING = Dialect(~Feature(0), None)
ANTHROPIC = Dialect(
    Feature.TOOLS | Feature.VISION | Feature.FILES | Feature.JSON_SCHEMA | Feature.REASONING
    | Feature.PREFILL | Feature.REMOTE_MEDIA,
    ALWAYS | _TOOLS | _REASONING
    | {"temperature", "top_p", "top_k", "stop", "parallel_tool_calls", "response_format",
       "user", "service_tier"},  # of the metadata only a user_id
)  # fmt: skip
GEMINI = Dialect(
    Feature.TOOLS | Feature.VISION | Feature.AUDIO_IN | Feature.FILES | Feature.JSON_OBJECT
    | Feature.JSON_SCHEMA | Feature.REASONING | Feature.LOGPROBS | Feature.SEVERAL
    | Feature.REMOTE_MEDIA | Feature.PREFILL,
    ALWAYS | _TOOLS | _REASONING
    | {"temperature", "top_p", "top_k", "stop", "response_format", "seed", "n", "logprobs",
       "top_logprobs", "presence_penalty", "frequency_penalty", "modalities", "service_tier"},
)  # fmt: skip
BEDROCK = Dialect(
    Feature.TOOLS | Feature.VISION | Feature.AUDIO_IN | Feature.FILES | Feature.JSON_SCHEMA
    | Feature.REASONING | Feature.PREFILL,
    ALWAYS | _TOOLS | _REASONING
    | {"temperature", "top_p", "top_k", "stop", "response_format", "metadata", "service_tier"},
)  # fmt: skip
BEDROCK_INVOKE = Dialect(
    ANTHROPIC.features & ~Feature.REMOTE_MEDIA,
    ALWAYS | _TOOLS | _REASONING
    | {"temperature", "top_p", "top_k", "stop", "parallel_tool_calls", "response_format", "user"},
)  # fmt: skip
COHERE = Dialect(
    Feature.TOOLS | Feature.VISION | Feature.JSON_OBJECT | Feature.JSON_SCHEMA
    | Feature.REASONING | Feature.LOGPROBS | Feature.REMOTE_MEDIA,
    ALWAYS | _TOOLS | _REASONING
    | {"temperature", "top_p", "top_k", "stop", "response_format", "seed", "logprobs",
       "presence_penalty", "frequency_penalty", "safety_mode", "citation_options"},
)  # fmt: skip
OLLAMA = Dialect(
    Feature.TOOLS | Feature.VISION | Feature.JSON_OBJECT | Feature.JSON_SCHEMA
    | Feature.REASONING | Feature.LOGPROBS | Feature.PREFILL,
    ALWAYS | {"tools", "functions"} | _REASONING
    | {"temperature", "top_p", "top_k", "stop", "response_format", "seed", "logprobs",
       "top_logprobs", "presence_penalty", "frequency_penalty", "options", "keep_alive"},
    streams_json=True,
)  # fmt: skip
RESPONSES = Dialect(
    Feature.TOOLS | Feature.VISION | Feature.FILES | Feature.JSON_OBJECT | Feature.JSON_SCHEMA
    | Feature.REASONING | Feature.LOGPROBS | Feature.REMOTE_MEDIA | Feature.PREFILL,
    ALWAYS | _TOOLS | _REASONING
    | {"temperature", "top_p", "parallel_tool_calls", "response_format", "logprobs",
       "top_logprobs", "user", "metadata", "service_tier", "store", "prompt_cache_key",
       "prompt_cache_retention", "prompt_cache_options", "moderation", "safety_identifier",
       "verbosity", "web_search_options"},
)  # fmt: skip
# Text completions: no adapter translates chats to it, only text completions reach its models
COMPLETIONS = Dialect(Feature.LOGPROBS | Feature.SEVERAL, None)

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "openai": EVERYTHING,
        "sandbox": EVERYTHING,
        "anthropic": ANTHROPIC,
        "gemini": GEMINI,
        "bedrock": BEDROCK,
        "bedrock-invoke": BEDROCK_INVOKE,
        "cohere": COHERE,
        "ollama": OLLAMA,
        "responses": RESPONSES,
        "completions": COMPLETIONS,
    }
)

# Where chat requests go below an upstream's base URL, where its vendor's row does not say
PATHS: Mapping[str, str] = MappingProxyType(
    {
        "openai": "/chat/completions",
        "sandbox": "/chat/completions",
        "anthropic": "/v1/messages",
        "gemini": "/models/{model}:{action}",
        "bedrock": "/model/{model}/{action}",
        "bedrock-invoke": "/model/{model}/{action}",
        "cohere": "/v2/chat",
        "ollama": "/api/chat",
        "responses": "/responses",
        "completions": "/completions",
    }
)
