"""Small replies of embeddings, made by hand: several texts, other orders, and errors."""

import base64
import json
import struct
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.recording import Recording, Row
from tests.conformance.said import Failing

ONE = [0.5, -1.25, 0.1]
TWO = [2e-9, 3.0, -0.3]
SIGNED = [1.0, -128.0, 127.0]  # what bytes can say
_TEXTS = ["a", "bc"]
_COUNTED = "x-amzn-bedrock-input-token-count"


@dataclass(frozen=True)
class Small:
    """A reply to `asked`, and what it says: the vectors in the order of the texts, or an error."""

    name: str
    dialect: str
    provider: str
    model: str
    asked: dict[str, object]
    body: object
    vectors: list[list[float]]
    tokens: int | None = None
    failing: Failing | None = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def recording(self) -> Recording:
        """The reply as if it had been recorded."""
        row = Row(
            id=self.name,
            file=Path(),
            provider=self.provider,
            api=f"{self.provider}.embeddings",
            dialect=self.dialect,
            model=self.model,
            stream=False,
            wire="json",
            fidelity="exact",
            status=self.status,
            features=(),
            tags=frozenset(),
        )
        body, headers = json.dumps(self.body).encode(), dict(self.headers)
        return Recording(row, self.status, "application/json", headers, body, "", self.asked)


def _floats(numbers: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def _openai(*pairs: tuple[int, object], **usage: int) -> dict[str, object]:
    data = [{"object": "embedding", "index": index, "embedding": one} for index, one in pairs]
    return {"object": "list", "model": "m", "data": data, "usage": usage}


_GEMINI_ASKED: dict[str, object] = {
    "requests": [{"content": {"parts": [{"text": text}]}} for text in _TEXTS]
}
_LIMITED = {
    "error": {
        "code": 429,
        "status": "RESOURCE_EXHAUSTED",
        "message": "Wait.",
        "details": [
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "6.2s"},
        ],
    }
}

SMALL = (
    Small(
        "openai-out-of-order", "openai_embeddings", "openai", "m", {"input": _TEXTS},
        _openai((1, TWO), (0, ONE), prompt_tokens=7, total_tokens=7), [ONE, TWO], 7,
    ),
    Small(
        "openai-base64", "openai_embeddings", "doubleword", "m", {"input": _TEXTS},
        _openai((1, _floats(TWO)), (0, _floats(ONE)), prompt_tokens=7, total_tokens=7),
        [ONE, TWO], 7,
    ),
    Small(
        "voyage-total", "openai_embeddings", "voyage", "m", {"input": "a"},
        _openai((0, ONE), total_tokens=4), [ONE], 4,
    ),
    Small(
        "perplexity-bytes", "openai_embeddings", "perplexity", "pplx-embed-v1-m", {"input": "a"},
        _openai((0, base64.b64encode(b"\x01\x80\x7f").decode()), prompt_tokens=1, total_tokens=1),
        [SIGNED], 1,
    ),
    Small(
        "openai-too-long", "openai_embeddings", "openai", "m", {"input": _TEXTS},
        {"error": {"message": "Too long.", "code": "context_length_exceeded"}}, [],
        failing=Failing(400, "context_length_exceeded", "Too long."), status=400,
    ),
    Small(
        "gemini-uncounted", "gemini_embeddings", "gemini", "m", _GEMINI_ASKED,
        {"embeddings": [{"values": ONE}, {"values": TWO}]}, [ONE, TWO],
    ),
    Small(
        "gemini-limited", "gemini_embeddings", "gemini", "m", _GEMINI_ASKED, _LIMITED, [],
        failing=Failing(429, "upstream_rate_limited", None, 7), status=429,
    ),
    Small(
        "vertex-single", "gemini_embeddings", "vertex", "gemini-embedding-2",
        {"content": {"parts": [{"text": "a"}]}},
        {"embedding": {"values": ONE}, "usageMetadata": {"promptTokenCount": 3}}, [ONE], 3,
    ),
    Small(
        "vertex-several", "vertex_predict", "vertex", "text-embedding-005",
        {"instances": [{"content": text} for text in _TEXTS]},
        {"predictions": [{"embeddings": {"values": one, "statistics": {"token_count": 2}}}
                         for one in (ONE, TWO)]}, [ONE, TWO], 4,
    ),
    Small(
        "cohere-by-type", "cohere_embed", "cohere", "m", {"texts": _TEXTS},
        {"embeddings": {"float": [ONE, TWO]}, "meta": {"billed_units": {"input_tokens": 5}}},
        [ONE, TWO], 5,
    ),
    Small(
        "titan", "bedrock_invoke", "bedrock", "amazon.titan-embed-text-v2:0", {"inputText": "a"},
        {"embedding": ONE, "inputTextTokenCount": 2}, [ONE], 2, headers=((_COUNTED, "2"),),
    ),
    Small(
        "nova", "bedrock_invoke", "bedrock", "amazon.nova-2-multimodal-embeddings-v1:0",
        {"singleEmbeddingParams": {"text": {"value": "a"}}},
        {"embeddings": [{"embeddingType": "TEXT", "embedding": ONE}]}, [ONE], 9,
        headers=((_COUNTED, "9"),),
    ),
    Small(
        "bedrock-limited", "bedrock_invoke", "bedrock", "cohere.embed-v4:0", {"texts": _TEXTS},
        {"message": "Wait."}, [], failing=Failing(429, "upstream_rate_limited"), status=429,
        headers=(("x-amzn-errortype", "ThrottlingException:http://"),),
    ),
    Small(
        "ollama", "ollama_native", "ollama", "m", {"input": _TEXTS},
        {"embeddings": [ONE, TWO], "prompt_eval_count": 6}, [ONE, TWO], 6,
    ),
    Small(
        "ollama-missing", "ollama_native", "ollama", "m", {"prompt": "a"},
        {"error": 'model "m" not found, try pulling it first'}, [],
        failing=Failing(502, "upstream_model_missing"), status=404,
    ),
)  # fmt: skip
