"""Three upstreams on one raw socket, in two dialects, that do with each request as it is planned."""

import asyncio
import contextlib
import json
import re
import socket
import struct
from collections import defaultdict
from random import Random

from tests.rescue.plan import OTHER, Plan, goes_on, plan_of

_SEED = re.compile(rb"seed-(\d+)")
_PAUSES = 8  # in one stream
_PAUSE = 0.004  # seconds
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Upstreams:
    """What has been asked and said: `texts` by the number of the request, whole."""

    def __init__(self) -> None:
        self.port = 0
        self.texts: defaultdict[int, list[str]] = defaultdict(list)

    async def open(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await self._answer(reader, writer):
                pass
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ")[1].decode()
        length = int(re.search(rb"content-length: (\d+)", head.lower())[1])  # type: ignore[index]
        body = await reader.readexactly(length)
        seed = int(_SEED.search(body)[1])  # type: ignore[index]
        plan, name = plan_of(seed), path.split("/")[1]
        begun = _begun(json.loads(body))
        does = {"one": "cut", "two": plan.second, "three": plan.third}[name]
        if does == "down" or (does == "refuses" and begun):
            status = b"500 No" if does == "down" else b"400 No"
            writer.write(b"HTTP/1.1 %b\r\ncontent-length: 2\r\n\r\n{}" % status)
            return True
        frames = self._frames(plan, seed, begun, does, path.endswith("/messages"))
        if does != "cut":
            await _send(writer, frames, plan.segment)
            writer.write(b"0\r\n\r\n")
            return True
        data = b"".join(frames)
        share = plan.cut if name == "one" else Random(seed).random()
        await _send(writer, _until(frames, int(share * len(data))), plan.segment)
        if plan.ends == "stall":
            await reader.read()  # until the other side gives up
            return False
        return await _break(writer, plan.ends)

    def _frames(self, plan: Plan, seed: int, begun: str, does: str, is_claude: bool) -> list[bytes]:
        said = self.texts[seed]
        if not begun:
            whole = OTHER if does == "other" else plan.answer
            said.append(whole)
            pieces = [OTHER] if does == "other" else list(plan.pieces)
        else:
            whole = goes_on(begun, said, other=does == "other")
            said.append(whole)
            rest = whole if does == "repeats" else whole[len(begun) :]
            pieces = [rest[i : i + 5] for i in range(0, len(rest), 5)]
        return (_claude if is_claude else _openai)(pieces)


def _begun(body: dict) -> str:
    last = body["messages"][-1]
    if last["role"] != "assistant":
        return ""
    content = last["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _openai(pieces: list[str]) -> list[bytes]:
    root = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "native"}

    def frame(delta: dict, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return _event({**root, "choices": [choice]})

    usage = {"prompt_tokens": 5, "completion_tokens": len(pieces), "total_tokens": 5 + len(pieces)}
    counted = _event({**root, "choices": [], "usage": usage})
    texts = [frame({"content": piece}) for piece in pieces]
    begin = frame({"role": "assistant", "content": ""})
    return [begin, *texts, frame({}, "stop"), counted, b"data: [DONE]\n\n"]


def _claude(pieces: list[str]) -> list[bytes]:
    message = {"id": "m1", "type": "message", "role": "assistant", "content": []}
    message |= {"model": "claude", "usage": {"input_tokens": 5, "output_tokens": 1}}

    def named(kind: str, **more: object) -> bytes:
        return b"event: " + kind.encode() + b"\n" + _event({"type": kind, **more})

    return [
        named("message_start", message=message),
        named("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *(
            named("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
            for piece in pieces
        ),
        named("content_block_stop", index=0),
        named(
            "message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage={"output_tokens": len(pieces)},
        ),
        named("message_stop"),
    ]


def _event(value: object) -> bytes:
    said = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return b"data: " + said.encode() + b"\n\n"


def _until(frames: list[bytes], size: int) -> list[bytes]:
    """Return the frames as far as so many bytes, the last of them cut."""
    kept: list[bytes] = []
    for frame in frames:
        kept.append(frame[:size])
        size -= len(frame)
        if size <= 0:
            break
    return kept


async def _send(writer: asyncio.StreamWriter, frames: list[bytes], segment: int) -> None:
    writer.write(_HEAD)
    data = b"".join(frames)
    pieces = [data[i : i + segment] for i in range(0, len(data), segment)] if segment else frames
    step = max(1, len(pieces) // _PAUSES)
    for number, piece in enumerate(pieces):
        if piece:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        if number % step == step - 1:
            await asyncio.sleep(_PAUSE)  # the other side reads what is there
    await writer.drain()


async def _break(writer: asyncio.StreamWriter, how: str) -> bool:
    """End a stream that is not whole; return whether the connection lives."""
    if how == "error":
        writer.write(_chunk(b'event: error\ndata: {"type":"error","error":{"type":"api_error",'
                            b'"message":"no"}}\n\n') + b"0\r\n\r\n")  # fmt: skip
        return True
    if how == "clean":
        writer.write(b"0\r\n\r\n")
        return True
    if how == "reset":
        await asyncio.sleep(0.001)
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    return False


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
