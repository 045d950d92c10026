"""Configuration, vendors and catalogue joined: what can be asked, where, and at what price.

The configuration overrides the catalogue. An unknown price is never zero: such an offer is left
out with a warning, unless it is allowed or runs on the user's own machine.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase
from importlib.resources import files

from infway.discover import Found
from infway.ims.policies import PolicyName
from infway.ims.pricebook import ModelFacts, PriceBook
from infway.ims.quality import Quality
from infway.kernel.chat import Feature, Offer, Prices, Selection, Timeouts, Upstream, Weights
from infway.kernel.money import price_per_token
from infway.providers.vendors import VENDORS, Vendor
from infway.settings import ModelSettings, PolicySettings, Settings, UpstreamSettings
from infway.settings.checks import POLICIES, SANDBOX_MODEL
from infway.upstream.sign import Credential

EVERYTHING = ~Feature(0)  # what a model is believed to do of which nothing is known
# The catalogue does not speak of these: a model does them where its vendor takes the field.
_UNLISTED: Mapping[Feature, str] = {Feature.LOGPROBS: "logprobs", Feature.SEVERAL: "n"}
_FREE = Prices(input=0, output=0, cache_read=0, cache_write=0)
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
    """Everything that can be asked. `offers[i].index` is i.

    `credentials` and `max_in_flight` are by the upstream's name; an upstream that needs no key
    has no credential.
    """

    upstreams: tuple[Upstream, ...]
    offers: tuple[Offer, ...]
    policies: tuple[PolicyName, ...]
    credentials: Mapping[str, Credential] = field(repr=False)
    max_in_flight: Mapping[str, int]
    warnings: tuple[str, ...]


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
        policies=tuple(_policy(name, said, offers) for name, said in settings.policies.items()),
        credentials=shelf.credentials,
        max_in_flight={
            one.name: one.max_in_flight for one in settings.upstreams if one.max_in_flight
        },
        warnings=(*shelf.warnings, *_dangling(settings, offers)),
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
        self.credentials: dict[str, Credential] = {}
        self.warnings: list[str] = []
        self._prices = prices
        self._quality = quality

    def stock(self, configured: UpstreamSettings) -> None:
        """Add a configured upstream and what it offers."""
        vendor = VENDORS[configured.vendor]
        upstream = _upstream(configured, vendor)
        self.upstreams.append(upstream)
        if configured.key is not None:
            secret = configured.key.get_secret_value()
            self.credentials[upstream.name] = _credential(configured.auth or vendor.auth, secret)
        left_out: list[str] = []
        for model, facts in self._models(configured, vendor):
            prices = _price(model, facts, _FREE if vendor.local else Prices())
            if prices.known or configured.allow_unpriced:
                self._offer(upstream, model, facts, prices)
            else:
                left_out.append(model.id)
        if left_out:
            self.warnings.append(
                f"{upstream.name}: left out, since no price is known: {_some(left_out)}; "
                "give input_price and output_price, or allow_unpriced"
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
            self._offer(upstream, model, None, _price(model, None, Prices()))

    def _models(
        self, configured: UpstreamSettings, vendor: Vendor
    ) -> Iterator[tuple[ModelSettings, ModelFacts | None]]:
        if configured.models is None:
            for facts in self._prices.models(vendor.catalogue or ""):
                skipped = any(fnmatchcase(facts.id, pattern) for pattern in vendor.skip)
                if facts.mode == "chat" and not skipped:
                    yield ModelSettings(id=facts.id), facts
            return
        for model in configured.models:
            names = (_native(model), model.id)
            known = (self._prices.facts(vendor.catalogue or "", name) for name in names)
            yield model, next((facts for facts in known if facts), None)

    def _offer(
        self, upstream: Upstream, model: ModelSettings, facts: ModelFacts | None, prices: Prices
    ) -> None:
        quality = model.quality
        self.offers.append(
            Offer(
                index=len(self.offers),
                model=model.id,
                upstream=upstream,
                native=_native(model),
                prices=prices,
                features=_features(model, facts, upstream.drop),
                quality=self._quality.of(model.id) if quality is None else quality,
                context=model.context or (facts.context if facts else None),
                max_output=model.max_output or (facts.max_output if facts else None),
                quantization=model.quantization,
                source="catalogue" if facts else "configuration",
            )
        )


def _upstream(configured: UpstreamSettings, vendor: Vendor) -> Upstream:
    base = (configured.base_url or vendor.base_url or "").rstrip("/")
    version = configured.api_version or vendor.api_version or ""
    said = configured
    return Upstream(
        name=said.name,
        vendor=vendor.name,
        dialect=vendor.dialect,
        chat_url=base + vendor.chat_path.replace("{api_version}", version),
        timeouts=Timeouts(**said.timeouts.model_dump()),
        headers={"content-type": "application/json", **said.headers} if said.headers else {},
        drop=vendor.drop if said.drop is None else frozenset(said.drop),
        rename=vendor.rename if said.rename is None else said.rename,
        defaults=vendor.defaults if said.defaults is None else said.defaults,
        trains_on_data=said.trains_on_data,
        zero_data_retention=said.zero_data_retention,
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _credential(auth: str, secret: str) -> Credential:
    if auth == "bearer":
        return Credential("authorization", secret, "Bearer")
    return Credential(auth.removeprefix("header:").lower(), secret)


def _native(model: ModelSettings) -> str:
    return model.deployment or model.native or model.id


def _price(model: ModelSettings, facts: ModelFacts | None, default: Prices) -> Prices:
    if facts is not None:
        default = Prices(**{name: getattr(facts, name) for name in Prices._fields})
    said = {
        "input": model.input_price,
        "output": model.output_price,
        "cache_read": model.cache_read_price,
        "cache_write": model.cache_write_price,
    }
    given = {name: price_per_token(usd) for name, usd in said.items() if usd is not None}
    return default._replace(**given)


def _features(model: ModelSettings, facts: ModelFacts | None, drop: frozenset[str]) -> Feature:
    if model.capabilities is not None:
        return _named(model.capabilities)
    unlisted = Feature(0)
    for feature, name in _UNLISTED.items():
        unlisted |= Feature(0) if name in drop else feature
    listed = EVERYTHING & ~_named(feature.name or "" for feature in _UNLISTED)
    if facts is not None and facts.capabilities is not None:
        listed = _named(facts.capabilities)
    if Feature.JSON_SCHEMA in listed:
        listed |= Feature.JSON_OBJECT
    return listed | unlisted


def _named(words: Iterable[str]) -> Feature:
    found = Feature(0)
    for word in words:
        found |= Feature.__members__.get(word.upper(), Feature(0))
    return found


def _policy(name: str, said: PolicySettings, offers: tuple[Offer, ...]) -> PolicyName:
    models = said.models
    if said.quality_floor is not None:
        good = {offer.model: None for offer in offers if offer.quality >= said.quality_floor}
        models = tuple(model for model in good if models is None or model in models)
    constraints = Selection(
        max_input_cost=said.max_input_cost,
        max_output_cost=said.max_output_cost,
        only=said.only,
        ignore=said.ignore,
        sort=said.sort,
    )
    weights = Weights(**said.weights.model_dump()) if said.weights else Weights()
    return PolicyName(name, models, weights, constraints)


def _dangling(settings: Settings, offers: tuple[Offer, ...]) -> Iterator[str]:
    """Warn of names that lead nowhere: their model is not offered here."""
    known = {offer.model for offer in offers} | {offer.id for offer in offers}
    known |= {f"{offer.upstream.vendor}/{offer.model}" for offer in offers}
    known |= POLICIES | set(settings.policies) | set(settings.aliases)
    uses = [(f"aliases.{name}", target) for name, target in settings.aliases.items()]
    for name, policy in settings.policies.items():
        uses += [(f"policies.{name}", model) for model in policy.models or ()]
    for where, name in uses:
        if name not in known and name.rpartition(":")[0] not in known:
            yield f"{where}: no upstream offers `{name}`"
