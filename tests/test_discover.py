"""Discovery: keys in the environment, and real servers on loopback."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from infway.discover import Discovered, Found, discover, from_environment, local_servers
from infway.kernel.clock import system_clock
from infway.providers.vendors import VENDORS, Vendor

now = system_clock().monotonic
NEVER = "nobody-has-asked"
LONG = 30.0  # seconds: a server that is there answers, however busy the machine


@contextmanager
def serving(body: bytes, status: int = 200, pause: float = 0.0) -> Iterator[tuple[int, list[str]]]:
    """Answer every GET with a body; yield the port and the requests that came."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers.get('authorization', NEVER)}")
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            step = 1 if pause else max(len(body), 1)
            for start in range(0, len(body), step):
                self.wfile.write(body[start : start + step])
                stopping.wait(pause)
                if stopping.is_set():
                    return

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    stopping = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()


def row(port: int, name: str = "ollama") -> Vendor:
    return replace(VENDORS[name], port=port, base_url=f"http://127.0.0.1:{port}/v1")


def listing(*names: str) -> bytes:
    return json.dumps({"object": "list", "data": [{"id": name} for name in names]}).encode()


def test_a_key_in_the_environment_is_a_vendor():
    found = from_environment({"OPENAI_API_KEY": " sk-1 ", "GOOGLE_API_KEY": "g", "HOME": "/"})
    assert [(one.vendor.name, one.origin, one.key) for one in found.upstreams] == [
        ("openai", "OPENAI_API_KEY", "sk-1"),
        ("gemini", "GOOGLE_API_KEY", "g"),
    ]
    assert all(one.models is None for one in found.upstreams)
    assert found.unusable == ()


def test_a_key_of_openrouter_alone_enables_it():
    everything = from_environment({"OPENROUTER_API_KEY": "k"})
    (found,) = everything.upstreams
    assert (found.vendor.name, found.key, everything.unusable) == ("openrouter", "k", ())


def test_an_empty_variable_is_no_key():
    assert from_environment({"OPENAI_API_KEY": " "}) == Found()


def test_a_key_is_not_shown():
    assert "sk-1" not in repr(from_environment({"OPENAI_API_KEY": "sk-1"}))


def test_what_cannot_be_used_says_why():
    found = from_environment({"AZURE_OPENAI_API_KEY": "k", "HF_TOKEN": "k"})
    assert found.upstreams == ()
    assert any("AZURE_OPENAI_API_KEY is set, but" in line for line in found.unusable)
    assert any("HF_TOKEN is set, but Hugging Face needs" in line for line in found.unusable)


async def test_a_local_server_is_asked_for_its_models_without_any_key():
    with serving(listing("llama3.2:3b", "qwen3", "qwen3")) as (port, asked):
        (found,) = await local_servers([row(port)], 8080, LONG)
    assert found == Discovered(
        row(port), f"http://127.0.0.1:{port}/v1", None, ("llama3.2:3b", "qwen3")
    )
    assert asked == [f"/v1/models {NEVER}"]


async def test_infways_own_port_is_never_asked():
    with serving(listing("itself")) as (port, asked):
        assert await local_servers([row(port)], port, LONG) == ()
    assert asked == []


async def test_one_port_is_asked_once():
    with serving(listing("x")) as (port, asked):
        (found,) = await local_servers([row(port, "localai"), row(port, "mlx")], 8080, LONG)
    assert found.vendor.name == "localai"
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (listing("x"), 404),
        (listing("x"), 500),
        (b"<html>", 200),
        (b"\xff", 200),
        (b"[]", 200),
        (b'{"data": null}', 200),
        (b'{"data": [{"name": 1}]}', 200),
        (listing(), 200),
    ],
)
async def test_what_is_no_model_server_is_passed_over(body: bytes, status: int):
    with serving(body, status) as (port, _):
        assert await local_servers([row(port)], 8080, LONG) == ()


async def test_a_server_that_drips_or_hangs_costs_no_more_than_the_patience():
    silent = socket.create_server(("127.0.0.1", 0))
    with (
        silent,
        serving(listing("x" * 1000), pause=0.05) as (dripping, _),
        serving(listing("good")) as (good, _),
    ):
        began = now()
        rows = [row(silent.getsockname()[1]), row(dripping), row(good)]
        found = await local_servers(rows, 8080, 2.0)
        took = now() - began
    assert [one.models for one in found] == [("good",)]
    assert took < 6.0


def test_only_loopback_is_asked():
    assert all("//127.0.0.1:" in (v.base_url or "") for v in VENDORS.values() if v.local)


def test_either_half_can_be_switched_off():
    environment = {"OPENAI_API_KEY": "k"}
    assert discover(environment, keys=False, local=False) == Found()
    assert len(discover(environment, local=False).upstreams) == 1
    both = discover(environment, own_port=8080)
    assert both.upstreams[0].vendor.name == "openai"
