"""What the models of each maker take in Bedrock's Converse, which is one API but not one model.

https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html,
.../model-parameters.html, .../prompt-caching.html, .../structured-output.html, the Nova 2 guide;
where these are silent, what users report of trials. Bedrock refuses fields a model does not know.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from infway.providers.anthropic.models import Generation, generation_of


class Dial(NamedTuple):
    """Where a model is told how much to reason: a path of field names, and the levels it has.

    `beside`: what stands next to the level. `rests`: it does not reason where nothing is said.
    `unlimited`: levels beside which no limit and no sampling may be given.
    """

    path: tuple[str, ...]
    levels: tuple[str, ...]
    beside: Mapping[str, object] = {}
    rests: bool = True
    unlimited: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """What a family takes. Claude's generations differ more finely: `claude` is the one at hand.

    `top_k`: the path of that field, empty where there is none. `forced`: how a call can be
    demanded, of `any` tool or of one `tool`. `caches`: where cache points may stand; `lasting`:
    they may last an hour. `signed`, `hidden`: the kinds of reasoning blocks it takes back.
    `leads`: a conversation may begin with the assistant. `beside`: what may stand in one turn with
    tool results, None for everything. `results`: the media that may stand in them. `strict`: tools
    may be. `schemas`: an answer can be bound to a schema. `prefill`: it goes on with an answer.
    """

    top_k: tuple[str, ...] = ()
    dial: Dial | None = None
    forced: frozenset[str] = frozenset({"any", "tool"})
    caches: frozenset[str] = frozenset()
    lasting: bool = False
    signed: bool = False
    hidden: bool = False
    leads: bool = False
    beside: frozenset[str] | None = None
    results: frozenset[str] = frozenset({"image"})
    strict: bool = False
    schemas: bool = True
    prefill: bool = True
    claude: Generation | None = None


_NOTHING: frozenset[str] = frozenset()
_STRICT = Family(strict=True)
_BARE = Family(forced=_NOTHING, schemas=False)
_CLAUDE_3 = Family(
    top_k=("top_k",),
    leads=True,
    beside=frozenset({"text", "image"}),
    results=frozenset({"image", "document"}),
)
_CLAUDE = replace(_CLAUDE_3, caches=frozenset({"system", "messages", "tools"}))
_CLAUDE_4_5 = replace(_CLAUDE, lasting=True)
_NOVA = Family(
    top_k=("inferenceConfig", "topK"), caches=frozenset({"system", "messages"}), schemas=False
)
_NOVA_2 = replace(
    _NOVA,
    dial=Dial(
        ("reasoningConfig", "maxReasoningEffort"),
        ("low", "medium", "high"),
        {"type": "enabled"},
        unlimited=("high",),
    ),
    prefill=False,
)
_EFFORT = Dial(("reasoning_effort",), ("low", "medium", "high"), rests=False)
_MISTRAL = Family(beside=_NOTHING, results=frozenset({"document"}), strict=True)

# The first whose pattern is found in the native name, or in the catalogue's, counts
FAMILIES: tuple[tuple[str, Family], ...] = (
    (r"claude-opus-(4[.-][78]|[5-9])(?!\d)", _CLAUDE_4_5),
    (r"claude-[a-z]+-(4[.-][5-9]|[5-9])(?!\d)", replace(_CLAUDE_4_5, strict=True)),
    (r"claude-(3[.-]7|3[.-]5-haiku|opus-4|sonnet-4)", _CLAUDE),
    (r"claude", _CLAUDE_3),
    (r"nova-2", _NOVA_2),
    (r"nova", _NOVA),
    (r"gpt-oss", Family(dial=_EFFORT, strict=True)),
    (
        r"\bgpt-\d",
        Family(
            dial=Dial(("reasoning", "effort"), ("none", "low", "medium", "high", "xhigh", "max")),
            hidden=True,
            strict=True,
        ),
    ),
    (r"deepseek.{0,4}r1", replace(_BARE, forced=frozenset({"any"}))),
    (
        r"deepseek",
        Family(
            dial=Dial(("reasoning_effort",), ("low", "medium", "high", "max")),
            forced=frozenset({"any"}),
            strict=True,
        ),
    ),
    (r"kimi", Family(dial=_EFFORT, leads=True, results=_NOTHING, strict=True)),
    (
        r"qwen3",
        Family(
            dial=Dial(("reasoning_config",), ("low", "high"), rests=False),
            leads=True,
            results=_NOTHING,
            strict=True,
        ),
    ),
    (r"glm", replace(_STRICT, leads=True)),
    (r"minimax-m2|nemotron-nano|gemma-3-(12|27)b", _STRICT),
    (r"llama", replace(_BARE, beside=_NOTHING, results=frozenset({"image", "document"}))),
    (r"magistral-small|ministral-3|mistral-large-3|voxtral", _MISTRAL),
    (
        r"mi[sx]tral-|pixtral",
        replace(_MISTRAL, forced=frozenset({"any"}), strict=False, schemas=False),
    ),
    (r"mistral", replace(_MISTRAL, strict=False)),
    (r"palmyra", replace(_BARE, beside=_NOTHING)),
    (r"titan|command|jamba|j2-", _BARE),
)
_PATTERNS = tuple((re.compile(pattern), family) for pattern, family in FAMILIES)
_STRANGER = Family()


@lru_cache(maxsize=1024)
def family_of(native: str, model: str) -> Family:
    """Return what a model takes. `native`: Bedrock's id or ARN, `model`: the catalogue's name.

    The ARN of a profile or of an own deployment says nothing of the model behind it.
    """
    name = f"{native} {model}".lower()
    family = next((one for pattern, one in _PATTERNS if pattern.search(name)), _STRANGER)
    if "claude" not in name:
        return family
    claude = generation_of(name)
    return replace(
        family,
        claude=claude,
        forced=family.forced if claude.forced_tools else _NOTHING,
        schemas=claude.schemas,
        prefill=claude.prefill,
        signed=claude.budget or claude.adaptive,
        hidden=claude.budget or claude.adaptive,
    )
