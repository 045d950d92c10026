"""What the OpenAI SDK of the running interpreter makes of a gateway, as JSON on standard output.

`python openai_sdk.py BASE_URL KEY TAG`. TAG ends the names of the models, so that two SDKs do not
share the gateway's memory of an upstream's failures.
"""

import json
import sys
import time

import openai

BASE, KEY, TAG = sys.argv[1:]
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather in a location",
        "parameters": {
            "type": "object",
            "properties": {"location": {"type": "string"}},
            "required": ["location"],
        },
    },
}
client = openai.OpenAI(api_key=KEY, base_url=f"{BASE}/v1")


def ask(behaviour, messages=QUESTION, **fields):
    name = f"{behaviour}-{TAG}"
    return client.chat.completions.create(model=name, messages=messages, **fields)


def whole():
    raw = client.chat.completions.with_raw_response.create(
        model=f"teller-{TAG}", messages=QUESTION, extra_body={"usage": {"include": True}}
    )
    done = raw.parse()
    return {
        "content": done.choices[0].message.content,
        "finish": done.choices[0].finish_reason,
        "id": done.id,
        "model": done.model,
        "usage": done.usage.model_dump(),
        "cost": done.model_extra["cost"],
        "details": done.model_extra["cost_details"],
        "headers": dict(raw.headers),
    }


def streamed():
    with ask("teller", stream=True) as stream:
        chunks = list(stream)
    return {
        "content": "".join(chunk.choices[0].delta.content or "" for chunk in chunks),
        "finish": chunks[-1].choices[0].finish_reason,
        "usage": chunks[-1].usage.total_tokens,
        "models": sorted({chunk.model for chunk in chunks}),
        "ids": len({chunk.id for chunk in chunks}),
    }


def streamed_usage():
    chunks = list(ask("teller", stream=True, stream_options={"include_usage": True}))
    return {
        "choices": len(chunks[-1].choices),
        "usage": chunks[-1].usage.model_dump(),
        "earlier": [chunk.usage for chunk in chunks[:-1] if chunk.usage is not None],
    }


def tools():
    first = ask("teller", tools=[WEATHER]).choices[0]
    call = first.message.tool_calls[0]
    conversation = [
        *QUESTION,
        first.message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "18 degrees"},
    ]
    last = ask("teller", conversation, tools=[WEATHER]).choices[0]
    return {
        "finish": first.finish_reason,
        "name": call.function.name,
        "arguments": call.function.arguments,
        "answer": last.message.content,
    }


def streamed_tools():
    name, arguments, finish = "", "", None
    for chunk in ask("teller", tools=[WEATHER], stream=True):
        choice = chunk.choices[0]
        finish = choice.finish_reason or finish
        for call in choice.delta.tool_calls or ():
            name += call.function.name or ""
            arguments += call.function.arguments or ""
    return {"name": name, "arguments": arguments, "finish": finish}


def waits_for_a_silent_model():
    return "".join(chunk.choices[0].delta.content or "" for chunk in ask("quiet", stream=True))


def leaves_early():
    with ask("endless", stream=True) as stream:
        return next(iter(stream)).choices[0].delta.role


def falls_back():
    raw = client.chat.completions.with_raw_response.create(
        model=f"shared-{TAG}",
        messages=QUESTION,
        extra_body={"provider": {"order": [f"first-{TAG}"]}},
    )
    return {"status": raw.status_code, "attempts": raw.headers["x-gateway-attempts"]}


def lists_models():
    return [model.id for model in client.models.list()]


def one_model():
    return client.models.retrieve(f"teller-{TAG}").id


def refused(make):
    began = time.perf_counter()
    try:
        make()
    except openai.APIError as error:
        response = getattr(error, "response", None)
        return {
            "class": type(error).__name__,
            "status": getattr(error, "status_code", None),
            "code": error.code,
            "param": error.param,
            "type": error.type,
            "body": error.body,
            "message": error.message,
            "headers": {} if response is None else dict(response.headers),
            "seconds": time.perf_counter() - began,
        }
    return None


def broken_off(behaviour):
    said = []
    error = refused(
        lambda: said.extend(
            chunk.choices[0].delta.content or "" for chunk in ask(behaviour, stream=True)
        )
    )
    return {"said": "".join(said), "error": error}


def recovers():
    began = time.perf_counter()
    content = ask("moody").choices[0].message.content
    return {"content": content, "seconds": time.perf_counter() - began}


stranger = client.with_options(api_key="sk-nobody-knows-this-key")
SCENARIOS = {
    "whole": whole,
    "streamed": streamed,
    "streamed_usage": streamed_usage,
    "tools": tools,
    "streamed_tools": streamed_tools,
    "waits_for_a_silent_model": waits_for_a_silent_model,
    "leaves_early": leaves_early,
    "falls_back": falls_back,
    "lists_models": lists_models,
    "one_model": one_model,
    "recovers": recovers,
    "stranger": lambda: refused(
        lambda: stranger.chat.completions.create(model="auto", messages=QUESTION)
    ),
    "unknown_model": lambda: refused(lambda: ask("nothing")),
    "out_of_range": lambda: refused(lambda: ask("teller", temperature=5)),
    "no_messages": lambda: refused(lambda: ask("teller", [])),
    "no_such_path": lambda: refused(lambda: client.post("/nonsense", cast_to=object, body={})),
    "refused_stream": lambda: refused(lambda: ask("failing", stream=True)),
    "breaking": lambda: broken_off("breaking"),
    "lamenting": lambda: broken_off("lamenting"),
    **{
        name: lambda name=name: refused(lambda: ask(name))
        for name in ("rejecting", "forgetful", "unpaid", "barred", "limited", "failing", "down")
    },
}

report = {"version": openai.__version__}
for name, play in SCENARIOS.items():
    try:
        report[name] = play()
    except Exception as error:  # noqa: BLE001 - one scenario's surprise is that scenario's result
        report[name] = f"{type(error).__name__}: {error}"
json.dump(report, sys.stdout, default=str)
