"""Embeddings of the Gemini API and of Vertex: one request or one instance for each text."""

import pytest
from tests.providers.embedding import asked, offered, sent

from infway.providers.registry import EMBEDDERS


def test_each_text_is_a_request_of_the_batch() -> None:
    ask = asked(input=["a", "b"], dimensions=64, task_type="RETRIEVAL_QUERY")
    assert sent("gemini", ask) == {
        "requests": [
            {
                "model": "models/native/m:1",
                "content": {"parts": [{"text": text}]},
                "outputDimensionality": 64,
                "taskType": "RETRIEVAL_QUERY",
            }
            for text in ("a", "b")
        ]
    }


def test_googles_prefix_of_a_name_is_said_once() -> None:
    call = EMBEDDERS["gemini"].request(asked(), offered("gemini", native="models/e-1"))
    assert call.url.endswith("/models/e-1:embed")
    assert b'"model":"models/e-1"' in call.body


def test_a_model_that_takes_one_text_is_asked_without_a_batch() -> None:
    assert sent("gemini-single", asked(dimensions=2, title="T")) == {
        "content": {"parts": [{"text": "hello"}]},
        "outputDimensionality": 2,
        "title": "T",
    }


def test_each_text_is_an_instance_at_vertex() -> None:
    ask = asked(input=["a", "b"], dimensions=64, input_type="document", title="T")
    assert sent("vertex", ask) == {
        "instances": [
            {"content": text, "task_type": "RETRIEVAL_DOCUMENT", "title": "T"}
            for text in ("a", "b")
        ],
        "parameters": {"outputDimensionality": 64},
    }
    assert sent("vertex", asked(autoTruncate=False))["parameters"] == {"autoTruncate": False}
    assert sent("vertex", asked()) == {"instances": [{"content": "hello"}]}


@pytest.mark.parametrize(
    ("said", "theirs"),
    [
        ("query", "RETRIEVAL_QUERY"),
        ("search_query", "RETRIEVAL_QUERY"),
        ("RETRIEVAL_DOCUMENT", "RETRIEVAL_DOCUMENT"),
        ("passage", "RETRIEVAL_DOCUMENT"),
        ("similarity", "SEMANTIC_SIMILARITY"),
        ("QUESTION_ANSWERING", "QUESTION_ANSWERING"),
    ],
)
@pytest.mark.parametrize("field", ["input_type", "task_type"])
def test_a_purpose_is_said_in_googles_words(field: str, said: str, theirs: str) -> None:
    ask = asked(**{field: said})
    assert sent("gemini", ask)["requests"][0]["taskType"] == theirs
    assert sent("vertex", ask)["instances"][0]["task_type"] == theirs


def test_of_two_purposes_the_first_counts_and_the_other_is_listed() -> None:
    ask = asked(input_type="query", task_type="CLUSTERING")
    for dialect in ("gemini", "vertex"):
        assert EMBEDDERS[dialect].request(ask, offered(dialect)).dropped == ("task_type",)


def test_vertex_counts_no_tokens_unless_all_texts_are_counted() -> None:
    one = b'{"embeddings":{"values":[1],"statistics":{"token_count":3}}}'
    silent = b'{"embeddings":{"values":[1]}}'
    whole = EMBEDDERS["vertex"].whole
    both = whole(b'{"predictions":[%b,%b]}' % (one, one), {}).usage
    assert both is not None
    assert both.prompt == 6
    assert whole(b'{"predictions":[%b,%b]}' % (one, silent), {}).usage is None
