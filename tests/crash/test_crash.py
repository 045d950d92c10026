"""Figure N1 and rows 67 and 68 in their short form; the long one is `python -m tests.crash`."""

import pytest
from bench.postgres import NoPostgresError
from tests.crash.cycles import run


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_what_is_killed_under_load_has_every_attempt_settled_once(kind: str):
    try:
        found = await run(kind, cycles=3, callers=8, seed=3)
    except NoPostgresError as error:
        pytest.skip(str(error))
    assert found.verdict.is_good, found.verdict.told()
    assert found.verdict.interrupted  # something was under way
    assert found.exit_code == 0
