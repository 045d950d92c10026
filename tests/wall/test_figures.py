"""The figures of reliability in their short form; the long one is `python -m tests.wall.figures`."""

import pytest
from tests.wall.figures import brownout, dead, outage
from tests.wall.figures.dead import WAYS


@pytest.mark.parametrize("way", WAYS)
async def test_nobody_notices_that_the_favourite_of_three_is_dead(way: str) -> None:
    # what is refused rests for seconds, in which a busy machine asks for less
    found = await dead.measure(way, 360 if way == "429" else 120)
    assert found.faults == {}
    assert found.sick >= 5  # it was tried, and then left alone
    assert found.late <= 1.1


async def test_load_does_not_multiply_where_every_upstream_fails() -> None:
    found = await outage.measure(4.0, after=5.5)
    assert found.amplification <= 1.25  # at the beginning every breaker has to be opened first
    assert found.first <= 5.0


async def test_callers_of_a_slow_upstream_are_served_elsewhere() -> None:
    # a third of them would go there, if nothing were learned
    assert await brownout.share(0.05, requests=200, settling=300) <= 0.1
