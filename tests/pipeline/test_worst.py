"""The worst case: what an attempt can cost is never more, and usage that cannot be is not believed."""

import json
import logging

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wall.asking import ask, offer

from infway.kernel.chat import ChatRequest, Feature, Native, Prices
from infway.kernel.events import Units, Usage
from infway.kernel.prices import PARTS
from infway.pipeline.cost import cost_of
from infway.pipeline.sanity import believed
from infway.pipeline.worst import Bounds, worst_of

PRICE = 1_000_000
OWN = 1024  # tokens that a vendor may put before a prompt by itself


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def said(text: str, **more: object) -> ChatRequest:
    fields = {"messages": raw([{"role": "user", "content": text}])}
    extra = {name: raw(value) for name, value in more.pop("fields", {}).items()}  # type: ignore[attr-defined]
    return ask(fields=fields | extra, input_chars=len(text), **more)


def worst(one: ChatRequest, prices: Prices, **facts: object) -> int | None:
    return worst_of(one, Bounds(one), offer(prices=prices, **facts), prices)


def test_a_prompt_has_no_more_tokens_than_bytes() -> None:
    one = said("x" * 1000, output_tokens=0)
    size = len(one.fields["messages"])  # type: ignore[arg-type]
    assert worst(one, Prices(input=PRICE, output=0)) == (OWN + size) * PRICE


def test_an_answer_is_as_long_as_its_caller_allows_or_else_the_model() -> None:
    out = Prices(input=0, output=PRICE)
    assert worst(said("x", output_tokens=100), out, max_output=9) == (120 + 64) * PRICE
    assert worst(said("x"), out, max_output=100) == (120 + 64) * PRICE
    assert worst(said("x"), out) == 131_072 * PRICE


def test_thoughts_that_no_limit_holds_are_reckoned_beside_the_answer() -> None:
    out, one = Prices(input=0, output=PRICE), said("x", output_tokens=100)
    assert worst(one, out, thinks_beside=True) == int(131_172 * 1.2 + 64) * PRICE
    unlimited = said("x")
    assert worst(unlimited, out, max_output=900, thinks_beside=True) == (1080 + 64) * PRICE
    usage = Usage(30, 20 + 294, 344, reasoning=294)  # as Grok said it under a limit of 50
    grok = offer(max_output=900, thinks_beside=True)
    assert believed(usage, said("x", output_tokens=50), grok, funded=True) == usage


@pytest.mark.parametrize(
    ("fields", "times"), [({"n": 3}, 3), ({"best_of": 4, "n": 2}, 4), ({"n": "x"}, 1)]
)
def test_every_choice_counts(fields: dict[str, object], times: int) -> None:
    one = said("x", output_tokens=100, fields=fields)
    assert worst(one, Prices(input=0, output=PRICE)) == 184 * times * PRICE


def test_the_dearest_price_that_may_hold_is_reckoned_with() -> None:
    one = said("", output_tokens=1)
    read = OWN + len(one.fields["messages"])  # type: ignore[arg-type]
    long = Prices(input=4, output=9)
    dear = Prices(input=1, output=1, cache_write=2, cache_write_1h=5, audio_input=3)
    assert worst(one, dear) == read * 5 + 65
    assert worst(one, dear._replace(long_from=9, longer=long)) == read * 5 + 65 * 9
    voiced = Prices(input=0, output=1, reasoning=2, audio_output=3, long_from=9, longer=long)
    assert worst(one, voiced) == read * 4 + 65 * 9
    kept = Prices(input=1, output=1, cache_read=2)
    assert worst(one, kept) == read * 2 + 65


def test_the_prices_of_the_longest_prompts_are_reckoned_with_whatever_they_are_of() -> None:
    one = said("", output_tokens=1)
    read = OWN + len(one.fields["messages"])  # type: ignore[arg-type]
    for whole, parts in PARTS.items():
        for part in (whole, *parts):
            longest = Prices(input=2, output=2)._replace(**{part: 8})
            longer = Prices(input=2, output=2, long_from=200, longer=longest)
            steps = Prices(input=1, output=1, long_from=100, longer=longer)
            due = (8, 2) if whole == "input" else (2, 8)
            assert worst(one, steps) == read * due[0] + 65 * due[1], part


def test_without_a_price_there_is_no_worst_case() -> None:
    assert worst(said("x"), Prices(input=1)) is None
    assert worst(said("x"), Prices(output=1)) is None
    assert worst(said("x", features=Feature.EMBEDDINGS), Prices(input=1)) is not None
    assert worst(said("x", features=Feature.RERANK), Prices()) is None


@pytest.mark.parametrize(
    "one",
    [
        said("x", features=Feature.VISION, output_tokens=0),
        said("x", output_tokens=0, fields={"web_search_options": {}}),
        said("x", output_tokens=0, native=Native("anthropic", {}, needs=("mcp_servers",))),
    ],
    ids=["picture", "search", "server"],
)
def test_what_only_the_upstream_can_measure_may_fill_its_window(one: ChatRequest) -> None:
    assert worst(one, Prices(input=PRICE, output=0), context=8_000) == 8_000 * PRICE


