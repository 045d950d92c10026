"""The truth of recorded embeddings: the vectors, their order, the tokens, and the texts.

OpenAI and its like https://platform.openai.com/docs/api-reference/embeddings,
Gemini https://ai.google.dev/api/embeddings,
Vertex https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api,
Cohere https://docs.cohere.com/reference/embed,
Bedrock https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html,
Ollama https://docs.ollama.com/api/embed
"""

import base64
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.conformance.recording import Recording
from tests.conformance.said import PRICES, Failing
from tests.conformance.truth_errors import failing
from tests.conformance.wires import Json

Vector = list[float]
_COUNTED = "x-amzn-bedrock-input-token-count"  # all that Cohere's and Nova's models tell there


@dataclass
class Embedded:
    """A reply of embeddings. `tokens` None: the vendor did not count."""

    vectors: list[Vector] = field(default_factory=list)
    tokens: int | None = None
    failing: Failing | None = None

    @property
    def cost(self) -> float | None:
        """USD at PRICES; None where the vendor did not count."""
        return None if self.tokens is None else self.tokens * float(PRICES["input_price"]) / 1e6


def read(recording: Recording) -> Embedded:
    """Return what a recorded reply says."""
    if recording.status != 200:
        return Embedded(failing=failing(recording))
    return _READERS[recording.row.dialect](recording, json.loads(recording.text))


def texts(recording: Recording) -> list[str]:
    """Return the texts of the recorded request."""
    found = _texts(dict(recording.asked))
    if not found or not all(isinstance(text, str) for text in found):
        raise ValueError(f"no texts in {recording.row.id}")
    return found


def _texts(asked: Json) -> list[str]:
    if "requests" in asked:
        return [_text(one["content"]) for one in asked["requests"]]
    if "content" in asked:
        return [_text(asked["content"])]
    if "instances" in asked:
        return [one["content"] for one in asked["instances"]]
    if "singleEmbeddingParams" in asked:
        return [asked["singleEmbeddingParams"]["text"]["value"]]
    names = ("input", "texts", "inputText", "prompt")
    said = next(asked[name] for name in names if name in asked)
    return [said] if isinstance(said, str) else said


def _text(content: Json) -> str:
    return "".join(part["text"] for part in content["parts"])


def _openai(recording: Recording, body: Json) -> Embedded:
    placed = sorted(body["data"], key=lambda one: one["index"])
    is_small = recording.row.provider == "perplexity"  # base64 of signed bytes
    read = _signed if is_small else _floats
    vectors = [
        read(one["embedding"]) if isinstance(one["embedding"], str) else one["embedding"]
        for one in placed
    ]
    usage = body.get("usage") or {}
    return Embedded(vectors, usage.get("prompt_tokens", usage.get("total_tokens")))


def _floats(text: str) -> Vector:
    """Return base64 of little-endian float32 as numbers."""
    data = base64.b64decode(text)
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def _signed(text: str) -> Vector:
    return [float(one) for one in memoryview(base64.b64decode(text)).cast("b")]


def _gemini(_: Recording, body: Json) -> Embedded:
    found = body["embeddings"] if "embeddings" in body else [body["embedding"]]
    tokens = body.get("usageMetadata", {}).get("promptTokenCount")
    return Embedded([one["values"] for one in found], tokens)


def _vertex(_: Recording, body: Json) -> Embedded:
    found = [one["embeddings"] for one in body["predictions"]]
    tokens = sum(one["statistics"]["token_count"] for one in found)
    return Embedded([one["values"] for one in found], tokens)


def _cohere(_: Recording, body: Json) -> Embedded:
    found = body["embeddings"]
    tokens = body["meta"]["billed_units"]["input_tokens"]
    return Embedded(found["float"] if isinstance(found, dict) else found, tokens)


def _bedrock(recording: Recording, body: Json) -> Embedded:
    if "inputTextTokenCount" in body:
        return Embedded([body["embedding"]], body["inputTextTokenCount"])
    counted = recording.headers.get(_COUNTED)
    tokens = None if counted is None else int(counted)
    found = body["embeddings"]
    if isinstance(found, list):
        return Embedded([one["embedding"] for one in found], tokens)
    return Embedded(found["float"], tokens)


def _ollama(_: Recording, body: Json) -> Embedded:
    found = body["embeddings"] if "embeddings" in body else [body["embedding"]]
    return Embedded(found, body.get("prompt_eval_count"))


_READERS: Mapping[str, Callable[[Recording, Json], Embedded]] = {
    "openai_embeddings": _openai,
    "gemini_embeddings": _gemini,
    "vertex_predict": _vertex,
    "cohere_embed": _cohere,
    "bedrock_invoke": _bedrock,
    "ollama_native": _ollama,
}
