"""A scripted upstream that speaks OpenAI's dialect on a real socket.

The name of the model says how it behaves, up to the first hyphen: `teller-x` and `teller-y` are
two models of one behaviour. Every request is kept, so that tests can count attempts.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = "The capital of France is Paris."
COLORS = [{"name": "red", "hex": "#ff0000"}, {"name": "blue", "hex": "#0000ff"}]
ARGUMENTS = '{"location": "Tokyo"}'
USAGE = {
    "prompt_tokens": 25,
    "completion_tokens": 8,
    "total_tokens": 33,
    "prompt_tokens_details": {"cached_tokens": 5, "audio_tokens": None},
    "completion_tokens_details": {"reasoning_tokens": 0},
}
PIECES = {"slow": 20, "endless": 400}  # which a program leaves in time, however busy the machine
SLOW_PAUSE = 0.05  # seconds between two pieces of a slow stream
SILENCE = 0.6  # seconds before a quiet upstream says its first word
REMORSE = 0.4  # seconds before a stream goes wrong: what came before has long been passed on

Body = dict[str, Any]

# status, headers, error object
REFUSALS: dict[str, tuple[int, dict[str, str], Body]] = {
    "rejecting": (400, {}, {"message": "top_k: too small", "param": "top_k", "code": "bad_value"}),
    "forgetful": (
        400,
        {},
        {"message": "This model's maximum context length is 10 tokens.", "type": "invalid"},
    ),
    "unpaid": (402, {}, {"message": "Insufficient balance", "code": "insufficient_balance"}),
    "barred": (401, {}, {"message": "Incorrect API key provided: sk-mock-0123456789abcdef"}),
    "limited": (429, {"retry-after": "90"}, {"message": "Slow down", "type": "requests"}),
    "failing": (500, {}, {"message": "boom", "type": "server_error"}),
    "down": (503, {}, {"message": "down", "type": "server_error"}),
}


class Upstream(ThreadingHTTPServer):
    """The server. `requests`: bodies as they came; `left`: models whose stream lost its reader."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.requests: list[Body] = []
        self.left: list[str] = []
        self.speaking: dict[str, threading.Event] = {}

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def calls(self, model: str) -> list[Body]:
        """Return the requests for one model."""
        return [body for body in self.requests if body["model"] == model]

    def handle_error(self, request: object, client_address: object) -> None:
        """A reader that leaves is part of the play; anything else is a fault of the script."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def running_upstream() -> Iterator[Upstream]:
    """Serve in a thread for the length of the block."""
    server = Upstream()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Conversation(BaseHTTPRequestHandler):
    """One connection."""

    server: Upstream
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append(body)
        behaviour = body["model"].partition("-")[0]
        if behaviour == "moody":  # refuses the first request of all
            behaviour = "limited" if len(self.server.calls(body["model"])) == 1 else "teller"
        if behaviour in REFUSALS:
            status, headers, error = REFUSALS[behaviour]
            wait = {"retry-after": "1"} if body["model"].startswith("moody") else {}
            self._reply(status, {"error": error}, {**headers, **wait})
        elif behaviour == "vectors":
            self._reply(200, _vectors(body), {})
        elif body.get("stream"):
            self._stream(body, behaviour)
        else:
            if behaviour in ("quiet", "slow"):
                time.sleep(SILENCE)
            self._reply(200, _whole(body), {})

    def _reply(self, status: int, body: Body, headers: dict[str, str]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, body: Body, behaviour: str) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            self._speak(body, behaviour)
        except OSError:
            self.server.left.append(body["model"])
            self.close_connection = True

    def _speak(self, body: Body, behaviour: str) -> None:
        if behaviour == "quiet":
            time.sleep(SILENCE)
        for number, frame in enumerate(_frames(body, behaviour)):
            if behaviour in ("breaking", "lamenting") and number == 3:
                time.sleep(REMORSE)
            if behaviour == "breaking" and number == 3:
                self.close_connection = True
                return
            self._write(f"data: {json.dumps(frame)}\n\n".encode())
            if behaviour in PIECES:
                time.sleep(SLOW_PAUSE)
        self._write(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def _write(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()


def _message(body: Body) -> tuple[Body, str]:
    """Return the answer to a request, and its finish."""
    last = body["messages"][-1]
    if last["role"] == "tool":
        return {"role": "assistant", "content": f"The tool says: {last['content']}"}, "stop"
    if body.get("tools"):
        name = body["tools"][0]["function"]["name"]
        call = {"name": name, "arguments": ARGUMENTS}
        calls = [{"id": "call_1", "type": "function", "function": call}]
        return {"role": "assistant", "content": None, "tool_calls": calls}, "tool_calls"
    if body.get("response_format", {}).get("type") == "json_object":
        return {"role": "assistant", "content": json.dumps(COLORS)}, "stop"
    return {"role": "assistant", "content": ANSWER}, "stop"


def _root(body: Body, kind: str) -> Body:
    return {"id": "chatcmpl-abc123", "object": kind, "created": 1705369200, "model": body["model"]}


def _whole(body: Body) -> Body:
    message, finish = _message(body)
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    return {**_root(body, "chat.completion"), "choices": [choice], "usage": USAGE}


def _vectors(body: Body) -> Body:
    rows = [
        {"object": "embedding", "index": index, "embedding": [0.5, len(text) / 4]}
        for index, text in enumerate(body["input"])
    ]
    usage = {"prompt_tokens": 2, "total_tokens": 2}
    return {"object": "list", "data": rows, "model": body["model"], "usage": usage}


def _frames(body: Body, behaviour: str) -> Iterator[Body]:
    root = _root(body, "chat.completion.chunk")
    message, finish = _message(body)
    for number, delta in enumerate(_deltas(message, behaviour)):
        if behaviour == "lamenting" and number == 3:
            yield {"error": {"message": "the GPU is on fire", "code": "server_error"}}
            return
        yield {**root, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**root, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    if body.get("stream_options", {}).get("include_usage"):
        yield {**root, "choices": [], "usage": USAGE}


def _deltas(message: Body, behaviour: str) -> Iterator[Body]:
    yield {"role": "assistant", "content": ""}
    if behaviour in PIECES:
        yield from ({"content": f"{number} "} for number in range(PIECES[behaviour]))
    elif "tool_calls" in message:
        call = message["tool_calls"][0]
        start = {**call["function"], "arguments": ""}
        yield {"tool_calls": [{"index": 0, **call, "function": start}]}
        text = call["function"]["arguments"]
        for piece in (text[:9], text[9:]):
            yield {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
    else:
        yield from ({"content": f"{word} "} for word in message["content"].split())
