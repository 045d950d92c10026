"""What a model costs and can do: the configuration first, then the catalogue, then a belief."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from infway.ims.pricebook import ModelFacts
from infway.kernel.begun import Prefill
from infway.kernel.chat import Feature, Upstream
from infway.kernel.money import PICO_PER_USD, price_per_token
from infway.kernel.prices import PARTS, Prices, tier_of
from infway.kernel.work import WORK
from infway.providers.dialects import DIALECTS
from infway.providers.prefills import prefill_of, usual_prefill
from infway.providers.vendors import Vendor
from infway.settings import ModelSettings, TierSettings

_VECTORS = Feature.EMBEDDINGS | Feature.TOKEN_IDS
EVERYTHING = ~(
    _VECTORS | WORK
)  # what a model for chats is believed to do of which nothing is known
# The catalogue does not speak of these: a model does them where its vendor takes the field.
_UNLISTED: Mapping[Feature, str] = {Feature.LOGPROBS: "logprobs", Feature.SEVERAL: "n"}


def price_of(model: ModelSettings, facts: ModelFacts | None, default: Prices) -> Prices:
    """Return the prices of a model: the configuration's, then the catalogue's, then `default`."""
    if facts is not None:
        default = facts.prices
    given = _given(model) | {
        name: round(usd * PICO_PER_USD / per)
        for name, usd, per in (
            ("query", model.search_price, 1000),
            ("image", model.image_price, 1),
            ("character", model.character_price, 1_000_000),
            ("second", model.minute_price, 60),
        )
        if usd is not None
    }
    prices = _overridden(default, given)
    if prices.input is not None and prices.output is None and is_for_embeddings(model, facts):
        prices = _overridden(prices, {"output": 0})  # vectors cost nothing beside their inputs
    return _with_tiers(prices, model) if model.tiers else prices


def _given(said: ModelSettings | TierSettings) -> dict[str, int]:
    """Return the prices of tokens that the configuration gives, in 10^-12 USD."""
    usd = {
        "input": said.input_price,
        "output": said.output_price,
        "cache_read": said.cache_read_price,
        "cache_write": said.cache_write_price,
    }
    return {name: price_per_token(price) for name, price in usd.items() if price is not None}


def _with_tiers(prices: Prices, model: ModelSettings) -> Prices:
    """Return prices with those that the configuration gives for service tiers."""
    tiers = dict(prices.tiers)
    for name, said in model.tiers.items():
        given, known = _given(said), tiers.get(name)
        tiers[name] = _overridden(known, given) if known else tier_of(prices, {0: given})
    return prices._replace(tiers=tuple(tiers.items()))


def _overridden(prices: Prices, given: Mapping[str, int]) -> Prices:
    """Return prices with those that are given in their place, for every length and every tier.

    With what is read, or made, all of it is given: others know no price of a part of it.
    """
    wholes = [whole for whole in PARTS if whole in given]
    said: dict[str, int | None] = {part: None for whole in wholes for part in PARTS[whole]}
    said |= given
    if len(wholes) == len(PARTS):
        return prices._replace(**said, long_from=None, longer=None, tiers=())
    longer = prices.longer and _overridden(prices.longer, given)
    tiers = tuple((name, _overridden(one, given)) for name, one in prices.tiers)
    return prices._replace(**said, longer=longer, tiers=tiers)


def is_for_embeddings(model: ModelSettings, facts: ModelFacts | None) -> bool:
    """Tell what a model is for: by the configuration, the catalogue, or at last its name."""
    known = model.mode or (facts.mode if facts is not None else None)
    if known is None:
        names = (model.id, model.native or "", model.deployment or "")
        return any("embed" in name.lower() for name in names)
    return known == "embedding"


def thinks_beside(native: str, features: Feature, vendor: Vendor) -> bool:
    """Tell whether a model's thoughts come beside what a caller allows an answer."""
    patterns = vendor.thoughts_beside if Feature.REASONING in features else ()
    return any(fnmatchcase(native.lower(), pattern) for pattern in patterns)


def embedding_features(model: ModelSettings, *, reads_ids: bool) -> Feature:
    """Return what a model for embeddings does; `reads_ids`: its vendor takes token ids."""
    said = _VECTORS if model.capabilities is None else named(model.capabilities)
    ids = Feature.TOKEN_IDS if reads_ids else Feature(0)
    return Feature.EMBEDDINGS | (said & ids)


def features_of(
    model: ModelSettings, facts: ModelFacts | None, upstream: Upstream, vendor: Vendor
) -> Feature:
    """Return what a model does there: no more than its dialect has words for."""
    sayable = DIALECTS[upstream.dialect].features & ~vendor.lacks
    return (_does(model, facts, upstream.drop) | Feature.REMOTE_MEDIA) & sayable


def _does(model: ModelSettings, facts: ModelFacts | None, drop: frozenset[str]) -> Feature:
    if model.capabilities is not None:
        return named(model.capabilities) & EVERYTHING
    unlisted = Feature(0)
    for feature, name in _UNLISTED.items():
        unlisted |= Feature(0) if name in drop else feature
    listed = EVERYTHING & ~named(feature.name or "" for feature in _UNLISTED)
    if facts is not None and facts.capabilities is not None:
        listed = named(facts.capabilities)
    if Feature.JSON_SCHEMA in listed:
        listed |= Feature.JSON_OBJECT
    return listed | unlisted


def prefill_at(model: ModelSettings, upstream: Upstream, native: str) -> Prefill | None:
    """Return how a model goes on with an answer that has begun there, None where it is not known to.

    The configuration's word counts first: it knows what stands behind a name of its own.
    """
    known = prefill_of(upstream, native)
    if model.capabilities is None:
        return known
    return (known or usual_prefill(upstream)) if "prefill" in model.capabilities else None


def named(words: Iterable[str]) -> Feature:
    """Return the features of these names; what is the name of none is passed over."""
    found = Feature(0)
    for word in words:
        found |= Feature.__members__.get(word.upper(), Feature(0))
    return found
