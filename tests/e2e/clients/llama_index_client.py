"""LlamaIndex through a gateway: an answer, a stream, a tool and vectors."""

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike

MODEL = "teller-frameworks"


def weather(location: str) -> str:
    """Tell the weather at a location."""
    return f"18 degrees in {location}"


def report(base: str, key: str) -> dict[str, object]:
    said = {"model": MODEL, "api_base": f"{base}/v1", "api_key": key, "max_retries": 0}
    chat = OpenAILike(**said, is_chat_model=True, is_function_calling_model=True)
    texts = OpenAILike(**said, is_chat_model=False)
    question = [ChatMessage(role="user", content="What is the capital of France?")]
    tool = FunctionTool.from_defaults(fn=weather)
    used = chat.predict_and_call([tool], "How is the weather in Tokyo?")
    vectors = OpenAILikeEmbedding(
        model_name="vectors-frameworks", api_base=f"{base}/v1", api_key=key
    )
    return {
        "answer": chat.chat(question).message.content,
        "streamed": "".join(piece.delta or "" for piece in chat.stream_chat(question)),
        "used": str(used),
        "continued": texts.complete("The capital of France is").text,
        "continued_streamed": "".join(piece.delta or "" for piece in texts.stream_complete("And")),
        "vector": vectors.get_text_embedding("a"),
    }
