"""The price catalogue: reading, laziness, and what the packaged rows must hold."""

import gzip
import importlib.resources
import json
from typing import Any

import msgspec
import pytest

from infway.ims.pricebook import ModelFacts, PriceBook, Step
from infway.kernel.prices import Prices

PACKAGED = importlib.resources.files("infway.ims") / "data" / "catalog.json.gz"


def written(**providers: Any) -> bytes:
    """A catalogue file with these rows."""
    origin = {"name": "somebody", "version": "1.2", "date": "2026-11-21"}
    check = {**origin, "name": "another", "compared": 3, "agreeing": 2}
    document = {"source": origin, "check": check, "providers": providers}
    return gzip.compress(json.dumps(document).encode())


@pytest.fixture(scope="module")
def packaged() -> PriceBook:
    return PriceBook.read(PACKAGED.read_bytes())


def test_an_unknown_price_is_none_and_a_free_one_is_zero() -> None:
    rows = [{"id": "gap", "mode": "chat"}, {"id": "free", "mode": "chat", "input": 0, "output": 0}]
    book = PriceBook.read(written(acme=rows))
    gap, free = book.facts("acme", "gap"), book.facts("acme", "free")
    assert gap is not None
    assert free is not None
    assert (gap.input, gap.output, gap.checked) == (None, None, None)
    assert (free.input, free.output) == (0, 0)


def test_a_model_or_vendor_that_is_not_in_the_catalogue_has_no_facts() -> None:
    book = PriceBook.read(written(acme=[{"id": "one", "mode": "chat"}]))
    assert book.facts("acme", "two") is None
    assert book.facts("nobody", "one") is None
    assert book.models("nobody") == ()


def test_the_book_says_where_its_prices_come_from() -> None:
    book = PriceBook.read(written())
    assert (book.source.name, book.source.version, book.source.date) == (
        "somebody",
        "1.2",
        "2026-11-21",
    )
    assert (book.check.compared, book.check.agreeing) == (3, 2)


def test_a_vendor_whose_rows_come_from_elsewhere_is_named(packaged: PriceBook) -> None:
    other = packaged.others["openrouter"]
    assert (other.name, other.version) == (packaged.check.name, packaged.check.version)
    assert all(row.checked is None for row in packaged.models("openrouter"))
    assert PriceBook.read(written()).others == {}


def test_no_abilities_and_unknown_abilities_are_told_apart() -> None:
    rows = [{"id": "none", "mode": "chat", "capabilities": []}, {"id": "unknown", "mode": "chat"}]
    book = PriceBook.read(written(acme=rows))
    assert [row.capabilities for row in book.models("acme")] == [(), None]


def test_only_the_vendor_that_is_asked_for_is_decoded() -> None:
    book = PriceBook.read(written(good=[{"id": "one", "mode": "chat"}], bad=[{"id": 7}]))
    assert [row.id for row in book.models("good")] == ["one"]
    with pytest.raises(msgspec.ValidationError):
        book.models("bad")


def test_a_capability_outside_the_closed_words_is_refused() -> None:
    book = PriceBook.read(written(acme=[{"id": "a", "mode": "chat", "capabilities": ["magic"]}]))
    with pytest.raises(msgspec.ValidationError, match="capabilities"):
        book.facts("acme", "a")


def test_damaged_data_is_an_error() -> None:
    with pytest.raises(OSError, match="gzip"):
        PriceBook.read(b"not a catalogue")
    with pytest.raises(msgspec.DecodeError):
        PriceBook.read(gzip.compress(b"{"))


def prices_of(facts: ModelFacts) -> Prices:
    return facts.prices


def test_the_longest_step_that_the_prompt_passes_prices_it() -> None:
    steps = (Step(above=32_000, input=2, output=4), Step(above=128_000, input=3, output=6))
    prices = prices_of(ModelFacts(id="long", mode="chat", input=1, output=2, steps=steps))
    assert prices.at(32_000) is prices
    assert prices.at(32_001)[:2] == (2, 4)
    assert prices.at(128_000)[:2] == (2, 4)
    assert prices.at(128_001)[:2] == (3, 6)
    assert prices.at(10**6)[:2] == (3, 6)
    assert [step.long_from for step in prices.steps()] == [32_000, 128_000, None]


def test_a_model_without_steps_has_one_price_for_every_length() -> None:
    prices = prices_of(ModelFacts(id="flat", mode="chat", input=1, output=2))
    assert prices.at(10**9) is prices
    assert (prices.long_from, prices.longer) == (None, None)


def test_a_step_has_its_own_prices_of_cached_tokens() -> None:
    step = Step(above=9, input=20, output=80, cache_read=3, cache_write=26)
    facts = ModelFacts(
        id="m", mode="chat", input=10, output=40, cache_read=1, cache_write=12, steps=(step,)
    )
    assert prices_of(facts).longer == Prices(20, 80, cache_read=3, cache_write=26)


