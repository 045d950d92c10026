"""Dialects in which vendors' usual models are asked beside their own: dialect -> vendor -> path.

Paths are below the base URL of the vendor's row. From the vendors' documentation and published
clients; no vendor was called to try what is said here.
"""

from collections.abc import Mapping
from types import MappingProxyType

# Servers that continue texts with the models with which they hold conversations
_TEXTS = (
    *("together", "fireworks", "deepinfra", "openrouter", "nebius", "novita", "cerebras"),
    *("featherless", "chutes"),
    *("ollama", "lmstudio", "vllm", "llamacpp", "localai", "mlx", "sglang", "koboldcpp"),
    *("textgen", "tabbyapi", "gpt4all", "xinference", "docker-model-runner"),
)
# Servers whose documentation gives their usual chat models at /responses too
_RESPONSES = ("openai", "xai", "openrouter", "groq", "vercel", "lmstudio", "vllm")

SPOKEN: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "completions": {
            **dict.fromkeys(_TEXTS, "/completions"),
            "ollama-native": "/v1/completions",
        },
        "responses": {
            **dict.fromkeys(_RESPONSES, "/responses"),
            "azure": "/openai/v1/responses",
        },
        # conversations made short; others have it too, for some of their models
        "compaction": {"openai": "/responses/compact", "azure": "/openai/v1/responses/compact"},
    }
)


def spoken_by(vendor: str) -> dict[str, str]:
    """Return the dialects that a vendor speaks beside its own, with their paths."""
    return {dialect: paths[vendor] for dialect, paths in SPOKEN.items() if vendor in paths}
