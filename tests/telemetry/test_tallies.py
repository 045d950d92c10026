"""Several processes count as one: nothing is lost with a worker that dies, no number goes back."""

import fcntl
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.ledger.test_sqlite import ROW

from infway.telemetry.metrics import Metrics
from infway.telemetry.tallies import Tallies

# A worker that counts until it is told to stop, and says each number after it has counted it.
WORKER = """
import sys
from pathlib import Path
from infway.telemetry.tallies import Tallies
tallies = Tallies(Path(sys.argv[1]))
for number in range(10**9):
    tallies.add(("n", str(number % 5000)), 1.0)
    if number % 1000 == 999:
        print(number + 1, flush=True)
"""


def number(page: bytes, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(page.decode())
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def test_whoever_is_asked_shows_the_sum_of_all(tmp_path: Path):
    one, two = Metrics(Tallies(tmp_path)), Metrics(Tallies(tmp_path))
    attempt = ROW._replace(attempt=1, start_ms=200)
    one.settled([attempt, ROW, attempt._replace(upstream="only at one")])
    two.settled([attempt, ROW])
    for page in (one.page(), two.page()):
        assert number(page, "infway_requests_total", outcome="ok") == 2
        assert number(page, "infway_attempts_total", upstream="up") == 2
        assert number(page, "infway_attempts_total", upstream="only at one") == 1
        assert number(page, "infway_first_token_seconds_bucket", upstream="up", le="0.1") == 0
        assert number(page, "infway_first_token_seconds_bucket", upstream="up", le="0.25") == 2
        assert number(page, "infway_first_token_seconds_count", upstream="up") == 2
        assert number(page, "infway_first_token_seconds_sum", upstream="up") == pytest.approx(0.4)


def test_what_is_so_at_the_moment_is_the_sum_or_the_most_of_those_that_live(tmp_path: Path):
    one, two = Metrics(Tallies(tmp_path)), Metrics(Tallies(tmp_path))
    for metrics, lag in ((one, 0.1), (two, 0.3)):
        metrics.waiting_requests.watch(lambda: 4)
        metrics.watch_process(lambda lag=lag: lag, lambda: 0.5, lambda: 0.1)
    two.page()  # and so tells the others
    assert number(one.page(), "infway_waiting_requests") == 8
    assert number(one.page(), "infway_loop_lag_seconds") == 0.3
    fcntl.flock(two._tallies._file, fcntl.LOCK_UN)  # as the kernel does for who dies
    assert number(one.page(), "infway_waiting_requests") == 4
    assert number(one.page(), "infway_loop_lag_seconds") == 0.1


def test_a_worker_that_is_killed_leaves_every_number_and_the_next_one_goes_on_with_it(
    tmp_path: Path,
):
    reader = Tallies(tmp_path)
    counted = 0
    for _ in range(3):
        command = [sys.executable, "-c", WORKER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            said = 0
            while said < 7000:
                said = int(worker.stdout.readline())
                (theirs,) = reader.others()
                assert sum(theirs.numbers.values()) >= counted + said
                assert theirs.lives
            worker.send_signal(signal.SIGKILL)
        (theirs,) = reader.others()
        assert not theirs.lives
        assert len(theirs.numbers) == 5000  # far more than there was room for at first
        counted = int(sum(theirs.numbers.values()))
    assert len(list(tmp_path.iterdir())) == 2


def test_one_process_alone_writes_no_file_and_counts_as_many_things(tmp_path: Path):
    alone = Tallies()
    for name in range(20_000):
        alone.add(("n", str(name), "\0ü"), 2.0)
    assert set(alone.own().values()) == {2.0}
    assert len(alone.own()) == 20_000
    assert list(alone.others()) == []


def test_no_number_of_names_fills_the_memory():
    one = Metrics(Tallies(most=40))
    for place in range(100):
        one.settled([ROW._replace(attempt=place % 2, model=f"m{place}", upstream=f"u{place}")])
    page = one.page()
    assert number(page, "infway_requests_total") == 50
    assert number(page, "infway_attempts_total") == 50
    assert number(page, "infway_requests_total", model="m0") == 1
    assert number(page, "infway_requests_total", model="m98") == 0
    assert number(page, "infway_requests_total", model="other", outcome="other") > 30
    assert number(page, "infway_attempt_seconds_bucket", upstream="other", le="+Inf") > 30
    assert len([line for line in page.splitlines() if b"other" in line]) < 60
    one.reloaded("ok")
    assert number(one.page(), "infway_reloads_total", outcome="other") == 1
