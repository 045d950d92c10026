"""The contract of all dialects of embeddings: what every embedder in the registry promises."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.embedding import asked, numbers, offered

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import CONSEQUENCES, Blame, Fault
from infway.providers.embeddings.embedder import Embedder
from infway.providers.embeddings.vectors import in_format
from infway.providers.registry import EMBEDDERS

COUNTED = {"x-amzn-bedrock-input-token-count": "3"}
ONE = [0.5, -0.25, 1.5e-3]
# the same vector as each dialect says it, with the tokens it counted (0: it does not say)
REPLIES: Mapping[str, tuple[dict, int]] = {
    "bedrock-cohere": ({"embeddings": {"float": [ONE]}, "texts": ["hello"]}, 3),
    "bedrock-nova": ({"embeddings": [{"embeddingType": "TEXT", "embedding": ONE}]}, 3),
    "bedrock-titan": ({"embedding": ONE, "inputTextTokenCount": 2}, 2),
    "cohere": (
        {"embeddings": {"float": [ONE]}, "meta": {"billed_units": {"input_tokens": 4}}},
        4,
    ),
    "gemini": ({"embeddings": [{"values": ONE}]}, 0),
    "gemini-single": ({"embedding": {"values": ONE}, "usageMetadata": {"promptTokenCount": 5}}, 5),
    "ollama": ({"embeddings": [ONE], "prompt_eval_count": 6}, 6),
    "openai": ({"data": [{"index": 0, "embedding": ONE}], "usage": {"prompt_tokens": 7}}, 7),
    "openai-bytes": ({"data": [{"index": 0, "embedding": ONE}], "usage": {"total_tokens": 8}}, 8),
    "vertex": (
        {"predictions": [{"embeddings": {"values": ONE, "statistics": {"token_count": 9}}}]},
        9,
    ),
}
UNREADABLE = [b"", b"\xff\xfe", b"<html>no</html>", b"[]", b"null", b'"x"', b"[" * 5000, b"{"]


@pytest.fixture(params=sorted(EMBEDDERS))
def dialect(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def embedder(dialect: str) -> Embedder:
    return EMBEDDERS[dialect]


def test_every_dialect_is_held_to_the_contract() -> None:
    assert REPLIES.keys() == EMBEDDERS.keys()


@pytest.mark.parametrize("indent", [None, 2])
def test_vectors_and_tokens_are_what_the_reply_says(
    dialect: str, embedder: Embedder, indent: int | None
) -> None:
    said, tokens = REPLIES[dialect]
    vectors = embedder.whole(json.dumps(said, indent=indent).encode(), COUNTED)
    assert numbers(vectors) == [ONE]
    assert numbers(in_format(vectors, coded=True)) == [pytest.approx(ONE)]
    if tokens == 0:
        assert vectors.usage is None
    else:
        assert vectors.usage is not None
        assert (vectors.usage.prompt, vectors.usage.completion) == (tokens, 0)
        assert not vectors.usage.estimated


def test_a_reply_that_is_cut_or_empty_is_never_taken_for_a_whole_one(
    dialect: str, embedder: Embedder
) -> None:
    body = json.dumps(REPLIES[dialect][0]).encode()
    for end in range(len(body)):
        with pytest.raises(UpstreamFailed):
            embedder.whole(body[:end], {})
    for empty in (b"{}", b'{"data":[]}', b'{"embeddings":[]}', b'{"predictions":[]}'):
        with pytest.raises(UpstreamFailed):
            embedder.whole(empty, {})


def test_what_is_no_number_is_never_a_vector(dialect: str, embedder: Embedder) -> None:
    body = json.dumps(REPLIES[dialect][0])
    whole = json.dumps(ONE)
    assert whole in body
    for odd in ("[]", "[null]", '["x"]', "[[0.5]]", "{}", "null", "0.5", "[true]", '"!"', '""'):
        with pytest.raises(UpstreamFailed):
            embedder.whole(body.replace(whole, odd).encode(), {})


@given(body=st.binary(max_size=200), text=st.text(max_size=200))
def test_no_bytes_break_an_embedder(body: bytes, text: str) -> None:
    for embedder in EMBEDDERS.values():
        for data in (
            body,
            text.encode("utf-8", "surrogatepass"),
            json.dumps({text: text}).encode(),
        ):
            with pytest.raises(UpstreamFailed):
                embedder.whole(data, {})
            embedder.fault(500, {}, data)
            embedder.limits({"x-ratelimit-remaining-requests": text})


@pytest.mark.parametrize("body", UNREADABLE)
def test_an_error_is_named_even_without_a_readable_body(embedder: Embedder, body: bytes) -> None:
    for status, blame in ((401, Blame.OPERATOR), (404, Blame.OPERATOR), (503, Blame.UPSTREAM)):
        failure = embedder.fault(status, {}, body)
        assert CONSEQUENCES[failure.fault].blame is blame, status
        assert failure.status == status
    limited = embedder.fault(429, {"retry-after": "7"}, body)
    assert (limited.fault, limited.retry_after) == (Fault.RATE_LIMITED, 7.0)


def test_a_call_goes_to_the_address_of_the_model_and_holds_the_text(
    dialect: str, embedder: Embedder
) -> None:
    call = embedder.request(asked(input=["Hellö"]), offered(dialect))
    assert call.url == "http://upstream/v1/models/native%2Fm%3A1:embed"
    assert call.headers == {"content-type": "application/json"}
    assert "Hellö".encode() in call.body
    assert call.upstream == "one"
    assert call.dropped == ()


def test_what_cannot_be_said_is_left_out_and_listed(dialect: str, embedder: Embedder) -> None:
    call = embedder.request(asked(user="me", odd=1, encoding_format="base64"), offered(dialect))
    takes_all = embedder.takes is None
    assert call.dropped == (() if takes_all else ("odd", "user"))
    assert (b'"odd":1' in call.body) == takes_all


def test_what_the_row_drops_is_listed_whatever_the_dialect(
    dialect: str, embedder: Embedder
) -> None:
    offer = offered(dialect, drop=frozenset({"dimensions", "encoding_format"}))
    call = embedder.request(asked(dimensions=3, encoding_format="base64"), offer)
    assert call.dropped == ("dimensions",)
    assert b"3" not in call.body
    assert b"base64" not in call.body


def test_token_ids_go_only_to_the_dialect_that_has_words_for_them(
    dialect: str, embedder: Embedder
) -> None:
    ask = asked(input=[[1, 2], [3]])
    if embedder.takes is None:
        body = embedder.request(ask, offered(dialect)).body
        assert json.loads(body)["input"] == [[1, 2], [3]]
        return
    with pytest.raises(UpstreamFailed) as failed:
        embedder.request(ask, offered(dialect))
    assert failed.value.failure.fault is Fault.UNTRANSLATABLE
    assert failed.value.failure.param == "input"
