"""Embeddings in the OpenAI dialect: fields as sent, rows of vendors, and the numbers' formats."""

import json

import pytest
from tests.providers.embedding import asked, numbers, offered, packed, sent

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Vectors
from infway.kernel.faults import Fault
from infway.providers.embeddings.vectors import in_format
from infway.providers.registry import EMBEDDERS

OPENAI = EMBEDDERS["openai"]


def read(*embeddings: object, **root: object) -> Vectors:
    data = [{"object": "embedding", "index": i, "embedding": e} for i, e in enumerate(embeddings)]
    return OPENAI.whole(json.dumps({"object": "list", "data": data, **root}).encode(), {})


def test_the_callers_fields_go_on_as_they_came() -> None:
    ask = asked(input=["a", "b"], dimensions=64, user="me", encoding_format="base64", odd={"x": 1})
    assert sent("openai", ask) == {
        "model": "native/m:1",
        "input": ["a", "b"],
        "dimensions": 64,
        "user": "me",
        "encoding_format": "base64",
        "odd": {"x": 1},
    }


def test_numbers_are_not_asked_for_by_name_since_everyone_sends_them() -> None:
    assert "encoding_format" not in sent("openai", asked(encoding_format="float"))


def test_a_row_sends_fields_under_the_vendors_names() -> None:
    rename, drop = {"dimensions": "output_dimension"}, frozenset({"user"})
    call = OPENAI.request(
        asked(dimensions=256, user="me", input_type="query"),
        offered("openai", rename=rename, drop=drop),
    )
    assert json.loads(call.body) == {
        "model": "native/m:1",
        "input": "hello",
        "output_dimension": 256,
        "input_type": "query",
    }
    assert call.dropped == ("user",)


def test_what_the_caller_said_beats_what_a_row_sends_by_default() -> None:
    more = {"defaults": {"dimensions": 5, "truncate": "END"}}
    assert sent("openai", asked(dimensions=2), **more)["dimensions"] == 2
    assert sent("openai", asked(), **more) == {
        "model": "native/m:1", "input": "hello", "dimensions": 5, "truncate": "END",
    }  # fmt: skip


def test_vectors_come_in_the_order_of_their_indexes() -> None:
    items = [{"index": 2, "embedding": [2]}, {"index": 0, "embedding": [0]},
             {"index": 1, "embedding": [1]}]  # fmt: skip
    vectors = OPENAI.whole(json.dumps({"data": items}).encode(), {})
    assert numbers(vectors) == [[0], [1], [2]]


@pytest.mark.parametrize("indexes", [(0, 0), (0, 2), (1, 2), (-1, 0)])
def test_an_index_that_is_missing_or_twice_is_no_reply(indexes: tuple[int, int]) -> None:
    items = [{"index": at, "embedding": [1]} for at in indexes]
    with pytest.raises(UpstreamFailed) as failed:
        OPENAI.whole(json.dumps({"data": items}).encode(), {})
    assert failed.value.failure.fault is Fault.INVALID_JSON


def test_numbers_are_passed_on_as_they_came() -> None:
    body = b'{"data": [{"embedding": [ 0.10, -1.5E-4,\n2 ], "index": 0}]}'
    assert OPENAI.whole(body, {}).items == [b"[0.10,-1.5E-4,2]"]


def test_base64_is_of_float32_in_little_endian_order() -> None:
    vectors = read(packed(0.5, -1.25), packed(3.0, 0.0))
    assert vectors.coded
    assert numbers(vectors) == [[0.5, -1.25], [3.0, 0.0]]
    spelled = in_format(vectors, coded=False)
    assert spelled.items == [b"[0.5,-1.25]", b"[3.0,0.0]"]
    assert in_format(spelled, coded=True).items == vectors.items


@pytest.mark.parametrize("text", ["AAA=", "not base64!", "AAAAAAA", "AA==", "=", " " * 8])
def test_base64_that_holds_no_float32_is_no_vector(text: str) -> None:
    with pytest.raises(UpstreamFailed):
        read(text)


def test_two_formats_in_one_reply_are_none() -> None:
    for mixed in ((packed(1.0), [1.0]), ([1.0], packed(1.0))):
        with pytest.raises(UpstreamFailed):
            read(*mixed)


def test_numbers_that_are_not_finite_are_never_passed_on_as_null() -> None:
    with pytest.raises(UpstreamFailed):
        in_format(read(packed(1.0, float("nan"))), coded=False)
    with pytest.raises(UpstreamFailed):
        in_format(read([1e300]), coded=True)


def test_signed_bytes_become_plain_numbers() -> None:
    body = json.dumps({"data": [{"index": 0, "embedding": "AH+A/w=="}]}).encode()
    vectors = EMBEDDERS["openai-bytes"].whole(body, {})
    assert numbers(vectors) == [[0, 127, -128, -1]]
    assert numbers(in_format(vectors, coded=True)) == [[0.0, 127.0, -128.0, -1.0]]


@pytest.mark.parametrize(
    "usage",
    [None, {}, {"prompt_tokens": 0}, {"prompt_tokens": -1}, {"prompt_tokens": 1e30}, {"x": 1}],
)
def test_usage_that_makes_no_sense_is_none(usage: object) -> None:
    assert read([1.0], usage=usage).usage is None


def test_only_the_tokens_of_inputs_count() -> None:
    usage = {"prompt_tokens": 4, "completion_tokens": 9, "total_tokens": 13}
    counted = read([1.0], usage=usage).usage
    assert counted is not None
    assert (counted.prompt, counted.completion, counted.total) == (4, 0, 4)


def test_an_error_inside_a_200_is_named() -> None:
    error = {"message": "no such model", "code": "model_not_found"}
    with pytest.raises(UpstreamFailed) as failed:
        read([1.0], error=error)
    assert failed.value.failure.fault is Fault.MODEL_MISSING
