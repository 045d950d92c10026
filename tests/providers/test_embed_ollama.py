"""Embeddings in Ollama's own dialect."""

import json

import pytest
from tests.providers.embedding import asked, numbers, offered

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.registry import EMBEDDERS


def test_ollama_is_asked_for_all_texts_at_once() -> None:
    ask = asked(input=["a", "b"], truncate=False, options={"num_ctx": 9}, user="me")
    call = EMBEDDERS["ollama"].request(ask, offered("ollama", defaults={"keep_alive": "1h"}))
    assert json.loads(call.body) == {
        "model": "native/m:1",
        "input": ["a", "b"],
        "truncate": False,
        "options": {"num_ctx": 9},
        "keep_alive": "1h",
    }
    assert call.dropped == ("user",)


def test_the_older_surface_gives_one_vector() -> None:
    assert numbers(EMBEDDERS["ollama"].whole(b'{"embedding":[1,2]}', {})) == [[1, 2]]


def test_an_error_inside_a_200_is_named() -> None:
    with pytest.raises(UpstreamFailed) as failed:
        EMBEDDERS["ollama"].whole(b'{"error":"model \\"m\\" not found, try pulling it first"}', {})
    assert failed.value.failure.fault is Fault.MODEL_MISSING
