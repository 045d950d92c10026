"""Work that is neither a chat nor embeddings: its trades, and what is asked of each.

A model has one trade. Each trade has a catalogue of its own, so that nothing is offered for work
it cannot do.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from infway.kernel.chat import Feature


class Trade(Enum):
    """What a model is for. The value is the word of the configuration."""

    RERANK = "rerank"
    MODERATION = "moderation"
    IMAGE = "image"
    SPEECH = "speech"
    TRANSCRIPTION = "transcription"


WORKS: Mapping[Trade, Feature] = MappingProxyType(
    {
        Trade.RERANK: Feature.RERANK,
        Trade.MODERATION: Feature.MODERATION,
        Trade.IMAGE: Feature.IMAGES | Feature.IMAGE_EDITS | Feature.IMAGE_VARIATIONS,
        Trade.SPEECH: Feature.SPEECH,
        Trade.TRANSCRIPTION: Feature.TRANSCRIPTION | Feature.TRANSLATION,
    }
)
"""What may be asked of each trade."""

WORK = Feature(sum(WORKS.values()))
"""All of it."""
PLACES: Mapping[Feature, str] = MappingProxyType(
    {
        Feature.RERANK: "/rerank",
        Feature.MODERATION: "/moderations",
        Feature.IMAGES: "/images/generations",
        Feature.IMAGE_EDITS: "/images/edits",
        Feature.IMAGE_VARIATIONS: "/images/variations",
        Feature.SPEECH: "/audio/speech",
        Feature.TRANSCRIPTION: "/audio/transcriptions",
        Feature.TRANSLATION: "/audio/translations",
    }
)
"""Where each is asked for below a base URL, at OpenAI, at most others, and here."""
