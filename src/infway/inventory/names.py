"""Names of the configuration: policies that stand for a choice, and names that lead nowhere."""

from collections.abc import Iterable, Iterator

from infway.accounts.configured import Offered
from infway.ims.policies import PolicyName
from infway.kernel.chat import Offer, Selection, Upstream, Weights
from infway.settings import PolicySettings, Settings
from infway.settings.checks import POLICIES


def policy_of(name: str, said: PolicySettings, offers: tuple[Offer, ...]) -> PolicyName:
    """Return a configured policy; its floor of quality chooses among these offers."""
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


def dangling(settings: Settings, offers: tuple[Offer, ...]) -> Iterator[str]:
    """Warn of names that lead nowhere: their model is not offered here."""
    known = _known(settings, offers)
    uses = [(f"aliases.{name}", target) for name, target in settings.aliases.items()]
    for name, policy in settings.policies.items():
        uses += [(f"policies.{name}", model) for model in policy.models or ()]
    for where, name in uses:
        if name not in known and name.rpartition(":")[0] not in known:
            yield f"{where}: no upstream offers `{name}`"


def offered(
    settings: Settings, offers: tuple[Offer, ...], upstreams: Iterable[Upstream]
) -> Offered:
    """Return the names that keys and plans may speak of."""
    return Offered(_known(settings, offers), {one.name for one in upstreams})


def _known(settings: Settings, offers: tuple[Offer, ...]) -> frozenset[str]:
    known = {offer.model for offer in offers} | {offer.id for offer in offers}
    known |= {f"{offer.upstream.vendor}/{offer.model}" for offer in offers}
    return POLICIES | known | set(settings.policies) | set(settings.aliases)
