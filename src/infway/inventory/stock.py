"""Configuration, vendors and catalogue joined: what can be asked, where, and at what price.

The configuration overrides the catalogue. An unknown price is never zero: such an offer is left
out with a warning, unless it is allowed or runs on the user's own machine.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fnmatch import fnmatchcase
from importlib.resources import files
from itertools import chain

from infway.discover import Found
from infway.ims.policies import PolicyName
from infway.ims.pricebook import ModelFacts, PriceBook
from infway.ims.quality import Quality
from infway.inventory.connection import (
    credential_of,
    embeddings_at,
    route_of,
    upstream_of,
)
from infway.inventory.facts import (
    embedding_features,
    features_of,
    is_for_embeddings,
    prefill_at,
    price_of,
    thinks_beside,
)
from infway.inventory.names import dangling, policy_of
from infway.inventory.working import (
    can_be_paid,
    features_at,
    is_worked,
    trade_of,
    way_at,
    work_at,
)
from infway.kernel.chat import Feature, Offer, Upstream
from infway.kernel.prices import Prices
from infway.kernel.work import Trade
from infway.providers.embeddings.ways import CATALOGUES, way_of
from infway.providers.vendors import VENDORS, Vendor
from infway.settings import ModelSettings, Settings, UpstreamSettings
from infway.settings.checks import SANDBOX_MODEL
from infway.upstream.sign import AnyCredential

_FREE = Prices(
    input=0, output=0, cache_read=0, cache_write=0, query=0, image=0, character=0, second=0
)
# Simulated upstreams: USD per million tokens in and out. The names after the hyphen are those of
# `providers/sandbox.py`, where their speed and their failures are.
_SANDBOX: Mapping[str, tuple[str, str]] = {
    "sandbox-swift": ("1", "4"),
    "sandbox-thrifty": ("0.1", "0.4"),
    "sandbox-shaky": ("0.3", "1.2"),
}
_SANDBOX_QUALITY = 60.0  # above every sensible floor, so that `auto` finds it


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything that can be asked. `offers[i].index` is i, and so it is with all the others.

    `upstreams`: each of them once, as most of its offers see it. `credentials` and
    `max_in_flight` are by the upstream's name; one that needs no key has no credential.
    """

    upstreams: tuple[Upstream, ...]
    offers: tuple[Offer, ...]
    embeddings: tuple[Offer, ...]
    work: Mapping[Trade, tuple[Offer, ...]]
    policies: tuple[PolicyName, ...]
    credentials: Mapping[str, AnyCredential] = field(repr=False)
    max_in_flight: Mapping[str, int]
    warnings: tuple[str, ...]

    @property
    def all_offers(self) -> tuple[Offer, ...]:
        """The offers for chats, for embeddings, and for all other work."""
        return (*self.offers, *self.embeddings, *chain.from_iterable(self.work.values()))


def build(settings: Settings, prices: PriceBook, quality: Quality) -> Inventory:
    """Join everything; what cannot be used is a warning, not an error."""
    shelf = _Shelf(prices, quality)
    for configured in settings.upstreams:
        shelf.stock(configured)
    if settings.sandbox:
        shelf.stock_sandbox()
    offers = tuple(shelf.offers)
    return Inventory(
        upstreams=tuple(shelf.upstreams),
        offers=offers,
        embeddings=tuple(shelf.embeddings),
        work={trade: tuple(theirs) for trade, theirs in shelf.work.items()},
        policies=tuple(policy_of(name, said, offers) for name, said in settings.policies.items()),
        credentials=shelf.credentials,
        max_in_flight={
            one.name: one.max_in_flight for one in settings.upstreams if one.max_in_flight
        },
        warnings=(*shelf.warnings, *dangling(settings, shelf.all_offers)),
    )


def with_found(settings: Settings, found: Found) -> Settings:
    """Return the settings with discovered upstreams; one of a configured name is left out."""
    taken = {one.name for one in settings.upstreams}
    more = tuple(
        UpstreamSettings.model_validate(
            {
                "name": one.vendor.name,
                "vendor": one.vendor.name,
                "key": one.key,
                "region": one.region,
                "models": "all" if one.models is None else list(one.models),
            }
        )
        for one in found.upstreams
        if one.vendor.name not in taken
    )
    return settings.model_copy(update={"upstreams": settings.upstreams + more})


def packaged() -> tuple[PriceBook, Quality]:
    """Return the price catalogue and the quality prior that are in the package."""
    data = files("infway.ims") / "data"
    prices = PriceBook.read((data / "catalog.json.gz").read_bytes())
    return prices, Quality.read((data / "quality.json").read_bytes())


