"""The container files agree with one another and with what infway really reads."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from infway.cli import ENVIRONMENT
from infway.providers.vendors import VENDORS
from infway.settings import Settings, load
from infway.settings.surroundings import AWS

ROOT = Path(__file__).parents[2]
PLAIN = {"infway", "redis", "prometheus"}
REPLICAS = ("replica-1", "replica-2")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
INFWAY = SERVICES["infway"]
CONFIGURATION = ROOT / "docker/infway.yaml"
PROVIDER_KEYS = {
    name
    for vendor in VENDORS.values()
    for name in (*vendor.env, *vendor.region_env, *vendor.project_env)
} | set(AWS.values())
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(:-[^}]*)?\}")


def instructions(text: str) -> list[tuple[str, str]]:
    """Return a Dockerfile's instructions as (word, rest), continued lines joined."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.split("\n"))]


DOCKERFILE = instructions((ROOT / "Dockerfile").read_text())


def said(word: str) -> list[str]:
    return [rest for one, rest in DOCKERFILE if one == word]


def image_environment() -> dict[str, str]:
    return dict(re.findall(r"([A-Z_]+)=(\S+)", said("ENV")[-1]))


def settings(**environment: str) -> Settings:
    fixed = {name: value for name, value in INFWAY["environment"].items() if value is not None}
    return load(CONFIGURATION, fixed | environment)


def yaml_variables() -> dict[str, bool]:
    """Return the variables in the configuration, and whether each has a default."""
    return {name: bool(default) for name, default in _VARIABLE.findall(CONFIGURATION.read_text())}


def test_compose_starts_infway_redis_and_prometheus() -> None:
    assert {name for name, one in SERVICES.items() if "profiles" not in one} == PLAIN


