"""Hard constraints: which offers can serve a request at all, and what ruled out the others."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from infway.ims.catalog import Catalog, Meaning
from infway.ims.policies import OBJECTIVES, merge, overlay
from infway.ims.unmet import lack_of, nothing_left
from infway.kernel.chat import ChatRequest, Feature, Offer, Principal, Selection, Weights
from infway.kernel.errors import CallerError
from infway.kernel.money import PICO_PER_USD_PER_MILLION
from infway.kernel.work import WORK

COMPLETIONS = "completions"  # the dialect of models that continue texts and hold no conversation
CHARS_PER_TOKEN = 4  # wire.md part 3: price caps are per million characters

HARD = (
    Feature.TOOLS | Feature.VISION | Feature.AUDIO_IN | Feature.AUDIO_OUT
    | Feature.FILES | Feature.JSON_SCHEMA | Feature.SEVERAL | Feature.REMOTE_MEDIA
    | Feature.TOKEN_IDS | WORK
)  # fmt: skip
"""Without these the answer would be another one; the others are dropped where unsupported,
unless `require_parameters` makes them hard as well."""


class Asked(NamedTuple):
    """What the rules look at: the request, its selection after policies, the key, the suffix."""

    ask: ChatRequest
    said: Selection
    who: Principal
    free: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """One constraint. `asked`: does it apply at all; `keeps`: does this offer meet it.

    `gentle`: it is dropped where nothing would be left.
    """

    name: str
    asked: Callable[[Asked], object]
    keeps: Callable[[Offer, Asked], bool]
    gentle: bool = False


def _from(offer: Offer, names: tuple[str, ...]) -> bool:
    return offer.upstream.name in names or offer.upstream.vendor in names


def _needed(a: Asked) -> Feature:
    return a.ask.features if a.said.require_parameters else a.ask.features & HARD


def _takes(offer: Offer, a: Asked) -> bool:
    """Tell whether every parameter of the request reaches the model."""
    upstream, asked, native = offer.upstream, a.ask.parameters, a.ask.native
    if native is not None and (native.lost or _speaks(offer, a)):
        return _speaks(offer, a)
    left_out = upstream.drop | upstream.routing if upstream.routing else upstream.drop
    return not asked & left_out and (upstream.takes is None or asked <= upstream.takes)


def _speaks(offer: Offer, a: Asked) -> bool:
    """Tell whether the request can be passed on as its caller put it."""
    native = a.ask.native
    return native is not None and offer.upstream.url_of(native.dialect) is not None


def _chats(offer: Offer, a: Asked) -> bool:
    return offer.upstream.dialect != COMPLETIONS or _speaks(offer, a)


def _capped(price: int | None, cap: float | None) -> bool:
    """Tell whether a token price is within a cap in USD per million characters."""
    if cap is None:
        return True
    return price is not None and price <= cap * CHARS_PER_TOKEN * PICO_PER_USD_PER_MILLION


def _room(offer: Offer, a: Asked) -> bool:
    return offer.context is None or (
        a.ask.input_tokens + (a.ask.output_tokens or 0) <= offer.context
    )


RULES: tuple[Rule, ...] = (
    Rule("key.models", lambda a: a.who.models is not None,
         lambda o, a: o.model in (a.who.models or ())),
    Rule("key.upstreams", lambda a: a.who.upstreams is not None,
         lambda o, a: o.upstream.name in (a.who.upstreams or ())),
    Rule("provider.only", lambda a: a.said.only, lambda o, a: _from(o, a.said.only)),
    Rule("provider.ignore", lambda a: a.said.ignore, lambda o, a: not _from(o, a.said.ignore)),
    Rule("provider.data_collection", lambda a: a.said.data_collection == "deny",
         lambda o, _: o.upstream.trains_on_data is False),
    Rule("provider.zdr", lambda a: a.said.zdr,
         lambda o, _: o.upstream.zero_data_retention is True),
    Rule("provider.quantizations", lambda a: a.said.quantizations,
         lambda o, a: (o.quantization or "unknown") in a.said.quantizations),
    Rule("capabilities", _needed, lambda o, a: not _needed(a) & ~o.features),
    Rule("dialect", lambda a: a.ask.native is not None and a.ask.native.needs, _speaks),
    Rule("chat", lambda _: True, _chats),
    Rule("provider.require_parameters", lambda a: a.said.require_parameters, _takes),
    Rule("free", lambda a: a.free, lambda o, _: o.prices.input == 0 == o.prices.output),
    Rule("max_input_cost", lambda a: a.said.max_input_cost is not None,
         lambda o, a: _capped(o.prices.input, a.said.max_input_cost)),
    Rule("max_output_cost", lambda a: a.said.max_output_cost is not None,
         lambda o, a: _capped(o.prices.output, a.said.max_output_cost)),
    # elsewhere than in chats the window holds each input by itself, not all of them
    Rule("context", lambda a: not a.ask.features & (Feature.EMBEDDINGS | WORK), _room),
    Rule("max_output", lambda a: a.ask.output_tokens,
         lambda o, a: o.max_output is None or (a.ask.output_tokens or 0) <= o.max_output,
         gentle=True),
)  # fmt: skip
"""Every constraint, in the order in which they are applied; the first to leave nothing is named."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The offers that can serve a request.

    `groups`: the asked model's (or models') offers, then those of each fallback model; never
    empty, and no offer is in two. `removed`: constraint -> offers of the first group that it
    ruled out. `open`: several models compete. `weights`: what counts, None where only the
    configuration says so. `sort`: the single objective, where one was asked for.
    """

    groups: tuple[tuple[Offer, ...], ...]
    removed: dict[str, tuple[Offer, ...]]
    open: bool
    said: Selection
    weights: Weights
    sort: str | None

    @property
    def offers(self) -> tuple[Offer, ...]:
        """All of them, group after group."""
        return tuple(offer for group in self.groups for offer in group)


def candidates(catalog: Catalog, ask: ChatRequest, who: Principal) -> Candidates:
    """Return the offers that can serve a request of this key.

    Raises CallerError for names that do not exist, models the key may not use and inputs too
    large for all; UnavailableError where a constraint leaves nothing.
    """
    meaning, offers = _asked_offers(catalog, ask.selection)
    policy, slant = meaning.policy, meaning.slant
    said = merge(ask.selection, policy.constraints) if policy else ask.selection
    asked = Asked(ask, said, who, slant is not None and slant.free)
    kept, removed = _apply(offers, asked)
    if not kept:
        last = next(reversed(removed), "model.exclude_llms")
        lack = lack_of(_needed(asked), offers)
        raise nothing_left(last, ask, lack, removed.get(last, ()))
    sort = said.sort or (slant.sort if slant else None)
    weights = overlay(overlay(said.weights, slant.weights if slant else None), None)
    if policy:
        weights = overlay(weights, policy.weights)
    weights = OBJECTIVES[sort] if sort in OBJECTIVES else overlay(weights, who.weights)
    groups = (kept, *_fallbacks(catalog, asked, kept))
    several = len({offer.model for offer in kept}) > 1
    return Candidates(groups, removed, several, said, weights, sort)


def _asked_offers(catalog: Catalog, said: Selection) -> tuple[Meaning, tuple[Offer, ...]]:
    """Return the meaning of the model field, and the offers of `llms` minus `exclude_llms`."""
    meaning = catalog.resolve(said.model)
    offers = meaning.offers
    if said.llms:
        named = _named(catalog, said.llms, "model.llms")
        offers = tuple(dict.fromkeys(offer for theirs in named for offer in theirs))
    if said.exclude_llms:
        named = _named(catalog, said.exclude_llms, "model.exclude_llms")
        excluded = {offer.index for theirs in named for offer in theirs}
        offers = tuple(offer for offer in offers if offer.index not in excluded)
    return meaning, offers


def _named(catalog: Catalog, names: tuple[str, ...], param: str) -> list[tuple[Offer, ...]]:
    found: list[tuple[Offer, ...]] = []
    for place, name in enumerate(names):
        meaning = catalog.find(name)
        if meaning is None:
            message = f"The model `{name[:200]}` does not exist."
            raise CallerError(400, "invalid_field", message, param=f"{param}[{place}]")
        found.append(meaning.offers)
    return found


def _apply(
    offers: Iterable[Offer], asked: Asked
) -> tuple[tuple[Offer, ...], dict[str, tuple[Offer, ...]]]:
    """Return the offers that meet every rule, and those each rule removed."""
    left: tuple[Offer, ...] = tuple(offers)
    removed: dict[str, tuple[Offer, ...]] = {}
    for rule in RULES:
        if not left:
            break
        if not rule.asked(asked):
            continue
        kept = tuple(offer for offer in left if rule.keeps(offer, asked))
        if len(kept) == len(left) or (rule.gentle and not kept):
            continue
        removed[rule.name] = tuple(offer for offer in left if not rule.keeps(offer, asked))
        left = kept
    return left, removed


def _fallbacks(
    catalog: Catalog, asked: Asked, kept: tuple[Offer, ...]
) -> Iterable[tuple[Offer, ...]]:
    """Yield what is new in each fallback model; one that cannot serve is passed over."""
    seen = {offer.index for offer in kept}
    said = asked.said
    named = _named(catalog, said.fallback_models, "fallback_models") if said.fallback_models else ()
    for theirs in named:
        fresh = tuple(offer for offer in theirs if offer.index not in seen)
        able, _ = _apply(fresh, asked)
        seen.update(offer.index for offer in able)
        if able:
            yield able
