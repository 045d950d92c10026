"""Embeddings of Cohere's models, at Cohere and at Bedrock."""

import json

import pytest
from tests.providers.embedding import asked, numbers, offered, sent

from infway.providers.registry import EMBEDDERS


def test_texts_need_a_purpose_and_numbers_a_type() -> None:
    assert sent("cohere", asked()) == {
        "model": "native/m:1",
        "texts": ["hello"],
        "input_type": "search_document",
        "embedding_types": ["float"],
    }


def test_at_bedrock_the_model_stands_in_the_address_alone() -> None:
    ask = asked(input=["a", "b"], dimensions=512, input_type="query", truncate="NONE")
    assert sent("bedrock-cohere", ask) == {
        "texts": ["a", "b"],
        "input_type": "search_query",
        "output_dimension": 512,
        "truncate": "NONE",
    }


@pytest.mark.parametrize(
    ("said", "theirs"),
    [
        ("query", "search_query"),
        ("RETRIEVAL_DOCUMENT", "search_document"),
        ("classification", "classification"),
        ("image", "image"),
    ],
)
def test_a_purpose_is_said_in_coheres_words(said: str, theirs: str) -> None:
    assert sent("cohere", asked(task_type=said))["input_type"] == theirs


def test_a_purpose_that_cohere_has_no_word_for_is_listed() -> None:
    call = EMBEDDERS["cohere"].request(asked(task_type="SEMANTIC_SIMILARITY"), offered("cohere"))
    assert call.dropped == ("task_type",)
    assert json.loads(call.body)["input_type"] == "search_document"


def test_older_models_give_a_list_without_types() -> None:
    body = b'{"embeddings":[[1,2],[3,4]],"response_type":"embeddings_floats"}'
    vectors = EMBEDDERS["cohere"].whole(body, {"num_tokens": "5"})
    assert numbers(vectors) == [[1, 2], [3, 4]]
    assert vectors.usage is not None
    assert vectors.usage.prompt == 5


def test_what_is_billed_goes_before_what_was_counted() -> None:
    body = b'{"embeddings":{"float":[[1]]},"meta":{"billed_units":{"input_tokens":7}}}'
    usage = EMBEDDERS["cohere"].whole(body, {"num_tokens": "5"}).usage
    assert usage is not None
    assert usage.prompt == 7
