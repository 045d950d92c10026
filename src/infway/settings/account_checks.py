"""What a configuration says of who may spend, checked on plain values: names, periods, secrets.

The values may be of any shape: what is misshapen is reported elsewhere and passed over here.
"""

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from pydantic import TypeAdapter, ValidationError

from infway.settings.tree import Tree, Where, mapping, rows

Problem = tuple[Where, str]

_LEAST = 32  # characters of a secret that lets its holder see what is others'
_FEWEST = 8  # different letters of a secret that was drawn by chance
# What stands in examples of this and other gateways: whoever knows one of them would be let in
_KNOWN = (
    "change-me", "changeme", "change_me", "example", "placeholder", "password", "secret-key",
    "secretkey", "master-key", "masterkey", "admin-key", "adminkey", "your-", "your_", "sk-1234",
    "0123456789", "1234567890", "abcdefgh", "qwerty", "letmein", "insert",
)  # fmt: skip
_GUESSED = "is easily guessed: take one from `openssl rand -hex 32`"
_SECRETS = (("admin", "key"), ("accounts", "pepper"), ("alerts", "secret"))
_POSTGRES = ("postgresql://", "postgres://")
_switch = TypeAdapter(bool)


def account_problems(tree: Tree) -> Iterator[Problem]:
    """Find everything that is wrong with plans, projects, organisations and who looks after them."""
    yield from _names(tree)
    for section in ("organisations", "projects", "keys"):
        for index, row in rows(tree, section):
            yield from _periods(row, (section, index))
    yield from _secrets(tree)
    yield from _administrators(tree)
    yield from _stores(tree)


def closest(name: str, names: Collection[str]) -> str:
    """Return a hint at the most similar of `names`, empty where none is similar."""
    found = get_close_matches(name, names, 1, 0.7)
    return f"; did you mean `{found[0]}`?" if found else ""


def _names(tree: Tree) -> Iterator[Problem]:
    plans = set(mapping(tree, "plans"))
    named = {
        section: {str(row.get("name")) for _, row in rows(tree, section)}
        for section in ("projects", "organisations")
    }
    for section, field, known in (
        ("organisations", "plan", plans),
        ("projects", "plan", plans),
        ("keys", "plan", plans),
        ("projects", "organisation", named["organisations"]),
        ("keys", "project", named["projects"]),
    ):
        for index, row in rows(tree, section):
            name = row.get(field)
            if isinstance(name, str) and name not in known:
                yield (section, index, field), f"there is no {field} `{name}`{closest(name, known)}"


def _periods(row: Tree, where: Where) -> Iterator[Problem]:
    seen: set[object] = set()
    for index, budget in rows(row, "budgets"):
        period = budget.get("per", "month")
        if isinstance(period, str) and period in seen:
            yield (*where, "budgets", index), f"is another budget for each {period}"
        seen.add(str(period))


def _secrets(tree: Tree) -> Iterator[Problem]:
    admin, alerts = mapping(tree, "admin"), mapping(tree, "alerts")
    if admin.get("port") is not None and not admin.get("key"):
        yield ("admin",), "`port` needs `key`: the secret of the first admin key"
    if alerts.get("webhook") and not alerts.get("secret"):
        yield ("alerts", "webhook"), "needs `alerts.secret`: what messages are signed with"
    for section, field in _SECRETS:
        if _is_known(mapping(tree, section).get(field)):
            yield (section, field), _GUESSED
    server = mapping(tree, "server")
    if admin.get("port") is not None and str(admin["port"]) == str(server.get("port", 8080)):
        yield ("admin", "port"), "is that of callers, too: the admin API needs its own"


def _administrators(tree: Tree) -> Iterator[Problem]:
    """Find keys of callers with `admin: true` that do not keep others out."""
    for index, row in rows(tree, "keys"):
        secret = row.get("key")
        if not isinstance(secret, str) or not _is_on(row.get("admin")):
            continue
        if len(secret) < _LEAST:
            message = f"should be at least {_LEAST} characters long, as it has `admin: true`"
            yield ("keys", index, "key"), message
        elif _is_known(secret):
            yield ("keys", index, "key"), _GUESSED


def _is_on(switch: object) -> bool:
    """Tell whether a switch is on; a variable may have said so in any word that the settings take."""
    try:
        return _switch.validate_python(switch)
    except ValidationError:
        return False


def _is_known(secret: object) -> bool:
    if not isinstance(secret, str):
        return False
    said = secret.lower()
    return len(set(secret)) < _FEWEST or any(known in said for known in _KNOWN)


def _stores(tree: Tree) -> Iterator[Problem]:
    url = mapping(tree, "store").get("url")
    if not isinstance(url, str):
        return
    if not url.startswith(_POSTGRES):
        yield ("store", "url"), "should be a postgresql:// URL"
    if not mapping(tree, "accounts").get("pepper"):
        message = "needs `accounts.pepper`: whoever shares the database makes the same digests"
        yield ("store", "url"), message
