"""How vendors are asked for embeddings: rows of data and no code beside the vendors' own.

From the vendors' documentation. What a row leaves out is as at OpenAI.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType

from infway.providers.embeddings.inputs import PURPOSES
from infway.providers.vendor import Vendor

_PURPOSES = frozenset(PURPOSES)


@dataclass(frozen=True, slots=True)
class Way:
    """How some models are asked. `path`: below the base URL.

    `models`: patterns of native names, with * for any letters. `most`: inputs of one call, None
    where nobody says. `reads_ids`: an input may be token ids. `drop`, `rename`: departures from
    the dialect; a format that is dropped is converted here.
    """

    dialect: str
    path: str
    models: tuple[str, ...] = ("*",)
    most: int | None = None
    reads_ids: bool = False
    drop: frozenset[str] = frozenset()
    rename: Mapping[str, str] = field(default_factory=dict[str, str])


def _openai(path: str = "/embeddings", most: int | None = 2048) -> Way:
    return Way("openai", path, most=most, reads_ids=True, drop=_PURPOSES)


# Servers of one's own pass over what they do not know; vLLM's base64 was of float64 once.
_LOCAL = Way("openai", "/embeddings", reads_ids=True, drop=frozenset({"encoding_format"}))

_DIALECTS: Mapping[str, tuple[Way, ...]] = MappingProxyType(
    {
        "openai": (_openai(),),
        "gemini": (Way("gemini", "/models/{model}:batchEmbedContents", most=100),),
        "cohere": (Way("cohere", "/v2/embed", most=96),),
        "ollama": (Way("ollama", "/api/embed"),),
        "bedrock": (
            Way("bedrock-titan", "/model/{model}/invoke", ("*titan-embed*text*",), most=1),
            Way("bedrock-nova", "/model/{model}/invoke", ("*nova*embed*",), most=1),
            Way("bedrock-cohere", "/model/{model}/invoke", ("*cohere.embed*",), most=96),
        ),
    }
)
_GOOGLE = "/publishers/google/models/{model}"
_VENDORS: Mapping[str, tuple[Way, ...]] = MappingProxyType(
    {
        "azure": (_openai("/openai/v1/embeddings"),),
        "azure-deployments": (
            _openai("/openai/deployments/{model}/embeddings?api-version={api_version}"),
        ),
        "custom": (Way("openai", "/embeddings", reads_ids=True),),
        "dashscope": (Way("openai", "/embeddings", most=10, drop=_PURPOSES),),
        "jina": (Way("openai", "/embeddings", drop=_PURPOSES | {"encoding_format", "user"}),),
        "mistral": (
            Way(
                "openai",
                "/embeddings",
                drop=_PURPOSES | {"user"},
                rename={"dimensions": "output_dimension"},
            ),
        ),
        "nvidia": (Way("openai", "/embeddings", drop=frozenset({"task_type"})),),
        "openrouter": (
            Way("openai", "/embeddings", reads_ids=True, drop=frozenset({"task_type"})),
        ),
        "perplexity": (
            Way(
                "openai-bytes",
                "/v1/embeddings",
                ("pplx-embed-v1*",),
                most=512,
                drop=_PURPOSES | {"encoding_format", "user"},
            ),
        ),
        "vertex": (
            Way("gemini-single", _GOOGLE + ":embedContent", ("gemini-embedding-2*",), most=1),
            Way("vertex", _GOOGLE + ":predict", ("gemini-embedding-*",), most=1),
            Way(
                "vertex",
                _GOOGLE + ":predict",
                ("text-embedding-*", "text-multilingual-embedding-*", "textembedding-gecko*"),
                most=250,
            ),
        ),
        "voyage": (
            Way(
                "openai",
                "/embeddings",
                most=1000,
                drop=frozenset({"task_type", "user"}),
                rename={"dimensions": "output_dimension"},
            ),
        ),
    }
)
CATALOGUES: Mapping[str, tuple[str, ...]] = MappingProxyType({"cohere": ("cohere",)})
"""Where else in the price list a vendor's models are: under other names than its models of chats."""


def ways_of(vendor: Vendor, dialect: str | None = None) -> tuple[Way, ...]:
    """Return how a vendor's models are asked for embeddings; empty where no way is known.

    `dialect`: what the configuration says it is asked in, None where it says nothing.
    """
    if dialect is not None and dialect != vendor.dialect:
        return _DIALECTS.get(dialect, ())
    if vendor.name in _VENDORS:
        return _VENDORS[vendor.name]
    if vendor.local and vendor.dialect == "openai":
        return (_LOCAL,)
    return _DIALECTS.get(vendor.dialect, ())


def way_of(vendor: Vendor, dialect: str | None, native: str) -> Way | None:
    """Return how a model is asked for embeddings, None where no way is known."""
    matching = (
        way
        for way in ways_of(vendor, dialect)
        if any(fnmatchcase(native, pattern) for pattern in way.models)
    )
    return next(matching, None)
