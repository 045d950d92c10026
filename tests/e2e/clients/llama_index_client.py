"""LlamaIndex through a gateway: an answer, a stream, a tool and vectors, as JSON on standard output.

`python llama_index_client.py BASE_URL KEY`
"""

import json
import sys

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike

BASE, KEY = sys.argv[1:]
MODEL = "teller-frameworks"
SAID = {"model": MODEL, "api_base": f"{BASE}/v1", "api_key": KEY, "max_retries": 0}


def weather(location: str) -> str:
    """Tell the weather at a location."""
    return f"18 degrees in {location}"


def report() -> dict[str, object]:
    chat = OpenAILike(**SAID, is_chat_model=True, is_function_calling_model=True)
    texts = OpenAILike(**SAID, is_chat_model=False)
    question = [ChatMessage(role="user", content="What is the capital of France?")]
    tool = FunctionTool.from_defaults(fn=weather)
    used = chat.predict_and_call([tool], "How is the weather in Tokyo?")
    vectors = OpenAILikeEmbedding(
        model_name="vectors-frameworks", api_base=f"{BASE}/v1", api_key=KEY
    )
    return {
        "answer": chat.chat(question).message.content,
        "streamed": "".join(piece.delta or "" for piece in chat.stream_chat(question)),
        "used": str(used),
        "continued": texts.complete("The capital of France is").text,
        "continued_streamed": "".join(piece.delta or "" for piece in texts.stream_complete("And")),
        "vector": vectors.get_text_embedding("a"),
    }


json.dump(report(), sys.stdout)
