"""What each vendor publishes of its own requests, as a judge: its SDK's types, or its schema."""

import json
import re
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, get_type_hints

import ollama._types as ollama_types
from anthropic.types import message_create_params as anthropic_types
from cohere.v2.client import V2Client
from google.genai import types as google_types
from openai.types.responses import response_create_params as openai_types
from pydantic import TypeAdapter, ValidationError
from tests.translation.annotations import faults
from tests.translation.aws_shapes import aws_faults, input_shape

from infway.kernel.chat import HttpCall

Json = dict[str, Any]
Judge = Callable[[HttpCall, Json], list[str]]
# Taken by every model before Claude Opus 4.7; the newest types of the SDK leave them out
_SAMPLING: Mapping[str, Any] = {"temperature": float, "top_p": float, "top_k": int}
# Where the model stands in the URL, the version stands in the body
_VERSIONS = ("bedrock-2023-05-31", "vertex-2023-10-16")


def judge(dialect: str, call: HttpCall) -> list[str]:
    """Return what the vendor would not take of a call, a line each."""
    return JUDGES[dialect](call, json.loads(call.body))


def _anthropic(call: HttpCall, body: Json) -> list[str]:
    found: list[str] = []
    if "anthropic_version" in body:
        if body.pop("anthropic_version") not in _VERSIONS:
            found.append(".anthropic_version: unknown")
        if "model" in body:
            found.append(".model: stands in the URL where the version stands in the body")
        body["model"] = "in the URL"
    for name, kind in _SAMPLING.items():
        if name in body:
            found += faults(body.pop(name), kind, f".{name}")
    return found + faults(body, anthropic_types.MessageCreateParams)


def _bedrock_invoke(call: HttpCall, body: Json) -> list[str]:
    found = [
        f".{name}: InvokeModel has no such key" for name in ("stream", "model") if name in body
    ]
    if "anthropic_version" not in body:
        found.append(".anthropic_version: missing")
    body.pop("anthropic_beta", None)
    return found + _anthropic(call, {k: v for k, v in body.items() if k not in ("stream", "model")})


def _gemini(_: HttpCall, body: Json) -> list[str]:
    found = [f".{name}: no such key" for name in body if name not in _google()]
    for name in body.keys() & _google().keys():
        found += _google_faults(name, json.dumps(body[name]))
    return found + ([] if "contents" in body else [".contents: missing"])


def _google_faults(name: str, said: str) -> list[str]:
    try:
        with warnings.catch_warnings(action="error"):  # of words that no enumeration has
            _google()[name].validate_json(said, strict=True)
    except ValidationError as error:
        lines = [(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors()]
        return [f".{name}.{place}: {message}" for place, message in lines]
    except (AttributeError, UserWarning) as error:  # enumerations expect words
        return [f".{name}: {error}"]
    return []


@cache
def _google() -> Mapping[str, TypeAdapter[Any]]:
    """Return the types of the root keys: the SDK itself takes them in another arrangement."""
    keys = {
        "contents": list[google_types.Content],
        "systemInstruction": google_types.Content,
        "generationConfig": google_types.GenerationConfig,
        "tools": list[google_types.Tool],
        "toolConfig": google_types.ToolConfig,
        "safetySettings": list[google_types.SafetySetting],
        "cachedContent": str,
        "serviceTier": google_types.ServiceTier,
        "labels": dict[str, str],
    }
    return {name: TypeAdapter(kind) for name, kind in keys.items()}


def _bedrock(_: HttpCall, body: Json) -> list[str]:
    return aws_faults({**body, "modelId": "in-the-url"}, input_shape("bedrock-runtime", "Converse"))


def _cohere(_: HttpCall, body: Json) -> list[str]:
    hints = get_type_hints(V2Client.chat, include_extras=True)
    keys = {k: v for k, v in hints.items() if k not in ("return", "request_options")}
    keys["stream"] = bool
    found = [f".{name}: missing" for name in ("model", "messages") if name not in body]
    for name, value in body.items():
        found += (
            faults(value, keys[name], f".{name}") if name in keys else [f".{name}: no such key"]
        )
    return found


_LOOSE = (ollama_types.Tool.Function.Parameters, ollama_types.Tool.Function.Parameters.Property)


def _ollama(_: HttpCall, body: Json) -> list[str]:
    """Schemas of tools go to the model's template as they are, so they may say more.

    The types of the library lag behind the server: it numbers calls, and it takes images as text.
    """
    found = faults(body.pop("options", {}), ollama_types.Options, ".options")
    for place, message in enumerate(body.get("messages", ())):
        path = f".messages[{place}]"
        found += faults(message.pop("images", []), list[bytes], f"{path}.images")
        found += faults(message.pop("tool_call_id", ""), str, f"{path}.tool_call_id")
        for call in message.get("tool_calls", ()):
            found += faults(call.pop("id", ""), str, f"{path}.tool_calls.id")
            found += faults(
                call.pop("type", "function"), Literal["function"], f"{path}.tool_calls.type"
            )
    found += faults(body.pop("messages", None), list[ollama_types.Message], ".messages")
    return found + faults(body, ollama_types.ChatRequest, "", _LOOSE)


# Keys that the types demand and the API does not, as recorded requests show
_NOT_MISSED = re.compile(r".*\.(id|annotations|detail): missing in Response\w+Param")


def _responses(_: HttpCall, body: Json) -> list[str]:
    found = faults(body, openai_types.ResponseCreateParams)
    return [line for line in found if not _NOT_MISSED.fullmatch(line)]


JUDGES: Mapping[str, Judge] = {
    "anthropic": _anthropic,
    "gemini": _gemini,
    "bedrock": _bedrock,
    "bedrock-invoke": _bedrock_invoke,
    "cohere": _cohere,
    "ollama": _ollama,
    "responses": _responses,
}
