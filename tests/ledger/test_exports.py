"""Providers' usage exports: read by their shape, and never anything but a clear error."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infway.ledger.exports.reading import read_export
from infway.ledger.exports.words import Counts, Export, ExportError, Used

DAY = 1_730_419_200  # 2024-11-01
PICO = 10**12

OPENAI = {
    "object": "page",
    "data": [
        {
            "object": "bucket", "start_time": DAY, "end_time": DAY + 86_400,
            "results": [
                {
                    "object": "organization.usage.completions.result", "input_tokens": 1000,
                    "output_tokens": 500, "input_cached_tokens": 800, "num_model_requests": 5,
                    "project_id": None, "user_id": None, "api_key_id": "key_1",
                    "model": "gpt-4o-2024-08-06", "batch": None,
                }
            ],
        },
        {"object": "bucket", "start_time": DAY + 86_400, "end_time": DAY + 172_800, "results": []},
    ],
    "has_more": False,
    "next_page": None,
}  # fmt: skip
COSTS = {
    "object": "page",
    "data": [
        {
            "object": "bucket", "start_time": DAY, "end_time": DAY + 86_400,
            "results": [
                {
                    "object": "organization.costs.result", "project_id": None,
                    "amount": {"value": 0.13080438, "currency": "usd"},
                    "line_item": "gpt-4o-2024-08-06, Input",
                }
            ],
        }
    ],
}  # fmt: skip
ANTHROPIC = {
    "data": [
        {
            "starting_at": "2024-11-01T00:00:00Z", "ending_at": "2024-11-02T00:00:00Z",
            "results": [
                {
                    "uncached_input_tokens": 100, "cache_read_input_tokens": 30,
                    "cache_creation": {
                        "ephemeral_5m_input_tokens": 7, "ephemeral_1h_input_tokens": 5,
                    },
                    "output_tokens": 50, "model": "claude-sonnet-4-20250514",
                    "api_key_id": "apikey_1", "workspace_id": None,
                }
            ],
        }
    ],
    "has_more": False,
    "next_page": None,
}  # fmt: skip
PAID = {
    "data": [
        {
            "starting_at": "2024-11-01T00:00:00Z", "ending_at": "2024-11-02T00:00:00Z",
            "results": [{"amount": "123.45", "currency": "USD", "model": "claude-sonnet-4"}],
        }
    ],
}  # fmt: skip
ACTIVITY = {
    "data": [
        {
            "date": "2024-11-01", "model": "openai/gpt-4.1", "provider_name": "OpenAI",
            "model_permaslug": "openai/gpt-4.1-2025-04-14", "usage": 0.015,
            "byok_usage_inference": 0.012, "requests": 5, "prompt_tokens": 50,
            "completion_tokens": 125, "reasoning_tokens": 25, "endpoint_id": "e",
        }
    ]
}  # fmt: skip
CONSOLE = (
    "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,"
    "usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,"
    "usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,"
    "web_search_count,inference_geo,speed\n"
    '2024-11-01,claude-opus-5,"App, of us",Default,standard,≤ 200k,100,7,5,30,50,0,global,\n'
)
GENERATIONS = (
    "generation_id,created_at,cost_total,cost_web_search,tokens_prompt,tokens_completion,"
    "tokens_reasoning,tokens_cached,model_permaslug,provider_name,variant,api_key_name\n"
    "gen-1,2024-11-01 03:46:57.713,0.0123,0,10389,137,0,12,openai/gpt-oss-120b,Groq,free,mine\n"
)
DASHBOARD = (
    "start_time,end_time,project_id,num_model_requests,api_key_id,model,input_tokens,"
    "output_tokens,input_cached_tokens\n"
    f"{DAY},{DAY + 86400},,5,key_1,gpt-4o-2024-08-06,1000,500,800\n"
    f"{DAY + 86400},{DAY + 172800},,,,,,,\n"
)


def one(data: object) -> tuple[Export, Used]:
    """Read a file with a single row."""
    said = data if isinstance(data, str) else json.dumps(data)
    export = read_export(said.encode())
    (row,) = export.rows
    return export, row


def test_pages_of_openai_are_read_with_the_buckets_in_which_nothing_was_used():
    export, row = one(OPENAI)
    assert export.vendor == "openai"
    assert export.spans == ((DAY, DAY + 86_400), (DAY + 86_400, DAY + 172_800))
    assert row == Used(DAY, "gpt-4o-2024-08-06", "key_1", Counts(5, 1000, 500, 800))
    assert one(DASHBOARD) == (export, row)


def test_costs_of_openai_are_exact_and_know_their_model():
    _, row = one(COSTS)
    assert row.model == "gpt-4o-2024-08-06"
    assert row.counts == Counts(cost=130_804_380_000)


def test_reports_of_anthropic_count_all_that_was_sent():
    export, row = one(ANTHROPIC)
    assert export.vendor == "anthropic"
    assert export.spans == ((DAY, DAY + 86_400),)
    counts = Counts(prompt=142, completion=50, cached=30)
    assert row == Used(DAY, "claude-sonnet-4-20250514", "apikey_1", counts)
    assert one(CONSOLE)[1] == Used(DAY, "claude-opus-5", "App, of us", counts)
    assert one(PAID)[1].counts == Counts(cost=1_234_500_000_000)  # it is in cents


def test_activity_of_openrouter_is_read_from_days_and_from_generations():
    export, row = one(ACTIVITY)
    assert export.vendor == "openrouter"
    assert export.spans == ((DAY, DAY + 86_400),)
    counts = Counts(5, 50, 125, None, 27 * PICO // 1000)
    assert row == Used(DAY, "openai/gpt-4.1", None, counts)
    export, row = one(GENERATIONS)
    assert export.spans == ((DAY, DAY + 86_400),)
    assert row.key == "mine"
    assert row.counts == Counts(1, 10_389, 137, 12, 123 * PICO // 10_000)


def test_pages_may_be_in_a_list_or_line_by_line():
    for text in (json.dumps([OPENAI, OPENAI]), f"{json.dumps(OPENAI)}\n{json.dumps(OPENAI)}\n"):
        assert len(read_export(text.encode()).rows) == 2
    assert len(read_export(json.dumps(OPENAI["data"]).encode()).rows) == 1


@pytest.mark.parametrize(
    "text",
    ['{"data": []}', '{"object": "page", "data": [], "has_more": false}', '[{"data": []}]'],
)
def test_an_export_before_anything_was_used_is_one(text: str):
    assert read_export(text.encode()) == Export("", (), ())


def test_an_export_says_where_a_page_ends_that_is_not_the_last():
    cut, last = {**OPENAI, "has_more": True}, OPENAI
    assert read_export(json.dumps(cut).encode()).more == (DAY + 172_800,)
    assert read_export(json.dumps([cut, last]).encode()).more == (DAY + 172_800,)
    assert read_export(json.dumps(last).encode()).more == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("{", "broken"),
        ("a,b\n1,2\n", "no export"),
        ("[]", "no export"),
        ("{}", "no export"),
        ('{"data": [], "has_more": true}', "nothing in it"),
        ('{"data": {}}', "`data` is no list"),
        ("[" * 100_000, "deep"),
        ('{"data": [{"start_time": NaN}]}', "broken"),
        (CONSOLE + "2024-11-02,x\n", "different lengths"),
        (json.dumps([OPENAI, ANTHROPIC]), "several kinds"),
        (json.dumps(OPENAI).replace("1000", "-1"), "`input_tokens`"),
        (json.dumps(OPENAI).replace("1000", "1.5"), "`input_tokens`"),
        (json.dumps(OPENAI).replace("1000", "true"), "`input_tokens`"),
        (json.dumps(OPENAI).replace("1000", "1e999999999"), "`input_tokens`"),
        (json.dumps(COSTS).replace('"usd"', '"eur"'), "not in USD"),
        (json.dumps(ANTHROPIC).replace("2024-11-01T00:00:00Z", "yesterday"), "`starting_at`"),
        (GENERATIONS.replace("0.0123", "NaN"), "`cost_total`"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(text: str, said: str):
    with pytest.raises(ExportError, match=said) as failed:
        read_export(text.encode())
    assert "\n" not in str(failed.value)


SHAPES = [OPENAI, COSTS, ANTHROPIC, PAID, ACTIVITY]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def bent(draw: st.DrawFn) -> object:
    """Draw an export in which any value may be another one."""

    def bend(value: object) -> object:
        if draw(st.integers(0, 9)) == 0:
            return draw(VALUES)
        if isinstance(value, dict):
            return {name: bend(inner) for name, inner in value.items()}
        return [bend(inner) for inner in value] if isinstance(value, list) else value

    return bend(draw(st.sampled_from(SHAPES)))


def nothing_else(data: bytes) -> None:
    """Read whatever this is: it is told, or it is an error of ours."""
    try:
        export = read_export(data)
    except ExportError:
        return
    for row in export.rows:
        assert all(value is None or isinstance(value, int) for value in row.counts)


@given(bent())
def test_an_export_with_anything_in_it_is_read_or_refused(export: object):
    nothing_else(json.dumps(export).encode(errors="replace"))


@given(st.sampled_from([CONSOLE, GENERATIONS, DASHBOARD]), st.data())
def test_a_table_with_anything_in_it_is_read_or_refused(text: str, data: st.DataObject):
    place = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(place, min(place + 10, len(text))))
    nothing_else(
        (text[:place] + data.draw(st.text(max_size=9)) + text[end:]).encode(errors="replace")
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes):
    nothing_else(data)