def test_what_a_step_does_not_state_rises_as_its_whole() -> None:
    """Anthropic's hour costs twice the input, Alibaba's thinking more than its answers, always."""
    facts = ModelFacts(
        id="m", mode="chat", input=3, output=6, cache_read=1, cache_write_1h=6, reasoning=10,
        audio_input=5, query=7, steps=(Step(above=9, input=6), Step(above=99, input=7, output=18)),
    )  # fmt: skip
    long = prices_of(facts).at(10)
    assert (long.input, long.cache_read, long.cache_write_1h, long.audio_input) == (6, 2, 12, 10)
    assert (long.output, long.reasoning, long.query, long.cache_write) == (6, 10, 7, None)
    longest = prices_of(facts).at(100)
    assert (longest.cache_read, longest.cache_write_1h, longest.reasoning) == (2, 14, 30)


def test_what_is_free_for_short_prompts_is_not_made_dearer_by_guess() -> None:
    facts = ModelFacts(
        id="m", mode="chat", input=0, output=0, cache_read=0, steps=(Step(above=9, input=5),)
    )
    assert prices_of(facts).longer == Prices(input=5, output=0, cache_read=0)


def test_the_packaged_steps_are_all_in_the_prices(packaged: PriceBook) -> None:
    azure = packaged.facts("azure", "eu/gpt-5.4")
    assert azure is not None
    long = prices_of(azure).at(300_000)
    assert (long.input, long.output, long.cache_read) == (5_500_000, 24_750_000, 550_000)
    qwen = packaged.facts("dashscope", "qwen3-coder-flash")
    assert qwen is not None
    prices = prices_of(qwen)
    assert [(step.input, step.output, step.cache_read) for step in prices.steps()] == [
        (300_000, 1_500_000, 80_000),
        (500_000, 2_500_000, 120_000),
        (800_000, 4_000_000, 200_000),
        (1_600_000, 9_600_000, 400_000),
    ]
    assert prices.at(256_001).input == 1_600_000


def test_cached_tokens_of_packaged_steps_rise_as_the_input_does(packaged: PriceBook) -> None:
    """So the rule for those that are not stated has its ground: nearly all that are keep it."""
    alike, others = 0, 0
    for row in (row for name in packaged.providers for row in packaged.models(name)):
        for step in row.steps if row.input else ():
            for part in ("cache_read", "cache_write"):
                before, now = getattr(row, part), getattr(step, part)
                if before is not None and now is not None:
                    kept = abs(now - before * step.input / (row.input or 1)) < now / 50
                    alike, others = alike + kept, others + (not kept)
    assert alike > 400
    assert others < alike / 20


def test_the_packaged_prices_are_exact(packaged: PriceBook) -> None:
    gpt = packaged.facts("openai", "gpt-4o")
    assert gpt is not None
    assert (gpt.input, gpt.output, gpt.cache_read) == (2_500_000, 10_000_000, 1_250_000)
    assert gpt.context == 128_000
    assert gpt.checked is True
    assert gpt.capabilities is not None
    assert {"tools", "vision", "json_schema", "prompt_cache"} <= set(gpt.capabilities)


def test_every_packaged_row_is_whole_and_no_model_appears_twice(packaged: PriceBook) -> None:
    for provider in packaged.providers:
        models = packaged.models(provider)
        assert models
        for row in models:
            assert packaged.facts(provider, row.id) is row
            assert not row.id.startswith(f"{provider}/") or provider == "perplexity"
            assert sorted(step.above for step in row.steps) == [step.above for step in row.steps]


def test_the_packaged_rows_of_openrouter_are_chat_models_with_prices(packaged: PriceBook) -> None:
    rows = packaged.models("openrouter")
    assert len(rows) > 300
    for row in rows:
        assert row.capabilities is None
        assert row.input is not None
        assert row.output is not None
        assert (row.input == 0) == row.id.endswith(":free")
        assert "/" in row.id
        assert not row.id.endswith(":batch")


def test_packaged_zeros_are_free_models_and_unbilled_answers_only(packaged: PriceBook) -> None:
    for provider in packaged.providers:
        for row in packaged.models(provider):
            if row.mode in {"chat", "responses", "completion"} and row.output == 0:
                assert row.input == 0, (provider, row.id)
            if row.input:
                assert 0 not in {row.cache_read, row.cache_write, row.reasoning}, row.id


def test_nine_of_ten_packaged_prices_were_confirmed_where_both_sources_know_one(
    packaged: PriceBook,
) -> None:
    rows = [row for p in packaged.providers for row in packaged.models(p)]
    compared = [row.checked for row in rows if row.checked is not None]
    assert len(compared) == packaged.check.compared
    assert sum(compared) == packaged.check.agreeing
    assert packaged.check.agreeing > 0.9 * packaged.check.compared
