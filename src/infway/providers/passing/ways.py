"""How vendors are asked for such work: rows of data and no code beside the vendors' own.

From the vendors' documentation; a trade that a vendor has no row for is not asked for there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType

from infway.kernel.chat import Feature
from infway.kernel.work import PLACES, WORKS, Trade
from infway.providers.vendor import Vendor


@dataclass(frozen=True, slots=True)
class Way:
    """How the models of a trade are asked. `paths`: below the base URL, for what can be asked.

    `models`: patterns of native names, with * for any letters; `skip`: those that are left out.
    """

    passer: str
    paths: Mapping[Feature, str]
    models: tuple[str, ...] = ("*",)
    skip: tuple[str, ...] = ()
    drop: frozenset[str] = frozenset()
    rename: Mapping[str, str] = field(default_factory=dict[str, str])


_Ways = Mapping[Trade, tuple[Way, ...]]
_EDITED = Feature.IMAGES | Feature.IMAGE_EDITS
# OpenAI translates with Whisper's first models alone, Groq with all but the fast one
_TRANSLATING = "whisper*"
_INVOKED: Mapping[Feature, str] = {Feature.RERANK: "/model/{model}/invoke"}


def _paths(works: Feature, start: str = "", end: str = "") -> dict[Feature, str]:
    return {work: start + path + end for work, path in PLACES.items() if work in works}


def _as_openai(works: Feature, start: str = "", end: str = "") -> Way:
    return Way("openai", _paths(works, start, end))


def _sounds(translating: str) -> tuple[Way, ...]:
    """Return the ways of transcription: some models translate too."""
    both = Way("openai", _paths(WORKS[Trade.TRANSCRIPTION]), (translating,))
    return both, _as_openai(Feature.TRANSCRIPTION)


def _rerank(passer: str, path: str = "/rerank") -> _Ways:
    return {Trade.RERANK: (Way(passer, {Feature.RERANK: path}),)}


def _azure(start: str, end: str = "") -> _Ways:
    return {
        Trade.IMAGE: (_as_openai(_EDITED, start, end),),
        Trade.SPEECH: (_as_openai(Feature.SPEECH, start, end),),
        # what a deployment is called says nothing of what it does
        Trade.TRANSCRIPTION: (_as_openai(WORKS[Trade.TRANSCRIPTION], start, end),),
    }


# Servers of one's own: whatever OpenAI and Cohere do, there is one that does it.
_ANYTHING: _Ways = {
    trade: (Way("rerank" if trade is Trade.RERANK else "openai", _paths(works)),)
    for trade, works in WORKS.items()
}
_DIALECTS: Mapping[str, _Ways] = MappingProxyType(
    {
        "openai": _ANYTHING,
        "cohere": _rerank("rerank-cohere", "/v2/rerank"),
        "bedrock": {
            Trade.RERANK: (
                Way("rerank-bedrock-cohere", _INVOKED, ("*cohere.rerank*",)),
                Way("rerank-bedrock", _INVOKED, ("*amazon.rerank*",)),
            )
        },
    }
)
_VENDORS: Mapping[str, _Ways] = MappingProxyType(
    {
        "openai": {
            Trade.MODERATION: (_as_openai(Feature.MODERATION),),
            Trade.IMAGE: (
                Way("openai", _paths(WORKS[Trade.IMAGE]), ("dall-e-2*",)),
                _as_openai(_EDITED),
            ),
            Trade.SPEECH: (_as_openai(Feature.SPEECH),),
            Trade.TRANSCRIPTION: _sounds(_TRANSLATING),
        },
        "azure": _azure("/openai/v1"),
        "azure-deployments": _azure("/openai/deployments/{model}", "?api-version={api_version}"),
        "groq": {
            Trade.SPEECH: (_as_openai(Feature.SPEECH),),
            Trade.TRANSCRIPTION: _sounds("whisper-large-v3"),
        },
        "mistral": {
            Trade.MODERATION: (_as_openai(Feature.MODERATION),),
            Trade.TRANSCRIPTION: (
                Way("openai", _paths(Feature.TRANSCRIPTION), skip=("*realtime*",)),
            ),
        },
        "xai": {Trade.IMAGE: (Way("openai-json", _paths(_EDITED)),)},
        "together": {
            **_rerank("rerank-together"),
            Trade.IMAGE: (_as_openai(Feature.IMAGES),),
            Trade.SPEECH: (_as_openai(Feature.SPEECH),),
            Trade.TRANSCRIPTION: (_as_openai(WORKS[Trade.TRANSCRIPTION]),),
        },
        "fireworks": _rerank("rerank"),
        "jina": _rerank("rerank-jina"),
        "openrouter": _rerank("rerank"),
        "voyage": _rerank("rerank-voyage"),
    }
)


def way_of(vendor: Vendor, trade: Trade, dialect: str | None, native: str) -> Way | None:
    """Return how a model is asked, None where no way is known.

    `dialect`: what the configuration says it is asked in, None where it says nothing.
    """
    ways = ways_of(vendor, dialect).get(trade, ())
    return next((way for way in ways if _goes(way, native)), None)


def ways_of(vendor: Vendor, dialect: str | None = None) -> Mapping[Trade, tuple[Way, ...]]:
    """Return how a vendor's models are asked for each trade that is known of it."""
    if dialect is not None and dialect != vendor.dialect:
        return _DIALECTS.get(dialect, {})
    if vendor.name in _VENDORS:
        return _VENDORS[vendor.name]
    if vendor.name == "custom" or vendor.local or vendor.dialect != "openai":
        return _DIALECTS.get(vendor.dialect, {})
    return {}


def _goes(way: Way, native: str) -> bool:
    named = any(fnmatchcase(native, pattern) for pattern in way.models)
    return named and not any(fnmatchcase(native, pattern) for pattern in way.skip)
