"""From what was agreed on a key to what its holder may do: plans, projects, organisations.

A key belongs to a project and a project to an organisation. The limits and budgets of all three
hold, and of models only what every plan among them has.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from infway.accounts.terms import (
    HolderTerms,
    KeyTerms,
    OrganisationTerms,
    PlanTerms,
    ProjectTerms,
    WeightTerms,
)
from infway.kernel.account import Account, Budget, Holder, Limits, Period, Window
from infway.kernel.chat import Principal, Weights
from infway.kernel.errors import InfwayError

_T = TypeVar("_T")


class EntitlementError(InfwayError):
    """A key speaks of a plan, a project or an organisation that is not there."""


class Entitlements(NamedTuple):
    """All that keys may speak of, by name. `closed`: ids of holders that are disabled."""

    plans: Mapping[str, PlanTerms]
    projects: Mapping[str, ProjectTerms]
    organisations: Mapping[str, OrganisationTerms]
    closed: frozenset[str] = frozenset()

    def principal(self, name: str, key: KeyTerms) -> Principal | None:
        """Return what a key may do; None where its project or organisation is disabled.

        Raises EntitlementError: what is not there limits nothing, so nothing may be done.
        """
        project = _one(self.projects, key.project, "project")
        paying = project.organisation if project is not None else None
        organisation = _one(self.organisations, paying, "organisation")
        if self.closed & {f"project:{key.project}", f"organisation:{paying}"}:
            return None
        said: list[tuple[str, HolderTerms | None]] = [
            (f"key:{name}", key),
            (f"project:{key.project}", project),
            (f"organisation:{paying}", organisation),
        ]
        held = [
            (id_, terms, _one(self.plans, terms.plan, "plan"))
            for id_, terms in said
            if terms is not None
        ]
        account = Account(
            organisation=paying or "",
            project=key.project or "",
            tags=key.tags,
            holders=tuple(
                one for one in (_holder(*each) for each in held) if one.limits.any or one.budgets
            ),
            unpriced=frozenset(key.unpriced),
        )
        return Principal(
            name=name,
            models=_models([key.models, *(plan.models for _, _, plan in held if plan is not None)]),
            upstreams=None if key.upstreams is None else frozenset(key.upstreams),
            weights=_weights(key.weights),
            rescue=key.rescue,
            account=None if account == Account(unpriced=frozenset(key.unpriced)) else account,
        )

    def organisation_of(self, project: str | None) -> str | None:
        """Return the organisation that a project belongs to, if any."""
        found = self.projects.get(project) if project is not None else None
        return None if found is None else found.organisation

    def beside(self, others: "Entitlements") -> "Entitlements":
        """Return these and others together; of two with one name, these count."""
        return Entitlements(
            {**others.plans, **self.plans},
            {**others.projects, **self.projects},
            {**others.organisations, **self.organisations},
            others.closed - {f"project:{name}" for name in self.projects}
            - {f"organisation:{name}" for name in self.organisations} | self.closed,
        )  # fmt: skip


def limits_of(plan: PlanTerms) -> Limits:
    """Return the windows of a plan."""
    return Limits(
        requests=_windows(
            (60, plan.requests_per_minute),
            (600, plan.requests_per_ten_minutes),
            (3600, plan.requests_per_hour),
        ),
        tokens=_windows((60, plan.tokens_per_minute)),
        characters=_windows(
            (60, plan.characters_per_minute),
            (600, plan.characters_per_ten_minutes),
            (3600, plan.characters_per_hour),
        ),
        concurrent=plan.concurrent_requests,
    )


def _windows(*said: tuple[int, int | None]) -> tuple[Window, ...]:
    return tuple(Window(seconds, most) for seconds, most in said if most is not None)


def _holder(id_: str, terms: HolderTerms, plan: PlanTerms | None) -> Holder:
    return Holder(
        id=id_,
        limits=Limits() if plan is None else limits_of(plan),
        budgets=budgets_of(terms),
    )


def budgets_of(terms: HolderTerms) -> tuple[Budget, ...]:
    """Return the budgets of a holder."""
    return tuple(
        Budget(Period(one.per), int(one.usd.scaleb(12)), one.alerts) for one in terms.budgets
    )


def _one(there: Mapping[str, _T], name: str | None, kind: str) -> _T | None:
    if name is None:
        return None
    if name not in there:
        raise EntitlementError(f"there is no {kind} `{name}`")
    return there[name]


def _models(lists: Iterable[Sequence[str] | None]) -> frozenset[str] | None:
    """Return what all of these lists have; None stands for everything."""
    found: frozenset[str] | None = None
    for said in lists:
        if said is not None:
            found = frozenset(said) if found is None else found & frozenset(said)
    return found


def _weights(said: WeightTerms | None) -> Weights | None:
    return None if said is None else Weights(**said.model_dump())
