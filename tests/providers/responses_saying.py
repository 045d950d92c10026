"""Replies of OpenAI Responses as tests say them, and what is heard of them."""

import json

from tests.providers.reading import decode, pieces

from infway.kernel.events import Detail, Event, Reasoning, Refusal, Text, ToolCall
from infway.providers.responses.adapter import Responses

ADAPTER = Responses()
COUNTS = {"input_tokens": 12, "output_tokens": 7, "total_tokens": 19}


def event(kind: str, **fields: object) -> bytes:
    said = json.dumps({"type": kind, **fields}, ensure_ascii=False)
    return f"event: {kind}\ndata: {said}\n\n".encode()


def response(*output: dict, status: str = "completed", **fields: object) -> dict:
    said = {"id": "resp_12345678", "object": "response", "status": status, "output": list(output)}
    return {**said, "error": None, "incomplete_details": None, "usage": COUNTS, **fields}


def message(*texts: str, id_: str = "msg_1", **part: object) -> dict:
    parts = [{"type": "output_text", "text": text, "annotations": [], **part} for text in texts]
    return {"type": "message", "id": id_, "role": "assistant", "content": parts}


def call(name: str, arguments: str, id_: str = "call_1") -> dict:
    said = {"id": f"fc_{id_}", "call_id": id_, "name": name, "arguments": arguments}
    return {"type": "function_call", "status": "completed", **said}


def thinking(*summary: str, id_: str = "rs_1", **fields: object) -> dict:
    parts = [{"type": "summary_text", "text": text} for text in summary]
    return {"type": "reasoning", "id": id_, "summary": parts, **fields}


def added(item: dict, at: int = 0) -> bytes:
    empty = {"content": [], "arguments": "", "summary": []}
    begun = {key: empty.get(key, value) for key, value in item.items()}
    return event("response.output_item.added", output_index=at, item=begun)


def done(item: dict, at: int = 0) -> bytes:
    return event("response.output_item.done", output_index=at, item=item)


def delta(channel: str, text: object, at: int = 0, **place: object) -> bytes:
    return event(f"response.{channel}.delta", output_index=at, delta=text, **place)


def end(*output: dict, **fields: object) -> bytes:
    said = response(*output, **fields)
    return event(f"response.{said['status']}", response=said)


def heard(*frames: bytes, size: int = 10**6) -> list[Event]:
    return decode(ADAPTER.decoder(), pieces(b"".join(frames), size))


def whole(*output: dict, **fields: object) -> list[Event]:
    return ADAPTER.whole(json.dumps(response(*output, **fields)).encode())


def said(events: list[Event], kind: type[Text | Reasoning | Refusal] = Text) -> str:
    return "".join(one.text for one in events if isinstance(one, kind))


def calls(events: list[Event]) -> list[tuple[str | None, str | None, str]]:
    """Id, name and arguments of each call."""
    found: list[tuple[str | None, str | None, str]] = []
    for one in events:
        if isinstance(one, ToolCall):
            if one.position == len(found):
                found.append((one.id, one.name, ""))
            id_, name, arguments = found[one.position]
            found[one.position] = (id_, name, arguments + one.arguments)
    return found


def kept(events: list[Event]) -> list[dict]:
    return [dict(one.item) for one in events if isinstance(one, Detail)]
