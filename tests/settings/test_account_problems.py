"""What is wrong with plans, projects, organisations and the secrets of administrators."""

import pytest
import yaml

from infway.settings import load

GOOD = "Zk3v9QpL7xT2mN8wR4bY6cJ1hG5dF0sA"

WRONG: dict[str, tuple[str, str]] = {
    "a plan that is not there": (
        "plans: {starter: {}}\nkeys: [{name: a, key: 0123456789abcdefg, plan: startr}]",
        "2:42: keys[0].plan: there is no plan `startr`; did you mean `starter`?",
    ),
    "a project's plan": (
        "projects: [{name: p, plan: x}]",
        "1:22: projects[0].plan: there is no plan `x`",
    ),
    "a project that is not there": (
        "keys: [{name: a, key: 0123456789abcdefg, project: p}]",
        "1:42: keys[0].project: there is no project `p`",
    ),
    "an organisation that is not there": (
        "projects: [{name: p, organisation: o}]",
        "1:22: projects[0].organisation: there is no organisation `o`",
    ),
    "an organisation twice": (
        "organisations: [{name: o}, {name: o}]",
        "1:29: organisations[1].name: is the same as that of organisations[0]",
    ),
    "two budgets for one time": (
        "organisations: [{name: o, budgets: [{usd: 1}, {usd: 2, per: month}]}]",
        "1:47: organisations[0].budgets[1]: is another budget for each month",
    ),
    "a budget below nothing": (
        "projects: [{name: p, budgets: [{usd: -1}]}]",
        "1:33: projects[0].budgets[0].usd: should be greater than or equal to 0",
    ),
    "a name that is none": (
        "projects: [{name: 'a b'}]",
        "1:13: projects[0].name: should be letters, digits, `.`, `_`, `@` and `-`, the first a letter or a digit",
    ),
    "a plan with a model that is not there": (
        "upstreams: [{name: a, vendor: ollama, models: [xyz]}]\nplans: {p: {models: [xyy]}}",
        "2:22: plans.p.models[0]: there is no model `xyy`",
    ),
    "an admin API without a key": (
        "admin: {port: 8081}",
        "1:1: admin: `port` needs `key`: the secret of the first admin key",
    ),
    "a short admin key": (
        "admin: {key: Zk3v9QpL7xT2mN8wR4bY6cJ1hG5dF0s}",
        "1:9: admin.key: should be at least 32 characters long",
    ),
    "the admin API at the callers' port": (
        f"server: {{port: 9000}}\nadmin: {{port: 9000, key: {GOOD}}}",
        "2:9: admin.port: is that of callers, too: the admin API needs its own",
    ),
    "a pepper that everybody knows": (
        "accounts: {pepper: change-me-this-is-the-example-of-a-pepper}",
        "1:12: accounts.pepper: is easily guessed: take one from `openssl rand -hex 32`",
    ),
    "a database for all without a pepper for all": (
        "store: {url: postgresql://a@b/c}",
        "1:9: store.url: needs `accounts.pepper`: whoever shares the database makes the same digests",
    ),
    "another database": (
        f"store: {{url: mysql://a}}\naccounts: {{pepper: {GOOD}}}",
        "1:9: store.url: should be a postgresql:// URL",
    ),
    "a refresh that would let a revoked key go on": (
        "accounts: {refresh: 5}",
        "1:12: accounts.refresh: should be less than or equal to 4",
    ),
    "a switch for a limit, which Python takes for 1": (
        "plans: {a: {requests_per_minute: true}}",
        "1:13: plans.a.requests_per_minute: should be a number, not true or false",
    ),
    "a webhook that is no address": (
        "alerts: {webhook: mailto:x}",
        "1:10: alerts.webhook: should be an http:// or https:// URL",
    ),
    "a webhook whose messages anybody could have sent": (
        "alerts: {webhook: 'https://a.b/c'}",
        "1:10: alerts.webhook: needs `alerts.secret`: what messages are signed with",
    ),
    "a webhook with a short secret": (
        "alerts: {webhook: 'https://a.b/c', secret: Zk3v9QpL7xT2mN8}",
        "1:36: alerts.secret: should be at least 16 characters long",
    ),
    "a webhook with a secret that everybody knows": (
        "alerts: {webhook: 'https://a.b/c', secret: change-me-please-now}",
        "1:36: alerts.secret: is easily guessed: take one from `openssl rand -hex 32`",
    ),
    "a short key of a caller who sees what is others'": (
        "keys: [{name: a, key: Zk3v9QpL7xT2mN8wR4bY6cJ1hG5dF0s, admin: true}]",
        "1:18: keys[0].key: should be at least 32 characters long, as it has `admin: true`",
    ),
    "a key that everybody knows of a caller who sees what is others'": (
        "keys: [{name: a, key: change-me-this-is-only-an-example, admin: true}]",
        "1:18: keys[0].key: is easily guessed: take one from `openssl rand -hex 32`",
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_problem_names_its_place_and_what_is_wrong(problems, text, message):
    assert problems(text) == [message]


@pytest.mark.parametrize(
    "secret",
    [
        "0" * 32,
        "abababab" * 8,
        "sk-1234" + "x9Kq" * 8,
        "my-master-key-which-is-very-long-indeed",
        "change-me-this-is-only-an-example-of-one",
        "Password" * 5,
        "12345678901234567890123456789012",
    ],
)
def test_nothing_starts_with_a_secret_that_is_easily_guessed(problems, secret):
    (said,) = problems(f"admin: {{port: 8081, key: '{secret}'}}")
    assert said.endswith("admin.key: is easily guessed: take one from `openssl rand -hex 32`")
    assert secret not in said


@pytest.mark.parametrize("word", ["true", "True", "yes", "on", "1"])
def test_whatever_word_makes_an_administrator_needs_a_good_key(problems, configure, word):
    text = "keys: [{name: a, key: '%s', admin: '${WHETHER}'}]"
    (said,) = problems(text % "short-of-32-characters", {"WHETHER": word})
    assert "keys[0].key: should be at least 32 characters long" in said
    assert configure(text % GOOD, {"WHETHER": word}).keys[0].admin
    assert not configure(text % "short-of-32-characters", {"WHETHER": "no"}).keys[0].admin


def test_what_was_drawn_by_chance_is_good(configure):
    for secret in (GOOD, "3f9a0c7be1d24856aa0b9c8d7e6f5041", "correct horse battery staple gun"):
        assert configure(f"admin: {{port: 8081, key: '{secret}'}}").admin.port == 8081


def test_a_whole_account_is_read(configure):
    found = configure(
        f"""\
plans: {{pro: {{requests_per_minute: 500, models: null}}}}
organisations: [{{name: acme, plan: pro, budgets: [{{usd: 10.5, per: day}}, {{usd: 99}}]}}]
projects: [{{name: chat, organisation: acme}}]
keys: [{{name: a, key: 0123456789abcdefg, project: chat, tags: [x], unpriced: [m]}}]
store: {{url: postgresql://infway@db/infway}}
accounts: {{pepper: {GOOD}}}
"""
    )
    assert [str(one.usd) for one in found.organisations[0].budgets] == ["10.5", "99"]
    assert found.organisations[0].budgets[1].per == "month"
    assert found.keys[0].project == "chat"


def test_the_example_has_the_plans_of_the_services_that_it_follows():
    from tests.settings.test_models import EXAMPLE

    plans = load(EXAMPLE, {}).plans
    said = {name: plan.model_dump(exclude_defaults=True) for name, plan in plans.items()}
    assert said["free"] | {"models": None} == {
        "requests_per_minute": 20, "tokens_per_minute": 10_000, "models": None,
    }  # fmt: skip
    assert said["starter"] == {"requests_per_minute": 100, "tokens_per_minute": 100_000}
    assert said["pro"] == {"requests_per_minute": 500, "tokens_per_minute": 500_000}
    assert list(said["infuzu"].values()) == [100, 500, 1500, 10_000, 50_000, 150_000]
    assert said["infinityblue"] == {"requests_per_minute": 60, "tokens_per_minute": 500_000}
    assert said["infron"] == {"requests_per_minute": 600, "concurrent_requests": 30}
    assert "pro" in yaml.safe_load(EXAMPLE.read_text())["plans"]
