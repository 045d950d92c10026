"""Which models count how: by family, the first row whose pattern is found in a model's name.

The vocabularies are OpenAI's by its own table of models (https://github.com/openai/tiktoken,
tiktoken/model.py). All other numbers are measured on recorded requests with their vendors' own
counts; `python -m tests.counting` prints how near they come.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from infway.providers.counting.pictures import Crops, Fixed, Patches, Pictures, Tiles
from infway.providers.counting.vocabularies import CL100K, O200K


class Family(NamedTuple):
    """How the models of a family count.

    `factor`: their tokens for one of the vocabulary's. `is_own`: the vocabulary is theirs, and
    the marks around texts are known. `is_typed`: functions are read as types, not as JSON.

    The rest is tokens. `once`: of every request; `system`, `message`: of a system message, of any
    other; `answer`: of a text of the assistant, besides; `call`: of a call and its result,
    besides; `tools`, `form`: of a request with functions or a JSON schema, besides (None: the
    schema is not read); `thinking`: of one that asks for reasoning. `page`: of a page of a PDF;
    `sound`: of a second.
    """

    name: str
    models: str
    vocabulary: str = O200K
    factor: float = 1.0
    is_own: bool = False
    is_typed: bool = False
    once: int = 3
    system: int = 4
    message: int = 4
    answer: int = 0
    call: int = 14
    tools: int = 0
    form: int | None = None
    thinking: int = 0
    pictures: Pictures = Patches(28, 4096)
    page: int = 600
    sound: int = 32


_HARMONY = Family(
    "harmony", "", is_typed=True, once=2, answer=2, call=13, form=-5, page=220, sound=10,
)  # fmt: skip
_TILED = Family(
    "gpt-4o", "", is_typed=True, tools=-1, form=-5, pictures=Tiles(85, 170), page=220, sound=10,
)  # fmt: skip
_GPT = _TILED._replace(is_own=True)
_REASONING = _HARMONY._replace(is_own=True)
_CLAUDE = Family(
    "claude", "", factor=1.15, system=0, call=62, tools=310, form=350, thinking=29,
    pictures=Patches(28, 1568, edge=1568), page=1600,
)  # fmt: skip
_GEMINI = Family(
    "gemini", "", factor=1.04, is_typed=True, once=0, system=0, message=0, call=30, tools=-14,
    pictures=Crops(258), page=258,
)  # fmt: skip
_LLAMA = Family("llama", "", once=30, system=0, message=5, tools=140, form=100)
_SMALLER = Patches(32, 1536, 1.62)
_SMALLEST = Patches(32, 1536, 2.46)


def _row(family: Family, name: str, models: str) -> Family:
    return family._replace(name=name, models=models)


FAMILIES: tuple[Family, ...] = (
    _row(_HARMONY, "gpt-oss", r"gpt-oss")._replace(once=62, message=5, call=20, tools=18),
    _row(_REASONING, "gpt-5.4", r"gpt-5\.[4-9]|gpt-6")
    ._replace(pictures=Patches(32, 10_000, 1.2, edge=6000)),
    _row(_REASONING, "gpt-5 mini", r"gpt-5[^/]*mini")._replace(pictures=_SMALLER),
    _row(_REASONING, "gpt-5 nano", r"gpt-5[^/]*nano")._replace(pictures=_SMALLEST),
    _row(_GPT, "gpt-5 chat", r"gpt-5-chat")._replace(pictures=Tiles(70, 140)),
    _row(_REASONING, "gpt-5", r"gpt-5|codex-mini")._replace(pictures=Tiles(70, 140)),
    _row(_REASONING, "o4-mini", r"\bo4-mini")._replace(pictures=Patches(32, 1536, 1.72)),
    _row(_REASONING, "o1, o3", r"\bo[134](?![a-z0-9])")._replace(pictures=Tiles(75, 150)),
    _row(_TILED, "audio, search", r"gpt-(4o-)?(audio|realtime)|gpt-4o.*(audio|search)"),
    _row(_GPT, "gpt-4o-mini", r"gpt-4o-mini")._replace(pictures=Tiles(2833, 5667)),
    _row(_GPT, "gpt-4.1-mini", r"gpt-4\.1-mini")._replace(pictures=_SMALLER),
    _row(_GPT, "gpt-4.1-nano", r"gpt-4\.1-nano")._replace(pictures=_SMALLEST),
    _row(_GPT, "gpt-4o", r"gpt-4o|gpt-4\.[15]"),
    _row(_GPT, "gpt-4, gpt-3.5", r"gpt-(4|3\.?5)|text-embedding-(3|ada)|davinci-002|babbage-002")
    ._replace(vocabulary=CL100K),
    _row(_CLAUDE, "claude 5", r"claude-(opus|sonnet|haiku|fable)-[5-9](?!\d)|opus-4[-.][789]")
    ._replace(factor=1.4, once=5, call=47, tools=365, form=194, thinking=0,
              pictures=Patches(28, 4784, edge=2576)),
    _row(_CLAUDE, "claude 4.5", r"claude-(opus|sonnet|haiku)-4[-.][56]|claude-4[-.][56]")
    ._replace(tools=500, form=135),
    _row(_CLAUDE, "claude", r"claude"),
    _row(_GEMINI, "gemini 3", r"gemini-[3-9]")._replace(pictures=Fixed(1088), page=520),
    _row(_GEMINI, "gemini", r"gemini"),
    _row(_GEMINI, "gemma", r"gemma")._replace(factor=1.0, once=5, message=4, pictures=Fixed(256)),
    _row(_LLAMA, "llama 3.1", r"llama-?v?(3[.p-][123]|4)"),
    _row(_LLAMA, "llama", r"llama")._replace(once=5, system=5, tools=116, form=None),
    Family("mistral", r"mi[sx]tral|ministral|codestral|devstral|magistral|pixtral",
           once=1, system=2, message=3, call=5, tools=13, thinking=11),
    Family("qwen 3.5", r"qwen-?3\.[5-9]", factor=1.02, system=5, message=7, call=26, tools=195),
    Family("qwen", r"qwen|qwq", system=5, message=5, call=20, tools=88),
    Family("deepseek", r"deepseek", system=0, message=1, answer=1, call=40, tools=226),
    Family("grok, plain", r"grok-([23]|[^/]*non-reasoning)", once=2, call=30, tools=130, form=190),
    Family("grok", r"grok", once=150, call=30, tools=130, form=90),
    Family("command", r"command", is_typed=True, once=0, system=0, message=0, call=5),
    Family("glm 5", r"glm-[5-9]", once=10, message=2, call=5, tools=96),
    Family("glm", r"glm", message=2, call=5, tools=96),
    Family("nova", r"nova", factor=1.23, once=0, system=0, message=0, tools=370),
    Family("sonar", r"sonar", once=0, system=0, message=0),
)  # fmt: skip
OTHERS = Family("others", "", factor=1.1, tools=100)


@lru_cache(maxsize=512)
def family_of(model: str) -> Family:
    """Return the family of a model by any of its names."""
    name = model.lower()
    return next((row for row in FAMILIES if re.search(row.models, name)), OTHERS)
