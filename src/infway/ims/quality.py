"""The quality prior: a curated figure from 0 to 100 for families of models.

It is used only where a request leaves more than one model open. The data says where its figures
come from; a family that is not in it gets a low value: an unknown model is never a favourite.
"""

import re
from dataclasses import dataclass, field

import msgspec

# Makers, hosts, tunings and regions: what may stand before the name of the family.
MAKERS = (
    "ai21|alibaba|amazon|anthropic|cohere|databricks|google|ibm|meta|minimaxai|mistralai|moonshotai"
    "|moonshot|nvidia|openai|snowflake|writer|xai|zai|ft|fw|apac|au|eu|global|in|jp|us-gov|us"
)
SPELLINGS = (  # (pattern, replacement), in order, on the lower-case last part of the path
    (re.compile(r"[.:@_\s]+"), "-"),
    (re.compile(r"(?<=\d)p(?=\d)"), "-"),  # llama-v3p1: llama-v3-1
    (re.compile(rf"^(?:(?:{MAKERS})-)+(?=[a-z])"), ""),
    (re.compile(r"^mistral-(?=[a-z]*[sx]tral)"), ""),  # mistral.mixtral-8x7b: mixtral-8x7b
    (re.compile(r"^([a-z]+)-(?=\1)"), ""),  # qwen.qwen3: qwen3
    (re.compile(r"^([a-z]{3,})-?v?(?=\d)"), r"\1-"),  # llama3, llama-v3: llama-3
    (re.compile(r"^claude-(\d(?:-\d)?)-(haiku|sonnet|opus)\b"), r"claude-\2-\1"),
)
SMALLER = frozenset({"lite", "mini", "nano", "small", "tiny"})  # says "not the whole family"


class _Document(msgspec.Struct, frozen=True):
    source: str
    date: str
    default: float
    ranked: dict[str, float]
    lineage: dict[str, float]


_DOCUMENT = msgspec.json.Decoder(_Document)


def family_name(model: str) -> str:
    """Return a model id in the one spelling in which families are compared."""
    name = model.lower().rstrip("/").rpartition("/")[2]
    for pattern, replacement in SPELLINGS:
        name = pattern.sub(replacement, name)
    return name


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality prior, with the source and the day of its figures."""

    source: str
    date: str
    default: float
    _families: dict[str, float] = field(repr=False)

    @classmethod
    def read(cls, data: bytes) -> "Quality":
        """Open the JSON data; raise msgspec.DecodeError where it is damaged."""
        document = _DOCUMENT.decode(data)
        families = document.lineage | document.ranked
        named = {family_name(name): quality for name, quality in families.items()}
        return cls(document.source, document.date, document.default, named)

    def of(self, model: str) -> float:
        """Return 0..100: that of the longest family the model's name begins with.

        A family ends where a part of the name ends: gpt-4 says nothing about gpt-4o, nor about a
        gpt-4-mini that the data does not know.
        """
        parts = family_name(model).split("-")
        for length in range(len(parts), 0, -1):
            quality = self._families.get("-".join(parts[:length]))
            if quality is not None:
                return self.default if SMALLER.intersection(parts[length:]) else quality
        return self.default
