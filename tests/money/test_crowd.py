"""A small crowd on a small budget; `python -m tests.money` has the large one."""

from pathlib import Path

from tests.money.crowd import COST, Size, crowd, scene
from tests.money.troubles import Locked


async def test_a_crowd_spends_a_budget_to_its_end_and_never_beyond(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    size = Size(2, 20, "0.10", calm=5.0)
    async with scene(size, path, tmp_path) as one:
        tally = await crowd(one, Locked(path, after=0.5, seconds=0.5, deaths=0))
    assert tally.served == tally.told[200]
    assert tally.spent == tally.served * COST
    assert 9 * 10**10 <= tally.spent <= 10**11
    assert tally.granted == 0
