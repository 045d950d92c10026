"""Prices of the configuration, beside those of the packaged catalogue."""

from pathlib import Path

import pytest

from infway.inventory import build, packaged
from infway.kernel.events import Usage
from infway.kernel.prices import Prices
from infway.pipeline.cost import cost_of
from infway.pipeline.worst import dearest_input
from infway.settings import load

PRICES, QUALITY = packaged()
STEPPED = "id: mine, native: eu/gpt-5.4"  # the catalogue: 2.75 / 16.5, above 272,000 twice that


@pytest.fixture
def priced(tmp_path: Path):
    """Return the prices of one model of Azure's, as a row of the configuration has it."""

    def write(row: str, upstream: str = "vendor: azure, base_url: 'https://h', key: k") -> Prices:
        path = tmp_path / "infway.yaml"
        path.write_text(f"upstreams: [{{name: a, {upstream}, models: [{{{row}}}]}}]")
        (offer,) = build(load(path, {}), PRICES, QUALITY).offers
        return offer.prices

    return write


def test_without_a_price_in_the_file_all_steps_of_the_catalogue_hold(priced):
    prices = priced(STEPPED)
    assert prices.at(300_000)[:3] == (5_500_000, 24_750_000, 550_000)
    usage = Usage(300_000, 1_000, 301_000, cached=290_000)
    assert cost_of(usage, prices).total == 239_250_000_000


def test_both_prices_in_the_file_are_all_there_is_for_prompts_of_every_length(priced):
    prices = priced(f"{STEPPED}, input_price: 1, output_price: 4")
    assert prices == Prices(input=1_000_000, output=4_000_000)
    assert cost_of(Usage(300_000, 1_000, 301_000), prices).total == 304_000_000_000
    assert dearest_input(prices) == 1_000_000


def test_a_model_that_the_file_calls_free_bills_nothing(priced):
    usage = Usage(
        300_000, 9_000, 309_000, cached=200_000, cache_write=50_000, reasoning=5, audio_output=9
    )
    for row in (STEPPED, "id: gpt-audio", "id: eu/gpt-5.4", "id: gpt-4o"):
        free = cost_of(usage, priced(f"{row}, input_price: 0, output_price: 0"))
        assert (free.total, free.priced) == (0, True), row


def test_a_price_of_one_side_leaves_the_steps_of_the_other(priced):
    read = priced(f"{STEPPED}, input_price: 1")
    assert (read.input, read.cache_read, read.output) == (1_000_000, None, 16_500_000)
    assert read.at(300_000)[:3] == (1_000_000, 24_750_000, None)
    made = priced(f"{STEPPED}, output_price: 4")
    assert made[:3] == (2_750_000, 4_000_000, 275_000)
    assert made.at(300_000)[:3] == (5_500_000, 4_000_000, 550_000)


def test_a_price_of_cached_tokens_holds_for_prompts_of_every_length(priced):
    prices = priced(f"{STEPPED}, cache_read_price: 0.5")
    assert [step[:3] for step in prices.steps()] == [
        (2_750_000, 16_500_000, 500_000),
        (5_500_000, 24_750_000, 500_000),
    ]
    all_said = priced(f"{STEPPED}, input_price: 1, output_price: 4, cache_read_price: 0.5")
    assert all_said == Prices(input=1_000_000, output=4_000_000, cache_read=500_000)


def test_what_thinking_costs_goes_with_the_output(priced):
    prices = priced("id: qwen-plus-latest, output_price: 4", "vendor: dashscope, key: k")
    assert [step.reasoning for step in prices.steps()] == [None, None]
    assert priced("id: qwen-plus-latest", "vendor: dashscope, key: k").reasoning == 4_000_000


def test_a_local_server_that_has_a_price_gives_no_cached_tokens_away(priced):
    local = "vendor: vllm, base_url: 'http://h/v1'"
    prices = priced("id: own, input_price: 1, output_price: 2", local)
    assert cost_of(Usage(9, 1, 10, cached=9), prices).total == 11_000_000
    assert cost_of(Usage(9, 1, 10, cached=9), priced("id: own", local)).total == 0
