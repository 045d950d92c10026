"""The profile `replicas` of docker-compose.yml agrees with itself and with what infway really reads."""

import re
from typing import Any

import pytest
from tests.docker.test_compose import PROVIDER_KEYS, REPLICAS, ROOT, SERVICES

from infway.cli import ENVIRONMENT
from infway.settings import Settings, load

CONFIGURATION = ROOT / "docker/replicas.yaml"
SECRETS = {"INFWAY_PEPPER": "5b0e-c4f2-8a17-d96e-33b1-70fa-e28c", "POSTGRES_PASSWORD": "s3cret"}
NGINX = (ROOT / "docker/nginx.conf").read_text()


def environment(name: str) -> dict[str, str | None]:
    said: dict[str, str | None] = SERVICES[name]["environment"]
    return said


def settings(name: str, **more: str) -> Settings:
    """Read the configuration as a replica does, with the secrets of `.env`."""
    given: dict[str, Any] = {**SECRETS, **more}
    handed = {
        key: given.get(key) if value is None else value.replace("${POSTGRES_PASSWORD:-}", "s3cret")
        for key, value in environment(name).items()
    }
    return load(CONFIGURATION, {key: value for key, value in handed.items() if value is not None})


@pytest.mark.parametrize("name", REPLICAS)
def test_a_replica_shares_redis_postgres_and_the_pepper(name: str) -> None:
    said = settings(name)
    assert said.state.redis is not None
    assert said.state.redis.get_secret_value() == "redis://redis:6379/1"
    assert said.state.replicas == len(REPLICAS)
    assert said.store.url is not None
    assert said.store.url.get_secret_value() == "postgresql://infway:s3cret@postgres:5432/infway"
    assert said.accounts.pepper is not None
    assert said.server.host == "0.0.0.0"
    assert said.server.proxy_headers


def test_replicas_are_alike_but_each_has_its_own_volume() -> None:
    one, two = ({**SERVICES[name]} for name in REPLICAS)
    assert set(one.pop("volumes")) ^ set(two.pop("volumes")) == {
        f"{name}-data:/var/lib/infway" for name in REPLICAS
    }
    assert one == two


@pytest.mark.parametrize("name", REPLICAS)
def test_a_replica_gets_what_it_reads_and_no_secret_is_written_down(name: str) -> None:
    handed = environment(name)
    wanted = set(re.findall(r"\$\{([A-Z_]+)", CONFIGURATION.read_text()))
    assert wanted <= set(handed) <= set(ENVIRONMENT) | PROVIDER_KEYS | wanted
    assert set(handed) >= PROVIDER_KEYS
    secret = PROVIDER_KEYS | {"INFWAY_API_KEY", "INFWAY_PEPPER"}
    assert all(handed[one] is None for one in secret)
    assert environment("postgres")["POSTGRES_PASSWORD"] is None


def test_postgres_is_published_nowhere_and_on_a_network_without_a_way_out() -> None:
    assert "ports" not in SERVICES["postgres"]
    assert SERVICES["postgres"]["networks"] == ["inside"]


def test_nginx_knows_every_replica_and_answers_where_it_is_published() -> None:
    port = settings(REPLICAS[0]).server.port
    assert re.findall(r"^ +server ([\w-]+):(\d+)", NGINX, re.MULTILINE) == [
        (name, str(port)) for name in REPLICAS
    ]
    (listen,) = re.findall(r"listen (\d+);", NGINX)
    assert SERVICES["nginx"]["ports"][0].endswith(f":{listen}")
    assert set(SERVICES["nginx"]["depends_on"]) == set(REPLICAS)


def test_nginx_waits_as_long_for_running_answers_as_a_replica() -> None:
    assert SERVICES["nginx"]["stop_grace_period"] == SERVICES["replica-1"]["stop_grace_period"]
