"""Figure N1 and rows 67 and 68 in their short form; the long one is `python -m tests.crash`."""

import pytest
from bench.postgres import NoPostgresError
from tests.crash.cycles import SETTLED_IN, Found, run
from tests.crash.reconcile import Verdict


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_what_is_killed_under_load_has_every_attempt_settled_once(kind: str):
    try:
        found = await run(kind, cycles=3, callers=8, seed=3)
    except NoPostgresError as error:
        pytest.skip(str(error))
    assert found.verdict.is_good, found.verdict.told()
    assert found.verdict.interrupted  # something was under way
    assert found.exit_code == 0


@pytest.mark.parametrize(
    ("kills", "requests", "said"),
    [
        (1000, 500_000, "All of it holds, and it is figure N1: 1,000 kills, 500,000 requests."),
        (1000, 499_000, "It holds, but it is not figure N1: 499 of 500 requests per kill."),
        (40, 20_000, "It holds, but it is not figure N1: 40 of 1,000 kills."),
    ],
)
def test_a_run_that_is_too_short_is_no_figure(kills: int, requests: int, said: str):
    found = Found(Verdict(requests=requests), [SETTLED_IN] * kills)
    assert found.is_good
    assert found.told(1000) == said


@pytest.mark.parametrize(
    "wrong",
    [
        Found(Verdict(lost=["one"]), [1.0]),
        Found(Verdict(), [SETTLED_IN + 0.1]),
        Found(Verdict(), [1.0], exit_code=1),
    ],
)
def test_what_is_wrong_is_told_however_long_it_was(wrong: Found):
    assert not wrong.is_good
    assert wrong.told(1) == "WRONG"