def test_what_is_said_in_another_dialect_counts_where_that_is_longer() -> None:
    native = Native("anthropic", {"messages": raw("y" * 5000)})
    found = worst(said("x", native=native, output_tokens=0), Prices(input=1, output=0))
    assert found == OWN + 5002


@given(st.text(max_size=200), st.integers(0, 2000), st.integers(0, 2000), st.data())
def test_what_an_attempt_cost_is_never_more_than_its_worst_case(
    text: str, prompt: int, completion: int, data: st.DataObject
) -> None:
    one = said(text, output_tokens=data.draw(st.integers(0, 500)))
    price = st.none() | st.integers(0, 10**9)
    known = st.integers(0, 10**9)
    names = (
        "cache_read",
        "cache_write",
        "cache_write_1h",
        "reasoning",
        "audio_input",
        "audio_output",
        "audio_cache_read",
        "image_input",
        "image_output",
    )
    prices = None
    for above in (None, 1000, 100):
        more = {name: data.draw(price) for name in names}
        into, out = data.draw(known), data.draw(known)
        prices = Prices(input=into, output=out, **more, long_from=above, longer=prices)
    parts = {
        name: data.draw(st.integers(0, 2000))
        for name in (
            "cached",
            "cache_write",
            "cache_write_long",
            "audio_input",
            "reasoning",
            "audio_output",
            "audio_cached",
            "image_input",
            "image_output",
        )
    }
    usage = believed(
        Usage(prompt, completion, prompt + completion, **parts), one, offer(), funded=True
    )
    assert cost_of(usage, prices).total <= (worst(one, prices) or 0)


def test_absurd_usage_is_cut_to_what_can_be_and_said(caplog: pytest.LogCaptureFixture) -> None:
    one = said("x" * 100, output_tokens=100)
    caplog.set_level(logging.WARNING)
    plain = Usage(30, 100, 130)
    assert believed(plain, one, offer(), funded=True) == plain
    assert caplog.records == []
    cut = believed(Usage(10**9, 10**9, 2 * 10**9, billed=(10**9, 3)), one, offer(), funded=True)
    assert cut.prompt == OWN + len(one.fields["messages"])  # type: ignore[arg-type]
    assert (cut.completion, cut.billed, cut.estimated) == (184, (cut.prompt, 3), True)
    assert caplog.records[0].getMessage().startswith("usage_anomaly: upstream=up model=m")
    work = Usage(10**9, 0, 10**9, units=Units(queries=1))
    assert believed(work, one, offer(), funded=True) is work


def test_no_part_of_usage_is_more_than_what_it_is_a_part_of() -> None:
    one = said("x" * 100, output_tokens=100)
    absurd = Usage(10, 5, 15, cached=500, cache_write=7, cache_write_long=7, reasoning=9)
    cut = believed(absurd, one, offer(), funded=True)
    assert cut == Usage(10, 5, 15, cached=10, reasoning=5, estimated=True)
    written = Usage(10, 5, 15, cached=4, cache_write=7, cache_write_long=7, audio_output=6)
    cut = believed(written, one, offer(), funded=False)
    assert (cut.cached, cut.cache_write, cut.cache_write_long, cut.audio_output) == (4, 6, 6, 5)


def test_parts_are_together_no_more_than_what_they_are_parts_of() -> None:
    one = said("x" * 100, output_tokens=100)
    usage = Usage(10, 5, 15, audio_input=7, image_input=6, audio_output=2, image_output=4)
    for funded in (True, False):
        cut = believed(usage, one, offer(), funded=funded)
        assert cut.estimated
        assert (cut.audio_input, cut.image_input) == (7, 3)
        assert (cut.audio_output, cut.image_output) == (2, 3)
    thought = usage._replace(image_input=3, image_output=2, reasoning=2)
    assert believed(thought, one, offer(), funded=True).reasoning == 1
    whole = thought._replace(reasoning=1)
    assert believed(whole, one, offer(), funded=True) is whole


def test_what_vendors_add_to_a_prompt_is_believed_up_to_the_models_window() -> None:
    one = said("x" * 100, output_tokens=100)
    added = Usage(50_000, 3_000, 53_000)
    assert believed(added, one, offer(), funded=False) == added
    cut = believed(Usage(10**9, 5, 10**9 + 5), one, offer(), funded=False)
    assert cut.prompt < 10**9
    assert cut.estimated


@pytest.mark.parametrize("features", [Feature.SPEECH, Feature.IMAGES, Feature.RERANK])
def test_other_work_is_reckoned_at_more_than_it_is_measured_at(features: Feature) -> None:
    one = said("a text to be spoken", features=features, fields={"documents": ["a", "b"]})
    prices = Prices(input=5, output=7, character=11, image=13, query=17, second=19)
    assert (worst(one, prices) or 0) > 0
