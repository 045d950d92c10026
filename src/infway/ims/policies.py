"""Names and suffixes that stand for a way of choosing instead of for a model."""

from dataclasses import dataclass

from infway.kernel.chat import Selection, Weights

NOTHING_SAID = Selection()
UNWEIGHTED = Weights()

OBJECTIVES: dict[str, Weights] = {
    "price": Weights(1.0, 0.0, 0.0, 0.0, 0.0),
    "latency": Weights(0.0, 0.0, 1.0, 0.0, 0.0),
    "throughput": Weights(0.0, 0.0, 0.0, 1.0, 0.0),
}
"""`provider.sort` and the weights that make its one objective the only one."""


@dataclass(frozen=True, slots=True)
class PolicyName:
    """A name that stands for a pool of models, weights and constraints.

    `models`: the pool, None for the default pool. `weights`: None in them leaves the caller's
    key or the configuration to say. `constraints`: holds where the request says nothing itself.
    """

    name: str
    models: tuple[str, ...] | None = None
    weights: Weights = UNWEIGHTED
    constraints: Selection = NOTHING_SAID


SHIPPED: tuple[PolicyName, ...] = (
    PolicyName("auto"),
    PolicyName("fast", weights=Weights(0.25, 1.0, 1.0, 1.0, 1.0)),
    PolicyName("cheap", weights=Weights(2.0, 1.0, 0.1, 0.1, 0.5)),
    PolicyName("best", weights=Weights(0.05, 1.0, 0.05, 0.05, 20.0)),
)


@dataclass(frozen=True, slots=True)
class Slant:
    """What a suffix on a model's name asks for. `free`: only offers that cost nothing."""

    weights: Weights
    sort: str | None = None
    free: bool = False


SUFFIXES: dict[str, Slant] = {
    "floor": Slant(OBJECTIVES["price"], sort="price"),
    "nitro": Slant(Weights(0.05, 1.0, 0.5, 1.0, 0.05)),
    "free": Slant(Weights(), free=True),
}


def overlay(first: Weights | None, second: Weights | None) -> Weights:
    """Return the first weights, with those of the second where the first say nothing."""
    if first is None or second is None:
        return first or second or Weights()
    return Weights(*(b if a is None else a for a, b in zip(first, second, strict=True)))


def merge(asked: Selection, fragment: Selection) -> Selection:
    """Return the request's selection, with the fragment's value where the request says nothing."""
    silent = (
        name for name, value in NOTHING_SAID._asdict().items() if getattr(asked, name) == value
    )
    return asked._replace(**{name: getattr(fragment, name) for name in silent})
