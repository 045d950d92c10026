"""Which models go on with an answer that has begun, and how they are asked to: vendor -> its models.

From the vendors' documentation and the servers' sources; no vendor was called to try what is said
here. What is not in it is not known to, or known not to: OpenAI, Gemini, Cohere, Claude from 4.6 on.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import NamedTuple

from infway.kernel.begun import Prefill
from infway.kernel.chat import Upstream
from infway.providers.anthropic.models import known_generation


class Prefills(NamedTuple):
    """The models of one vendor, by patterns of native names with * for any letters, and the way."""

    models: tuple[str, ...]
    way: Prefill


_CLAUDE = Prefill(trims=True)
# https://docs.vllm.ai, chat API: the last message is left open; llama.cpp and SGLang took it over
_OPEN = Prefill(fields={"add_generation_prompt": False, "continue_final_message": True})
_ANY = ("*",)

_PREFILLS: Mapping[str, Prefills] = MappingProxyType(
    {
        # https://docs.mistral.ai/api: `prefix` of an assistant's message
        "mistral": Prefills(_ANY, Prefill({"prefix": True}, repeats=True)),
        # https://api-docs.deepseek.com/guides/chat_prefix_completion
        "deepseek": Prefills(
            ("deepseek-chat*",),
            Prefill(
                {"prefix": True},
                moved=("https://api.deepseek.com/v1/", "https://api.deepseek.com/beta/"),
                repeats=True,
            ),
        ),
        # https://platform.kimi.ai/docs/api/partial: the reply leaves the beginning out
        "moonshot": Prefills(("kimi-k2*", "moonshot-v1*"), Prefill({"partial": True})),
        # https://help.aliyun.com/en/model-studio/partial-mode
        "dashscope": Prefills(
            (
                *("qwen-max*", "qwen3-max*", "qwen-plus*", "qwen3.5-plus*", "qwen-flash*"),
                *("qwen3.5-flash*", "qwen-turbo*", "qwen-coder*", "qwen3-coder*", "qwen2.5-*"),
                *("qwen-vl-max*", "qwen-vl-plus*", "qwen3-vl-plus*", "qwen3-vl-flash*"),
            ),
            Prefill({"partial": True}, repeats=True),
        ),
        "vllm": Prefills(_ANY, _OPEN),
        "sglang": Prefills(_ANY, _OPEN),
        # https://github.com/ggml-org/llama.cpp/pull/13608 and /23012
        "llamacpp": Prefills(_ANY, _OPEN),
    }
)
# Dialects in which Claude is asked, and a vendor that passes its messages on
_OF_CLAUDE = frozenset({"anthropic", "bedrock", "bedrock-invoke"})
_CARRIES_CLAUDE = frozenset({"openrouter"})


def prefill_of(upstream: Upstream, native: str) -> Prefill | None:
    """Return how a model goes on with an answer that has begun, None where it is not known to."""
    if upstream.dialect in _OF_CLAUDE or upstream.vendor in _CARRIES_CLAUDE:
        generation = known_generation(native)
        return _CLAUDE if generation is not None and generation.prefill else None
    known = _PREFILLS.get(upstream.vendor) if upstream.dialect == "openai" else None
    if known is None or not any(fnmatchcase(native, pattern) for pattern in known.models):
        return None
    moved = known.way.moved
    return known.way if moved is None or upstream.chat_url.startswith(moved[0]) else None


def usual_prefill(upstream: Upstream) -> Prefill:
    """Return how a model is asked to go on of which the configuration says that it does."""
    known = _PREFILLS.get(upstream.vendor)
    if upstream.dialect in _OF_CLAUDE:
        return _CLAUDE
    return known.way if known is not None and known.way.moved is None else Prefill(repeats=True)
