"""Models for work that is neither a chat nor embeddings: known by what, asked where, paid how."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from infway.ims.pricebook import ModelFacts
from infway.inventory.connection import base_url, upstream_of, versioned
from infway.inventory.facts import named
from infway.kernel.chat import Feature, Upstream
from infway.kernel.prices import Prices
from infway.kernel.work import WORK, Trade
from infway.providers.passing.ways import Way, way_of
from infway.providers.vendors import Route, Vendor
from infway.settings import ModelSettings, UpstreamSettings

_BY_MODE: Mapping[str, Trade] = MappingProxyType(
    {
        "rerank": Trade.RERANK,
        "moderation": Trade.MODERATION,
        "image_generation": Trade.IMAGE,
        "image_edit": Trade.IMAGE,
        "audio_speech": Trade.SPEECH,
        "audio_transcription": Trade.TRANSCRIPTION,
    }
)
"""The price list's words for them."""
_BY_WORD: Mapping[str, Trade] = {trade.value: trade for trade in Trade}
# What stands in the names of models that nobody says anything of.
_BY_NAME: tuple[tuple[str, Trade], ...] = (
    ("rerank", Trade.RERANK),
    ("moderation", Trade.MODERATION),
    ("dall-e", Trade.IMAGE),
    ("gpt-image", Trade.IMAGE),
    ("stable-diffusion", Trade.IMAGE),
    ("whisper", Trade.TRANSCRIPTION),
    ("transcribe", Trade.TRANSCRIPTION),
    ("kokoro", Trade.SPEECH),
    ("tts-", Trade.SPEECH),
    ("-tts", Trade.SPEECH),
)


def trade_of(model: ModelSettings, facts: ModelFacts | None) -> Trade | None:
    """Return a model's trade by the configuration, the catalogue, or at last its name."""
    if model.mode is not None:
        return _BY_WORD.get(model.mode)
    if facts is not None:
        return _BY_MODE.get(facts.mode)
    names = [name.lower() for name in (model.id, model.native or "", model.deployment or "")]
    return next((trade for part, trade in _BY_NAME if any(part in name for name in names)), None)


def way_at(
    configured: UpstreamSettings, vendor: Vendor, model: ModelSettings, trade: Trade
) -> Way | None:
    """Return how a model is asked there, None where no way is known."""
    native = model.deployment or model.native or model.id
    return way_of(vendor, trade, model.dialect or configured.dialect, native)


def is_worked(configured: UpstreamSettings, vendor: Vendor, facts: ModelFacts) -> bool:
    """Tell whether a model of the catalogue has a trade that it can be asked for there."""
    model = ModelSettings(id=facts.id)
    trade = _BY_MODE.get(facts.mode)
    return trade is not None and way_at(configured, vendor, model, trade) is not None


def features_at(model: ModelSettings, facts: ModelFacts | None, way: Way) -> Feature:
    """Return what a model does: no more than can be asked for there."""
    asked = Feature(0)
    for work in way.paths:
        asked |= work
    if model.capabilities is not None:
        return named(model.capabilities) & WORK & asked
    only_edits = facts is not None and facts.mode == "image_edit"
    return asked & ~Feature.IMAGES if only_edits else asked


def can_be_paid(prices: Prices, trade: Trade) -> bool:
    """Tell whether enough prices are known to say what the work costs."""
    tokens = prices.input is not None
    made = (prices.output, prices.image_output, prices.audio_output)
    both = tokens and any(price is not None for price in made)
    known: Mapping[Trade, bool] = {
        Trade.RERANK: prices.query is not None or tokens,
        Trade.MODERATION: tokens,
        Trade.IMAGE: prices.image is not None or both,
        Trade.SPEECH: prices.character is not None or prices.second is not None or both,
        Trade.TRANSCRIPTION: prices.second is not None or both,
    }
    return known[trade]


def work_at(configured: UpstreamSettings, vendor: Vendor, way: Way) -> Upstream:
    """Return the upstream as the offers of one way see it; what it is told by default is for chats."""
    usual = Route(vendor.dialect, vendor.chat_path)
    base = base_url(configured, vendor)
    return replace(
        upstream_of(configured, vendor, usual),
        dialect=way.passer,
        work_urls={
            work: base + versioned(path, configured, vendor) for work, path in way.paths.items()
        },
        takes=None,
        drop=way.drop | frozenset(configured.drop or ()),
        rename=way.rename if configured.rename is None else configured.rename,
        defaults={},
        speaks={},
    )
