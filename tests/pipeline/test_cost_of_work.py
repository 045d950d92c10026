"""What work that is no chat costs, exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infway.kernel.chat import Prices
from infway.kernel.events import Units, Usage
from infway.pipeline.cost import Cost, cost_of

SEARCHED = Usage(10, 0, 10, units=Units(queries=3))
DRAWN = Usage(60, 1000, 1060, units=Units(images=1, image_input=40, image_output=900))
SPOKEN = Usage(4, 0, 4, estimated=True, units=Units(characters=11, milliseconds=733))
COUNTED = Usage(4, 100, 104, audio_output=100, units=Units())
HEARD = Usage(30, 0, 30, audio_input=30, estimated=True, units=Units(milliseconds=1234))


@pytest.mark.parametrize(
    ("usage", "prices", "cost"),
    [
        (SEARCHED, Prices(query=7), Cost(21)),
        (SEARCHED, Prices(input=5), Cost(50)),
        (SEARCHED, Prices(input=5, query=7), Cost(50)),  # tokens that were counted come first
        (SEARCHED._replace(estimated=True), Prices(input=5, query=7), Cost(21)),
        (DRAWN, Prices(input=5, image_input=8, image_output=30, output=2),
         Cost(20 * 5 + 40 * 8, completion=900 * 30 + 100 * 2)),
        (DRAWN, Prices(input=5, image_output=30), Cost(priced=False)),  # texts have no price
        (DRAWN, Prices(input=5, image_output=30, image=9), Cost(9)),
        (DRAWN._replace(cached=25), Prices(input=5, cache_read=1, output=2),
         Cost(25 + 35 * 5, completion=2000)),
        (SPOKEN, Prices(character=15), Cost(165)),
        (SPOKEN, Prices(second=1000), Cost(733)),
        (SPOKEN, Prices(second=1), Cost(1)),  # 0.733 is nearer to one
        (SPOKEN, Prices(input=3), Cost(12)),
        (SPOKEN, Prices(), Cost(priced=False)),
        (COUNTED, Prices(input=6, output=10, audio_output=12), Cost(24, completion=1200)),
        (HEARD, Prices(input=2, audio_input=6), Cost(180)),
        (HEARD, Prices(input=2, audio_input=6, second=100), Cost(123)),
        (Usage(0, 0, 0, units=Units()), Prices(), Cost()),
        (Usage(0, 0, 0, units=Units(images=1)), Prices(input=1, output=1), Cost(priced=False)),
        (SEARCHED, Prices(input=5, long_from=9, longer=Prices(input=8)), Cost(80)),
    ],
)  # fmt: skip
def test_the_first_measure_that_counts_and_has_a_price_is_paid(
    usage: Usage, prices: Prices, cost: Cost
) -> None:
    assert cost_of(usage, prices) == cost


counts = st.integers(0, 10**9)
price = st.none() | st.integers(0, 10**13)
flat = st.builds(Prices, *[price] * 8, longer=st.none(), image_input=price, image_output=price,
                 query=price, image=price, character=price, second=price, audio_cache_read=price,
                 tiers=st.just(()))  # fmt: skip


@given(st.builds(Usage, counts, counts, counts, counts, estimated=st.booleans(), audio_input=counts,
                 audio_output=counts, units=st.builds(Units, *[counts] * 6), tier=st.sampled_from(["", "flex"])),
       st.builds(Prices, *[price] * 8, long_from=price, longer=st.none() | flat,
                 image_input=price, image_output=price, query=price,
                 image=price, character=price, second=price, audio_cache_read=price,
                 tiers=st.just(()) | st.tuples(st.tuples(st.just("flex"), flat))))  # fmt: skip
def test_no_cost_is_negative_and_only_what_has_a_price_is_priced(
    usage: Usage, prices: Prices
) -> None:
    cost = cost_of(usage, prices)
    assert cost.total >= 0
    assert cost.priced or cost.total == 0
