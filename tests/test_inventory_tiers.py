"""Prices of service tiers and of pictures: the packaged ones, those of the configuration, exactly."""

from pathlib import Path

import pytest

from infway.inventory import build, packaged
from infway.kernel.events import Usage
from infway.kernel.prices import Prices, tier_of
from infway.pipeline.cost import cost_of
from infway.providers.gemini.usage import usage_of
from infway.settings import load

PRICES, QUALITY = packaged()


def packaged_prices(vendor: str, model: str) -> Prices:
    facts = PRICES.facts(vendor, model)
    assert facts is not None
    return facts.prices


@pytest.fixture
def priced(tmp_path: Path):
    """Return the prices of one model of OpenAI's, as a row of the configuration has it."""

    def write(row: str) -> Prices:
        path = tmp_path / "infway.yaml"
        path.write_text(f"upstreams: [{{name: a, vendor: openai, key: k, models: [{{{row}}}]}}]")
        (offer,) = build(load(path, {}), PRICES, QUALITY).offers
        return offer.prices

    return write


def test_an_answer_of_openai_at_priority_costs_the_prices_of_priority():
    usage = Usage(1000, 200, 1200, cached=400, tier="priority")
    prices = packaged_prices("openai", "gpt-5.4")  # 2.5, 15, cached 0.25; here 5, 30, 0.5
    assert cost_of(usage, prices).total == 600 * 5_000_000 + 400 * 500_000 + 200 * 30_000_000
    assert cost_of(usage._replace(tier=""), prices).total == 4_600_000_000
    assert cost_of(usage._replace(tier="default"), prices).total == 4_600_000_000


def test_an_answer_of_openai_at_flex_costs_half():
    usage = Usage(1000, 100, 1100, tier="flex")
    assert cost_of(usage, packaged_prices("openai", "gpt-5")).total == 1_125_000_000


def test_a_long_prompt_at_a_tier_costs_the_tiers_price_of_long_prompts():
    sol = packaged_prices("openai", "gpt-5.6-sol")  # at priority 8 and 40, above 272,000 16 and 60
    usage = Usage(300_000, 1_000, 301_000, cached=100_000, tier="priority")
    assert cost_of(usage, sol).total == 200_000 * 16_000_000 + 100_000 * 1_600_000 + 60_000_000_000
    short = usage._replace(prompt=272_000)
    assert cost_of(short, sol).total == 172_000 * 8_000_000 + 100_000 * 800_000 + 40_000_000_000


def test_a_long_prompt_at_a_tier_that_knows_no_price_of_it_costs_more_in_proportion():
    prices = packaged_prices("openai", "gpt-5.4").of("priority").at(300_000)
    assert prices[:3] == (10_000_000, 45_000_000, 1_000_000)  # twice 5, one and a half times 30


def test_a_part_that_a_tier_does_not_tell_is_never_cheaper_than_usual():
    usual = Prices(input=10, output=100, cache_read=1, audio_input=30, image_output=1000)
    dear = tier_of(usual, {0: {"input": 18, "output": 150, "cache_read": 3}})
    assert dear == Prices(18, 150, 3, audio_input=54, image_output=1500)
    cheap = tier_of(usual, {0: {"input": 5, "output": 50}})
    assert cheap == Prices(5, 50, 1, audio_input=30, image_output=1000)
    assert tier_of(usual, {}) == usual


def test_every_packaged_tier_has_a_price_of_all_that_has_one():
    seen: set[str] = set()
    for vendor in PRICES.providers:
        for facts in PRICES.models(vendor):
            usual = facts.prices
            for name, tier in usual.tiers:
                seen.add(name)
                assert tier.tiers == ()
                for held, band in zip(tier.steps(), usual.steps(), strict=True):
                    assert held.long_from == band.long_from
                    for field in ("input", "output", "cache_read", "image_output"):
                        known = getattr(band, field) is not None
                        assert not known or getattr(held, field) is not None, (vendor, facts.id)
    assert seen == {"priority", "flex", "batch", "ultrafast"}


def test_the_pictures_of_a_gemini_chat_cost_what_pictures_cost():
    prices = packaged_prices("databricks", "databricks-gemini-3-pro-image")
    said = {
        "promptTokenCount": 10, "candidatesTokenCount": 1400, "thoughtsTokenCount": 100,
        "totalTokenCount": 1510,
        "candidatesTokensDetails": [
            {"modality": "TEXT", "tokenCount": 280}, {"modality": "IMAGE", "tokenCount": 1120},
        ],
    }  # fmt: skip
    usage = usage_of(said)
    assert usage is not None
    assert (usage.completion, usage.image_output, usage.reasoning) == (1500, 1120, 100)
    drawn, text = 1120 * 150_000_200, 380 * 15_000_020
    assert cost_of(usage, prices).total == 10 * 2_499_980 + drawn + text == 173_725_231_400


def test_a_mix_of_cached_tokens_and_pictures_is_billed_once():
    prices = Prices(input=10, output=100, cache_read=1, image_input=30, image_output=1000)
    usage = Usage(100, 20, 120, cached=40, image_input=50, image_output=15, reasoning=3)
    cost = cost_of(usage, prices)
    assert cost[:4] == (10 * 10 + 50 * 30, 40, 0, 2 * 100 + 15 * 1000 + 3 * 100)
    more = usage._replace(image_input=90)  # of 90 pictures' tokens at least 30 were cached
    assert cost_of(more, prices)[:2] == (60 * 30, 40)


def test_cached_sound_has_its_own_price():
    flash = packaged_prices("gemini", "gemini-2.5-flash")  # 0.3, cached 0.03; sound 1 and 0.1
    usage = Usage(1000, 0, 1000, cached=600, audio_input=500, audio_cached=400)
    assert cost_of(usage, flash)[:2] == (
        300 * 300_000 + 100 * 1_000_000,
        200 * 30_000 + 400 * 100_000,
    )
    untold = usage._replace(audio_input=1000, audio_cached=0)  # then all that is cached is sound
    assert cost_of(untold, flash)[:2] == (400 * 1_000_000, 600 * 100_000)


def test_tiers_of_the_file_go_before_those_of_the_catalogue(priced):
    said = priced("id: gpt-5.4, tiers: {priority: {input_price: 6}}").of("priority")
    assert said[:3] == (6_000_000, 30_000_000, None)
    assert priced("id: gpt-5.4, tiers: {priority: {input_price: 6}}").of("flex").input == 1_250_000


def test_prices_of_the_file_hold_for_every_tier_but_those_it_names(priced):
    both = "id: gpt-5.4, input_price: 1, output_price: 4"
    assert priced(both).tiers == ()
    named = priced(f"{both}, cache_read_price: 0.5, tiers: {{priority: {{input_price: 2}}}}")
    assert named.of("priority") == Prices(input=2_000_000, output=4_000_000, cache_read=1_000_000)
    read = priced("id: gpt-5.4, input_price: 1")
    assert read.of("priority")[:3] == (1_000_000, 30_000_000, None)


def test_a_tier_that_nobody_knows_is_a_problem_of_the_file(priced):
    with pytest.raises(Exception, match="tiers"):
        priced("id: gpt-5.4, tiers: {turbo: {input_price: 6}}")
