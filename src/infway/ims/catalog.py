"""Models, offers and aliases, and what a name in a request stands for."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from infway.ims.policies import SHIPPED, SUFFIXES, PolicyName, Slant
from infway.kernel.chat import ChatRequest, Offer
from infway.kernel.errors import CallerError

SEPARATORS = "./:"


@dataclass(frozen=True, slots=True)
class Model:
    """One model and its offers in catalogue order. `created`: Unix time, 0 where unknown."""

    id: str
    offers: tuple[Offer, ...]
    created: int = 0
    aliases: tuple[str, ...] = ()

    @property
    def quality(self) -> float:
        """The prior of the model, 0..100."""
        return max(offer.quality for offer in self.offers)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name stands for: offers, and how to choose among them."""

    offers: tuple[Offer, ...]
    policy: PolicyName | None = None
    slant: Slant | None = None


class Catalog:
    """All offers, by every name they can be asked for. Immutable once built and told `elsewhere`.

    `vendors`: known prefixes of model names. `quality_floor`: models below it are left out of
    the default pool, unless nothing is above it. `created`: model id -> Unix time.

    `elsewhere`: models that are no part of it -> a sentence that tells where to ask for them.
    """

    def __init__(
        self,
        offers: Iterable[Offer],
        *,
        aliases: Mapping[str, str] | None = None,
        policies: Iterable[PolicyName] = (),
        vendors: Iterable[str] = (),
        quality_floor: float = 0.0,
        created: Mapping[str, int] | None = None,
    ) -> None:
        self.offers = tuple(offers)
        self.aliases = dict(aliases or {})
        self.policies = {policy.name: policy for policy in (*SHIPPED, *policies)}
        self._models = _by_model(self.offers, self.aliases, created or {})
        self._sources = _by_source(self.offers, vendors)
        good = tuple(o for o in self.offers if self._models[o.model].quality >= quality_floor)
        self.default_pool = good or self.offers
        self.elsewhere: Mapping[str, str] = {}
        self._contexts = _steps(offer.context for offer in self.offers)
        self._outputs = _steps(offer.max_output for offer in self.offers)
        self._longs = _steps(one.long_from for offer in self.offers for one in offer.prices.steps())

    def models(self) -> Iterator[Model]:
        """Iterate over the models in catalogue order."""
        return iter(self._models.values())

    def model(self, name: str) -> Model | None:
        """Return the model of this id or alias."""
        return self._models.get(self._target(name))

    def resolve(self, name: str | None) -> Meaning:
        """Return what a model name of a request stands for; None stands for the default pool.

        Raises CallerError 404 `model_not_found`.
        """
        if name is None:
            return Meaning(self.default_pool)
        meaning = self.find(name)
        if meaning is None:
            message = f"The model `{name[:200]}` does not exist."
            message = self.elsewhere.get(self._target(name), message)
            raise CallerError(404, "model_not_found", message, param="model")
        return meaning

    def find(self, name: str) -> Meaning | None:
        """Return what a name stands for: id, alias, policy, prefixed name; then with a suffix."""
        plain = self._plain(name)
        if plain is not None:
            return plain
        stem, _, suffix = name.rpartition(":")
        slant = SUFFIXES.get(suffix)
        meaning = self._plain(stem) if stem and slant else None
        return meaning and Meaning(meaning.offers, meaning.policy, slant)

    def size_class(self, ask: ChatRequest) -> tuple[int, int, int]:
        """Return which context windows, output limits and long prices a request's size reaches.

        Requests of one class are alike to every rule that depends on size.
        """
        output = ask.output_tokens or 0
        return (
            bisect_left(self._contexts, ask.input_tokens + output),
            bisect_left(self._outputs, output) if output else 0,
            bisect_left(self._longs, ask.input_tokens) if self._longs else 0,
        )

    def _plain(self, name: str) -> Meaning | None:
        name = self._target(name)
        model, policy = self._models.get(name), self.policies.get(name)
        if model is not None:
            return Meaning(model.offers)
        if policy is not None:
            return Meaning(self._pool(policy), policy)
        offers = self._prefixed(name)
        return Meaning(offers) if offers else None

    def _target(self, name: str) -> str:
        """Follow an alias; a model's own id is never one."""
        return name if name in self._models else self.aliases.get(name, name)

    def _pool(self, policy: PolicyName) -> tuple[Offer, ...]:
        """Return the offers of a policy's models; names that lead nowhere are passed over."""
        if policy.models is None:
            return self.default_pool
        found: dict[int, Offer] = {}
        for name in map(self._target, policy.models):
            model = self._models.get(name)
            offers = model.offers if model is not None else self._prefixed(name)
            found |= {offer.index: offer for offer in offers}
        return tuple(found.values())

    def _prefixed(self, name: str) -> tuple[Offer, ...]:
        """Understand `v.m`, `v/m` and `v:m` where v is a known vendor or upstream."""
        for separator in SEPARATORS:
            prefix, found, rest = name.partition(separator)
            if not found or prefix not in self._sources:
                continue
            model = self.model(rest)
            theirs = model.offers if model is not None else ()
            offers = tuple(o for o in theirs if prefix in (o.upstream.name, o.upstream.vendor))
            if offers:
                return offers
        return ()


def _by_model(
    offers: tuple[Offer, ...], aliases: Mapping[str, str], created: Mapping[str, int]
) -> dict[str, Model]:
    grouped: dict[str, list[Offer]] = {}
    for offer in offers:
        grouped.setdefault(offer.model, []).append(offer)
    named: dict[str, list[str]] = {}
    for alias, model in aliases.items():
        named.setdefault(model, []).append(alias)
    return {
        name: Model(name, tuple(theirs), created.get(name, 0), tuple(named.get(name, ())))
        for name, theirs in grouped.items()
    }


def _by_source(offers: tuple[Offer, ...], vendors: Iterable[str]) -> frozenset[str]:
    names = {name for o in offers for name in (o.upstream.name, o.upstream.vendor)}
    return frozenset(names.union(vendors))


def _steps(values: Iterable[int | None]) -> list[int]:
    return sorted({value for value in values if value is not None})