class _Shelf:
    """Where upstreams and their offers are put in order."""

    def __init__(self, prices: PriceBook, quality: Quality) -> None:
        self.upstreams: list[Upstream] = []
        self.offers: list[Offer] = []
        self.embeddings: list[Offer] = []
        self.work: dict[Trade, list[Offer]] = {trade: [] for trade in Trade}
        self.credentials: dict[str, AnyCredential] = {}
        self.warnings: list[str] = []
        self._prices = prices
        self._quality = quality
        self._seen: dict[tuple[str, str, str], Upstream] = {}

    @property
    def all_offers(self) -> tuple[Offer, ...]:
        """All of them."""
        return (*self.offers, *self.embeddings, *chain.from_iterable(self.work.values()))

    def stock(self, configured: UpstreamSettings) -> None:
        """Add a configured upstream and what it offers."""
        vendor = VENDORS[configured.vendor]
        credential = credential_of(configured, vendor)
        if credential is not None:
            self.credentials[configured.name] = credential
        left_out = [
            model.id
            for model, facts in self._models(configured, vendor)
            if not self._stock_one(configured, vendor, model, facts)
        ]
        usual = route_of(configured, vendor, ModelSettings(id="-"), None)
        self.upstreams.append(upstream_of(configured, vendor, usual))
        if left_out:
            self.warnings.append(
                f"{configured.name}: left out, since no price is known: {_some(left_out)}; "
                "give input_price and output_price, or allow_unpriced"
            )

    def _stock_one(
        self,
        configured: UpstreamSettings,
        vendor: Vendor,
        model: ModelSettings,
        facts: ModelFacts | None,
    ) -> bool:
        """Add one model where it belongs; False where nobody knows what it costs."""
        prices = price_of(model, facts, _FREE if vendor.local else Prices())
        trade = trade_of(model, facts)
        way = None if trade is None else way_at(configured, vendor, model, trade)
        if way is None:
            trade = None
        paid = prices.known if trade is None else can_be_paid(prices, trade)
        if not (paid or configured.allow_unpriced):
            return False
        if trade is not None and way is not None:
            offer = self._offer(work_at(configured, vendor, way), model, facts, prices)
            theirs = self.work[trade]
            features = features_at(model, facts, way)
            theirs.append(replace(offer, index=len(theirs), features=features))
        elif model.mode not in (None, "chat", "embedding"):
            self._unasked(configured, model.mode or "", model)
        elif is_for_embeddings(model, facts):
            self._stock_embeddings(configured, vendor, model, facts, prices)
        else:
            route = route_of(configured, vendor, model, facts.mode if facts else None)
            key = (configured.name, route.dialect, route.path)
            if key not in self._seen:
                self._seen[key] = upstream_of(configured, vendor, route)
            self._stock_chat(self._seen[key], model, facts, prices)
        return True

    def _unasked(self, configured: UpstreamSettings, what: str, model: ModelSettings) -> None:
        self.warnings.append(
            f"{configured.name}: left out, since nobody knows how to ask it for {what}: {model.id}"
        )

    def stock_sandbox(self) -> None:
        """Add the simulated upstreams."""
        for name, (input_price, output_price) in _SANDBOX.items():
            url = f"sandbox://{name.removeprefix('sandbox-')}"
            upstream = Upstream(name, "sandbox", "sandbox", url, drop=frozenset({"n"}))
            model = ModelSettings(
                id=SANDBOX_MODEL,
                input_price=Decimal(input_price),
                output_price=Decimal(output_price),
                quality=_SANDBOX_QUALITY,
            )
            self.upstreams.append(upstream)
            self._stock_chat(upstream, model, None, price_of(model, None, Prices()))

    def _models(
        self, configured: UpstreamSettings, vendor: Vendor
    ) -> Iterator[tuple[ModelSettings, ModelFacts | None]]:
        lists = [vendor.catalogue or "", *CATALOGUES.get(vendor.name, ())]
        if configured.models is None:
            for facts in (facts for name in lists for facts in self._prices.models(name)):
                skipped = any(fnmatchcase(facts.id, pattern) for pattern in vendor.skip)
                by_route = any(way.mode == facts.mode for way in vendor.routes)
                by_way = facts.mode == "embedding" and way_of(vendor, None, facts.id) is not None
                works = is_worked(configured, vendor, facts)
                if (facts.mode == "chat" or by_route or by_way or works) and not skipped:
                    yield ModelSettings(id=facts.id), facts
            return
        for model in configured.models:
            names = (native_of(model), model.id)
            known = (self._prices.facts(one, name) for one in lists for name in names)
            yield model, next((facts for facts in known if facts), None)

    def _stock_chat(
        self, upstream: Upstream, model: ModelSettings, facts: ModelFacts | None, prices: Prices
    ) -> None:
        offer = self._offer(upstream, model, facts, prices)
        vendor = VENDORS[upstream.vendor]
        features = features_of(model, facts, upstream, vendor)
        prefill = prefill_at(model, upstream, offer.native)
        beside = thinks_beside(offer.native, features, vendor)
        known = replace(offer, features=features, prefill=prefill, thinks_beside=beside)
        self.offers.append(replace(known, index=len(self.offers)))

    def _stock_embeddings(
        self,
        configured: UpstreamSettings,
        vendor: Vendor,
        model: ModelSettings,
        facts: ModelFacts | None,
        prices: Prices,
    ) -> None:
        way = way_of(vendor, model.dialect or configured.dialect, native_of(model))
        if way is None:
            self._unasked(configured, "embeddings", model)
            return
        upstream = embeddings_at(configured, vendor, way)
        offer = self._offer(upstream, model, facts, prices)
        features = embedding_features(model, reads_ids=way.reads_ids)
        index = len(self.embeddings)
        self.embeddings.append(replace(offer, index=index, features=features, inputs=way.most))

    def _offer(
        self, upstream: Upstream, model: ModelSettings, facts: ModelFacts | None, prices: Prices
    ) -> Offer:
        """Return an offer that has no place yet and of which nothing is known that it does."""
        quality = model.quality
        return Offer(
            index=0,
            model=model.id,
            upstream=upstream,
            native=native_of(model),
            prices=prices,
            features=Feature(0),
            quality=self._quality.of(model.id) if quality is None else quality,
            context=model.context or (facts.context if facts else None),
            max_output=model.max_output or (facts.max_output if facts else None),
            quantization=model.quantization,
            source="catalogue" if facts else "configuration",
        )


def native_of(model: ModelSettings) -> str:
    """Return the upstream's own name of a model."""
    return model.deployment or model.native or model.id


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
