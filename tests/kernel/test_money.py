"""Money is exact: whole numbers in, whole numbers out."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infway.kernel.money import PICO_PER_USD, credits_text, pico_of, price_per_token, usd, usd_text

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


@pytest.mark.parametrize(
    ("pico", "credit", "said"),
    [
        (0, 10**12, "0.000000"),
        (1, 10**12, "0.000001"),  # what is paid for never looks free
        (92_500_000, 10**12, "0.000093"),
        (93_000_000, 10**12, "0.000093"),
        (10**12, 10**12, "1.000000"),
        (1234 * 10**12 + 1, 10**12, "1234.000001"),
        (97_500_000, 10**10, "0.009750"),  # a cent each
        (10**12, 3 * 10**12, "0.333334"),
    ],
)
def test_credits_have_six_decimals_and_are_rounded_up(pico: int, credit: int, said: str):
    assert credits_text(pico, credit) == said


def test_an_amount_in_usd_is_as_much_in_units():
    assert pico_of(Decimal("0.000000000001")) == 1
    assert pico_of(Decimal(2)) == 2 * 10**12
