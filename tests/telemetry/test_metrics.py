"""The metrics page lists what the table describes, and the documentation shows that table."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.ledger.test_sqlite import ROW

from infway.kernel.money import PICO_PER_USD
from infway.telemetry.metrics import DESCRIPTIONS, Metrics

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"


@pytest.fixture
def metrics() -> Metrics:
    one = Metrics()
    attempt = ROW._replace(attempt=1, cost=2 * PICO_PER_USD)
    one.settled([attempt, ROW, attempt._replace(attempt=2, outcome="http_500", start_ms=None)])
    one.refused("model_not_found")
    one.queued("served", 3, 1.5)
    one.queued("timed_out", 4, 300.0)
    one.reloaded("ok")
    one.alerted("key", "day")
    one.watch_upstreams(lambda: {"up": True}, lambda: 1)
    one.watch_queue(lambda: {"at_ceiling": 2, "resting": 1})
    one.watch_store("redis", lambda: True)
    return one


def families(metrics: Metrics):
    text = metrics.page().decode()
    return {one.name: one for one in text_string_to_metric_families(text)}


def test_the_page_lists_exactly_the_described_metrics_and_labels(metrics: Metrics):
    found = families(metrics)
    assert set(found) == set(DESCRIPTIONS)
    for name, (text, labels) in DESCRIPTIONS.items():
        assert found[name].documentation == text
        seen = {label for sample in found[name].samples for label in sample.labels} - {"le"}
        assert seen == set(labels)


def test_numbers_are_those_of_the_rows(metrics: Metrics):
    values = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families(metrics).values()
        for sample in family.samples
    }
    assert values["infway_requests_total", "model", "ok"] == 1
    assert values["infway_attempts_total", "model", "ok", "up"] == 1
    assert values["infway_attempts_total", "http_500", "model", "up"] == 1
    assert values["infway_tokens_total", "model", "prompt", "up"] == 20
    assert values["infway_cost_usd_total", "model", "up"] == 4
    assert values["infway_first_token_seconds_count", "up"] == 1
    assert values["infway_attempt_seconds_count", "up"] == 2
    assert values["infway_errors_total", "model_not_found"] == 1
    assert values["infway_queue_waiting", "at_ceiling"] == 2
    assert values["infway_queue_stays_total", "timed_out"] == 1
    assert values["infway_queue_wait_seconds_sum",] == 1.5
    assert values["infway_queue_position_count",] == 2


def test_a_request_for_no_model_is_one_for_another():
    one = Metrics()
    one.settled([ROW._replace(model="")])
    (sample,) = families(one)["infway_requests"].samples
    assert sample.labels == {"model": "other", "outcome": "ok"}


def test_every_metric_is_in_the_documentation_as_described():
    lines = [line for line in DOCS.read_text().splitlines() if line.startswith("| `infway_")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    table = {name.strip("`"): (text, labels) for name, _, labels, text in cells}
    assert {
        name: (text, ", ".join(f"`{label}`" for label in labels) or "none")
        for name, (text, labels) in DESCRIPTIONS.items()
    } == table


def test_two_processes_keep_their_own_numbers():
    assert Metrics().registry is not Metrics().registry
