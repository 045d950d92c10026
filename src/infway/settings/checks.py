"""What one part of a configuration says about another, checked on plain values.

The values may be of any shape: what is misshapen is reported elsewhere and passed over here.
"""

from collections.abc import Iterator

from infway.providers.vendors import VENDORS, Vendor
from infway.settings.account_checks import account_problems, closest
from infway.settings.tree import Tree, Where, is_list, is_mapping, mapping, rows, texts

Problem = tuple[Where, str]

POLICIES = frozenset({"auto", "fast", "cheap", "best"})  # the ones that come with infway
SANDBOX = ("sandbox-swift", "sandbox-thrifty", "sandbox-shaky")
SANDBOX_MODEL = "sandbox-chat"


def problems(tree: Tree) -> Iterator[Problem]:
    """Find everything that is wrong between the parts of a configuration."""
    yield from _twice(tree, "keys", "name")
    yield from _twice(tree, "keys", "key")
    for section in ("upstreams", "projects", "organisations"):
        yield from _twice(tree, section, "name")
    yield from account_problems(tree)
    for index, row in rows(tree, "upstreams"):
        yield from _upstream(row, ("upstreams", index))
    yield from _upstream_names(tree)
    yield from _model_names(tree)
    yield from _half_lives(tree)


def vendor_of(row: Tree) -> Vendor | None:
    """Return the vendor an upstream names, None where there is no such vendor."""
    name = row.get("vendor")
    return VENDORS.get(name) if isinstance(name, str) else None


def discovers(tree: Tree) -> bool:
    """Tell whether upstreams may be found that are not in the file."""
    said = mapping(tree, "discover")
    default = not tree.get("upstreams")
    return any(said.get(name, default) is not False for name in ("environment", "local"))


def _twice(tree: Tree, section: str, field: str) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, row in rows(tree, section):
        value = row.get(field)
        if isinstance(value, str):
            first = seen.setdefault(value, index)
            if first != index:
                yield (section, index, field), f"is the same as that of {section}[{first}]"


def _upstream(row: Tree, where: Where) -> Iterator[Problem]:
    vendor = vendor_of(row)
    if vendor is None:
        name = row.get("vendor")
        if isinstance(name, str):
            yield (*where, "vendor"), f"there is no vendor `{name}`{closest(name, set(VENDORS))}"
        return
    if vendor.base_url is None and not row.get("base_url"):
        yield (*where, "base_url"), f"is required for the vendor `{vendor.name}`"
    yield from _payment(row, vendor, where)
    listed = row.get("models", "all")
    if listed in (None, "all") and (vendor.own_names or vendor.catalogue is None):
        yield (*where, "models"), f"is required: there is no list for the vendor `{vendor.name}`"
    ids: set[str] = set()
    for index, model in enumerate(_models(row)):
        if model in ids:
            yield (*where, "models", index), "is here a second time"
        ids.add(model)


def _payment(row: Tree, vendor: Vendor, where: Where) -> Iterator[Problem]:
    if vendor.env and not row.get("key") and not row.get("aws"):
        keys = ", or give the keys of an account as `aws`" if vendor.cloud == "aws" else ""
        yield (*where, "key"), f"is required: give it, or set {' or '.join(vendor.env)}{keys}"
    base = row.get("base_url") or vendor.base_url
    if isinstance(base, str) and "{project}" in base and not row.get("project"):
        said = " or ".join(vendor.project_env)
        yield (*where, "project"), f"is required: give it, or set {said}"


def _models(row: Tree) -> list[str]:
    listed = row.get("models")
    found = [
        model.get("id") if is_mapping(model) else model
        for model in (listed if is_list(listed) else [])
    ]
    return [name if isinstance(name, str) else f"#{index}" for index, name in enumerate(found)]


def _upstream_names(tree: Tree) -> Iterator[Problem]:
    known = {str(row.get("name")) for _, row in rows(tree, "upstreams")}
    known.update(SANDBOX if tree.get("sandbox") is True else ())
    known.update(VENDORS if discovers(tree) else ())
    for index, row in rows(tree, "keys"):
        for place, name in texts(row, "upstreams"):
            if name not in known:
                where = ("keys", index, "upstreams", place)
                yield where, f"there is no upstream `{name}`{closest(name, known)}"


def _model_names(tree: Tree) -> Iterator[Problem]:
    aliases, policies = mapping(tree, "aliases"), mapping(tree, "policies")
    models = _known_models(tree)
    for name in aliases:
        if name in models or name in policies:
            yield ("aliases", name), "is already the name of a model or a policy"
    if models and not _open(tree):
        known = models | set(policies) | POLICIES
        yield from _missing(_uses(tree, aliases, policies), known | set(aliases))


def _open(tree: Tree) -> bool:
    every = any(row.get("models", "all") in (None, "all") for _, row in rows(tree, "upstreams"))
    return every or discovers(tree)


def _known_models(tree: Tree) -> set[str]:
    known: set[str] = set()
    for _, row in rows(tree, "upstreams"):
        for model in _models(row):
            known |= {model, f"{row.get('name')}/{model}", f"{row.get('vendor')}/{model}"}
    if tree.get("sandbox") is True:
        known |= {SANDBOX_MODEL} | {f"{name}/{SANDBOX_MODEL}" for name in ("sandbox", *SANDBOX)}
    return known


def _uses(tree: Tree, aliases: Tree, policies: Tree) -> Iterator[tuple[Where, object]]:
    for name, target in aliases.items():
        yield ("aliases", name), target
    lists: list[tuple[Where, Tree]] = [
        (("policies", name), mapping(policies, name)) for name in policies
    ]
    plans = mapping(tree, "plans")
    lists += [(("plans", name), mapping(plans, name)) for name in plans]
    lists += [(("keys", index), row) for index, row in rows(tree, "keys")]
    for where, row in lists:
        for index, name in texts(row, "models"):
            yield (*where, "models", index), name


def _missing(uses: Iterator[tuple[Where, object]], known: set[str]) -> Iterator[Problem]:
    for where, name in uses:
        if isinstance(name, str) and name not in known and name.rpartition(":")[0] not in known:
            yield where, f"there is no model `{name}`{closest(name, known)}"


def _half_lives(tree: Tree) -> Iterator[Problem]:
    routing = mapping(tree, "routing")
    short, long = routing.get("short_half_life", 30.0), routing.get("long_half_life", 300.0)
    if isinstance(short, int | float) and isinstance(long, int | float) and short >= long:
        yield ("routing",), "`short_half_life` should be shorter than `long_half_life`"
