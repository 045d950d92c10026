"""Requests to Bedrock as clients write them, and the bodies that leave, checked by botocore."""

import base64
import json
from dataclasses import replace
from functools import cache

import botocore.session
import msgspec
import pytest
from botocore.validate import ParamValidator
from tests.wall.asking import ask, offer, upstream

from infway.kernel.chat import HttpCall
from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.bedrock.adapter import Bedrock

ADAPTER = Bedrock()
HELLO = {"role": "user", "content": "Hello"}
URL = "https://bedrock-runtime.us-east-1.amazonaws.com/model/{model}/{action}"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"  # thinks with a budget, takes a prefill
NEWER = "us.anthropic.claude-sonnet-5"  # thinks as it sees fit
ELDER = "anthropic.claude-3-haiku-20240307-v1:0"  # thinks never, keeps to no schema
NOVA = "us.amazon.nova-lite-v1:0"
NOVA_2 = "us.amazon.nova-2-lite-v1:0"
OSS = "openai.gpt-oss-120b-1:0"
GPT = "openai.gpt-6"
DEEPSEEK = "deepseek.v3.2"
QWEN = "qwen.qwen3-32b-v1:0"
LLAMA = "us.meta.llama4-maverick-17b-instruct-v1:0"
MISTRAL = "mistral.mistral-large-2407-v1:0"
UNKNOWN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"


@cache
def shape():
    """What AWS says a Converse request is."""
    model = botocore.session.get_session().get_service_model("bedrock-runtime")
    return model.operation_model("Converse").input_shape


def unpacked(value: object) -> object:
    """The body as the SDK's callers write it: bytes are bytes, not base64."""
    if isinstance(value, list):
        return [unpacked(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: base64.b64decode(one)
        if name in ("bytes", "redactedContent") and isinstance(one, str)
        else unpacked(one)
        for name, one in value.items()
    }


def call(*messages: dict, native: str = CLAUDE, stream: bool = False, **said) -> HttpCall:
    """What is sent for these messages; `source` and `limits` are facts of upstream and offer."""
    source, limits = said.pop("source", {}), said.pop("limits", {})
    fields = {"messages": list(messages) or [HELLO], **said}
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in fields.items()}
    place = replace(upstream("aws", dialect="bedrock", **source), chat_url=URL)
    sent = ADAPTER.request(ask(stream=stream, fields=raw), offer(native, place, **limits))
    report = ParamValidator().validate(
        {**unpacked(json.loads(sent.body)), "modelId": native}, shape()
    )
    assert not report.has_errors(), report.generate_report()
    return sent


def body(*messages: dict, **said) -> dict:
    """What is sent, where nothing of the request is lost."""
    sent = call(*messages, **said)
    assert sent.dropped == ()
    return json.loads(sent.body)


def lossy(*messages: dict, **said) -> tuple[dict, tuple[str, ...]]:
    """What is sent, and what is not."""
    sent = call(*messages, **said)
    return json.loads(sent.body), sent.dropped


def turns(*messages: dict, **said) -> list[tuple[str, list[dict]]]:
    return [(one["role"], one["content"]) for one in body(*messages, **said)["messages"]]


def refused(*messages: dict, **said) -> str | None:
    """The path of what Bedrock has no words for."""
    with pytest.raises(UpstreamFailed) as caught:
        call(*messages, **said)
    assert caught.value.failure.fault is Fault.UNTRANSLATABLE
    return caught.value.failure.param


def user(*parts: dict) -> dict:
    return {"role": "user", "content": list(parts)}


def text(said: str, **more) -> dict:
    return {"type": "text", "text": said, **more}


def data(media_type: str, content: bytes = b"x") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def picture(url: str, **more) -> dict:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def file(url: str, name: str | None = None, **more) -> dict:
    named = {"filename": name} if name else {}
    return {"type": "file", "file": {"file_data": url, **named}, **more}


def calling(id_: str = "tooluse_1", arguments: str = '{"city":"Oslo"}', **said) -> dict:
    function = {"name": "weather", "arguments": arguments}
    made = {"id": id_, "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [made], **said}


def answered(content: object = "rain", id_: str = "tooluse_1", **said) -> dict:
    return {"role": "tool", "tool_call_id": id_, "content": content, **said}


def tool(name: str = "weather", **said) -> dict:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    return {"type": "function", "function": {"name": name, "parameters": schema, **said}}
