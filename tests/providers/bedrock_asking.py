"""Requests to Bedrock as clients write them, and the bodies that leave, checked by botocore."""

import base64
import json
from functools import cache

import botocore.session
from botocore.validate import ParamValidator
from tests.providers.asking import Asking

from infway.kernel.chat import HttpCall
from infway.providers.bedrock.adapter import Bedrock

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


def _check(sent: HttpCall, native: str) -> None:
    said = {**unpacked(json.loads(sent.body)), "modelId": native}
    report = ParamValidator().validate(said, shape())
    assert not report.has_errors(), report.generate_report()


_ASKING = Asking(Bedrock, "bedrock", URL, CLAUDE, _check)
call, body, lossy, refused = _ASKING.call, _ASKING.body, _ASKING.lossy, _ASKING.refused


def turns(*messages: dict, **said) -> list[tuple[str, list[dict]]]:
    return [(one["role"], one["content"]) for one in _ASKING.said(*messages, **said)]


def data(media_type: str, content: bytes = b"x") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def file(url: str, name: str | None = None, **more) -> dict:
    named = {"filename": name} if name else {}
    return {"type": "file", "file": {"file_data": url, **named}, **more}