def test_the_profile_replicas_adds_two_replicas_postgres_and_nginx() -> None:
    added = {name for name, one in SERVICES.items() if one.get("profiles") == ["replicas"]}
    assert added == {*REPLICAS, "postgres", "nginx"} == set(SERVICES) - PLAIN


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_locked_down(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_published_port_is_on_loopback_unless_told_otherwise(name: str) -> None:
    for port in SERVICES[name].get("ports", ()):
        assert port.startswith("${PUBLISH_ADDRESS:-127.0.0.1}:")


def test_redis_is_published_nowhere_and_on_a_network_without_a_way_out() -> None:
    assert "ports" not in SERVICES["redis"]
    assert SERVICES["redis"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("name", SERVICES)
def test_every_mounted_file_exists_and_every_named_volume_is_declared(name: str) -> None:
    for volume in SERVICES[name]["volumes"]:
        source, _, mode = volume.partition(":")
        if source.startswith("."):
            assert (ROOT / source).is_file()
            assert mode.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_starts_after_others_are_healthy(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        assert how == {"condition": "service_healthy"}
        is_ours = needed in ("infway", *REPLICAS)
        assert "healthcheck" in SERVICES[needed] or (is_ours and said("HEALTHCHECK"))


def test_one_port_runs_through_all_the_files() -> None:
    port = settings().server.port
    assert image_environment()["INFWAY_PORT"] == said("EXPOSE")[0] == str(port)
    assert [published.rpartition(":")[2] for published in INFWAY["ports"]] == [str(port)]


def test_infway_listens_on_every_address_of_its_container() -> None:
    assert settings().server.host == image_environment()["INFWAY_HOST"] == "0.0.0.0"


def test_every_variable_of_the_container_is_one_that_infway_reads() -> None:
    known = set(ENVIRONMENT) | PROVIDER_KEYS | set(yaml_variables())
    assert set(INFWAY["environment"]) <= known
    assert {name for name in image_environment() if name.startswith("INFWAY")} <= set(ENVIRONMENT)


def test_every_variable_of_the_configuration_reaches_the_container() -> None:
    handed = INFWAY["environment"]
    assert set(yaml_variables()) <= set(handed)
    assert all(handed[name] for name, default in yaml_variables().items() if not default)


def test_every_providers_key_is_handed_over_and_none_is_written_down() -> None:
    handed = INFWAY["environment"]
    assert set(handed) >= PROVIDER_KEYS
    assert all(handed[name] is None for name in PROVIDER_KEYS | {"INFWAY_API_KEY"})


def test_the_configuration_is_mounted_where_infway_looks_for_it() -> None:
    path = INFWAY["environment"]["INFWAY_CONFIG"]
    assert f"./docker/infway.yaml:{path}:ro" in INFWAY["volumes"]


def test_the_ledger_is_on_the_volume() -> None:
    folder = image_environment()["INFWAY_DATA_DIR"]
    assert json.loads(said("VOLUME")[0]) == [folder]
    assert f"infway-data:{folder}" in INFWAY["volumes"]
    assert settings().ledger.path is None


def test_without_any_key_the_simulated_upstreams_answer() -> None:
    assert settings().sandbox is True
    assert settings(INFWAY_SANDBOX="false").sandbox is False


def test_a_providers_key_in_the_environment_is_used() -> None:
    assert settings().discover.environment is True


def test_replicas_share_what_they_know_through_the_redis_of_compose() -> None:
    shared = settings().state.redis
    assert shared is not None
    assert shared.get_secret_value() == "redis://redis:6379/0"
    assert set(INFWAY["networks"]) & set(SERVICES["redis"]["networks"])


def test_prometheus_reads_the_metrics_of_infway() -> None:
    job, replicas = yaml.safe_load(_text("docker/prometheus.yml"))["scrape_configs"]
    assert replicas["dns_sd_configs"][0]["names"] == list(REPLICAS)
    assert job["metrics_path"] == "/metrics"
    assert job["static_configs"] == [{"targets": [f"infway:{settings().server.port}"]}]
    assert set(INFWAY["networks"]) & set(SERVICES["prometheus"]["networks"])


def test_compose_waits_longer_than_running_answers_may_take_to_end() -> None:
    assert int(INFWAY["stop_grace_period"].removesuffix("s")) > settings().server.drain


def test_the_image_runs_as_a_numbered_user_without_rights() -> None:
    assert said("USER") == ["10001:10001"]


def test_the_process_gets_signals_itself() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    (command,) = json.loads(said("ENTRYPOINT")[0])
    assert command in scripts
    assert said("STOPSIGNAL") == ["SIGTERM"]


@pytest.mark.parametrize("command", ["serve", "health"])
def test_the_commands_of_the_image_exist(command: str) -> None:
    spoken = [json.loads(said("CMD")[0]), json.loads(said("HEALTHCHECK")[0].split("CMD ")[1])[1:]]
    assert [command] in spoken
    subprocess.run([sys.executable, "-m", "infway", command, "--help"], check=True)


def test_only_files_that_the_locks_name_by_hash_are_installed() -> None:
    installs = [part for run in said("RUN") for part in run.split("&&") if " install " in part]
    for part in (part for part in installs if "pip" in part):
        locked = {"--require-hashes", "--only-binary", "--no-deps"}
        assert locked <= set(part.split()) or "--no-index" in part
    for lock in ("docker/build.txt", "requirements/google.txt", "requirements/postgres.txt"):
        pinned = re.findall(r"(?m)^[\w.-]+==.*\n(\s+--hash=sha256:[0-9a-f]{64})?", _text(lock))
        assert pinned
        assert all(pinned)


def _text(name: str) -> str:
    return (ROOT / name).read_text()


def test_what_the_image_copies_exists_and_reaches_the_build() -> None:
    allowed = [line[1:] for line in _text(".dockerignore").split("\n") if line.startswith("!")]
    copied = [name for rest in said("COPY") if "--from" not in rest for name in rest.split()[:-1]]
    assert sorted(copied) == sorted(allowed)
    assert all((ROOT / name).exists() for name in copied)


def test_hadolint_finds_nothing_and_is_told_to_overlook_nothing() -> None:
    assert "hadolint ignore" not in _text("Dockerfile")
    hadolint = Path(sys.executable).with_name("hadolint")
    subprocess.run([hadolint, "--no-color", ROOT / "Dockerfile"], check=True)
