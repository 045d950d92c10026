"""What comes with an answer of OpenAI Responses: sources, log probabilities, its end, its usage."""

import pytest
from tests.providers.reading import finishes, usage
from tests.providers.responses_saying import (
    added,
    call,
    delta,
    done,
    end,
    event,
    heard,
    message,
    whole,
)

from infway.kernel.events import Annotation, Facts, Logprobs, Usage

ITEM = message("Hello")
MADE = call("look", '{"a":1}')
TOKEN = {"token": "a", "logprob": -0.5, "top_logprobs": [{"token": "a", "logprob": -0.5}]}
SOURCE = {
    "type": "url_citation",
    "url": "https://e.org",
    "title": "E",
    "start_index": 1,
    "end_index": 3,
}
FILE = {"type": "file_citation", "file_id": "f", "filename": "a.txt", "index": 2}


def test_citations_count_from_the_beginning_of_the_answer():
    parts = message("abc", "def")["content"]
    parts[0]["annotations"], parts[1]["annotations"] = [SOURCE], [FILE]
    item = {**message(), "content": parts}
    web = {"url": "https://e.org", "title": "E", "start_index": 1 + 4, "end_index": 3 + 4}
    file = {
        "title": "a.txt",
        "file_id": "f",
        "filename": "a.txt",
        "index": 2,
        "start_index": 9,
        "end_index": 9,
    }
    expected = [
        Annotation({"type": "url_citation", "url_citation": web}),
        Annotation({"type": "file_citation", "file_citation": file}),
    ]
    cite = "response.output_text.annotation.added"
    streamed = [
        delta("output_text", "Hey!"),
        added(item, 1),
        delta("output_text", "abc", 1, content_index=0),
        event(cite, output_index=1, content_index=0, annotation=SOURCE),
        delta("output_text", "def", 1, content_index=1),
        event(cite, output_index=1, content_index=1, annotation=FILE),
    ]
    first = message("Hey!")
    for events in (
        whole(first, item),
        heard(*streamed, done(item, 1), end(first, item)),
        heard(*streamed[:4], done(item, 1), end(first, item)),
    ):
        assert [one for one in events if isinstance(one, Annotation)] == expected


def test_log_probabilities_are_said_once():
    item = message("a", logprobs=[TOKEN])
    expected = {
        **TOKEN,
        "bytes": None,
        "top_logprobs": [{**TOKEN["top_logprobs"][0], "bytes": None}],
    }
    streamed = [delta("output_text", "a", logprobs=[TOKEN]), done(item), end(item)]
    for events in (whole(item), heard(*streamed), heard(delta("output_text", "a"), end(item))):
        assert [one.tokens for one in events if isinstance(one, Logprobs)] == [[expected]]


@pytest.mark.parametrize(
    ("details", "reason", "native"),
    [
        ({"reason": "max_output_tokens"}, "length", "max_output_tokens"),
        ({"reason": "content_filter"}, "content_filter", "content_filter"),
        (None, "length", "incomplete"),
    ],
)
def test_an_answer_that_breaks_off_says_why(details: dict | None, reason: str, native: str):
    fields = {"status": "incomplete", "incomplete_details": details}
    for events in (whole(ITEM, MADE, **fields), heard(end(ITEM, MADE, **fields))):
        assert [(one.reason, one.native) for one in finishes(events)] == [(reason, native)]


def test_all_tokens_may_go_into_reasoning_that_nobody_sees():
    fields = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    assert [one.reason for one in finishes(whole(**fields))] == ["length"]


def test_usage_is_read_with_its_parts():
    counts = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 20},
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 40},
        "total_tokens": 150,
    }
    expected = Usage(100, 50, 150, cached=60, cache_write=20, reasoning=40)
    assert usage(whole(ITEM, usage=counts)) == usage(heard(end(ITEM, usage=counts))) == expected
    assert usage(whole(ITEM, usage={"input_tokens": 3.0, "output_tokens": 2})) == Usage(3, 2, 5)


@pytest.mark.parametrize(
    "counts", [None, [], {}, {"input_tokens": -1, "output_tokens": 1}, {"input_tokens": 10**12}]
)
def test_usage_that_makes_no_sense_is_none(counts: object):
    assert usage(whole(ITEM, usage=counts)) is None
    assert usage(heard(end(ITEM, usage=counts))) is None


def test_the_tier_that_served_is_told():
    assert Facts({"service_tier": "flex"}) in whole(ITEM, service_tier="flex")
    assert not any(isinstance(one, Facts) for one in whole(ITEM, service_tier=None))
