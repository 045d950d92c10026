"""Money is exact: whole numbers in, whole numbers out."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from infway.kernel.money import PICO_PER_USD, price_per_token, usd, usd_text

AMOUNTS = st.integers(0, 10**24)


def test_a_price_per_million_is_a_whole_number_per_token():
    assert price_per_token(Decimal(1)) == 1_000_000
    assert price_per_token(Decimal("0.075")) == 75_000
    assert price_per_token(Decimal("0.0000005")) == 0  # half a unit: to the even neighbour
    assert price_per_token(Decimal("0.0000015")) == 2
    assert price_per_token(Decimal(150)) == 150_000_000


@given(AMOUNTS)
def test_an_amount_comes_back_from_its_text_unchanged(pico: int):
    text = usd_text(pico)
    assert "e" not in text.lower()
    assert Decimal(text) * PICO_PER_USD == pico == usd(pico) * PICO_PER_USD


def test_text_has_no_needless_zeros():
    assert usd_text(0) == "0"
    assert usd_text(PICO_PER_USD) == "1"
    assert usd_text(10 * PICO_PER_USD) == "10"
    assert usd_text(1) == "0.000000000001"
    assert usd_text(1_500_000, 6) == "0.000002"
    assert usd_text(100 * PICO_PER_USD, 0) == "100"


@given(st.lists(AMOUNTS, max_size=30))
def test_sums_of_amounts_lose_nothing(amounts: list[int]):
    assert sum(map(usd, amounts), Decimal(0)) * PICO_PER_USD == sum(amounts)
