"""Embeddings of Amazon's own models, one text a call."""

import json

import pytest
from tests.providers.embedding import asked, offered, sent

from infway.kernel.faults import Fault
from infway.providers.registry import EMBEDDERS


def test_titan_is_told_the_text_and_what_it_knows() -> None:
    ask = asked(dimensions=256, normalize=False, truncate="END")
    call = EMBEDDERS["bedrock-titan"].request(ask, offered("bedrock-titan"))
    assert json.loads(call.body) == {"inputText": "hello", "dimensions": 256, "normalize": False}
    assert call.dropped == ("truncate",)


def test_nova_is_told_a_purpose_and_how_to_cut() -> None:
    assert sent("bedrock-nova", asked(dimensions=256)) == {
        "taskType": "SINGLE_EMBEDDING",
        "singleEmbeddingParams": {
            "embeddingPurpose": "GENERIC_INDEX",
            "embeddingDimension": 256,
            "text": {"truncationMode": "END", "value": "hello"},
        },
    }
    said = sent("bedrock-nova", asked(truncate="NONE", input_type="query"))
    assert said["singleEmbeddingParams"] == {
        "embeddingPurpose": "TEXT_RETRIEVAL",
        "text": {"truncationMode": "NONE", "value": "hello"},
    }


def test_a_purpose_that_nova_has_no_word_for_is_listed() -> None:
    ask = asked(input_type="similarity")
    assert EMBEDDERS["bedrock-nova"].request(ask, offered("bedrock-nova")).dropped == (
        "input_type",
    )


@pytest.mark.parametrize("dialect", ["bedrock-titan", "bedrock-nova", "bedrock-cohere"])
def test_an_exception_of_bedrock_has_its_own_name(dialect: str) -> None:
    fault = EMBEDDERS[dialect].fault
    said = {"x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/coral/"}
    assert fault(429, said, b'{"message":"Too many tokens"}').fault is Fault.RATE_LIMITED
    said = {"x-amzn-errortype": "ValidationException"}
    failure = fault(400, said, b'{"message":"2048 is not a valid dimension"}')
    assert (failure.fault, failure.message) == (
        Fault.UPSTREAM_4XX,
        "2048 is not a valid dimension",
    )
