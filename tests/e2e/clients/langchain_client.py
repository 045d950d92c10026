"""LangChain through a gateway: answers, streams and a tool, over three APIs."""

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

MODEL = "teller-frameworks"
QUESTION = "How is the weather in Tokyo?"


@tool
def weather(location: str) -> str:
    """Tell the weather at a location."""
    return f"18 degrees in {location}"


def used(model) -> str:
    """Let the model use the tool, and return what it says then."""
    bound = model.bind_tools([weather])
    talk = [HumanMessage(QUESTION)]
    called = bound.invoke(talk)
    call = called.tool_calls[0]
    result = ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"])
    return bound.invoke([*talk, called, result]).text


def streamed_call(model) -> object:
    """Return the tool call that a stream adds up to."""
    whole = None
    for piece in model.bind_tools([weather]).stream(QUESTION):
        whole = piece if whole is None else whole + piece
    return [[call["name"], call["args"]] for call in whole.tool_calls]


def told(model) -> dict[str, object]:
    answer = model.invoke("What is the capital of France?")
    return {
        "answer": answer.text,
        "usage": [answer.usage_metadata["input_tokens"], answer.usage_metadata["output_tokens"]],
        "streamed": "".join(piece.text for piece in model.stream("And of Spain?")),
        "used": used(model),
        "streamed_call": streamed_call(model),
    }


def report(base: str, key: str) -> dict[str, object]:
    openai = {"model": MODEL, "base_url": f"{base}/v1", "api_key": key}
    anthropic = ChatAnthropic(model=MODEL, base_url=base, api_key=key, max_tokens=100)
    vectors = OpenAIEmbeddings(
        model="vectors-frameworks", base_url=f"{base}/v1", api_key=key, tiktoken_enabled=False,
        check_embedding_ctx_length=False,
    )  # fmt: skip
    return {
        "chat": told(ChatOpenAI(**openai, stream_usage=True)),
        "responses": told(ChatOpenAI(**openai, use_responses_api=True)),
        "messages": told(anthropic),
        "vectors": vectors.embed_documents(["a", "b"]),
    }
