"""The client over real sockets: what is sent, what is retried, what every break is called."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.wall import PLAYS, Wall, closed_port, wall
from tests.wall.asking import CALM, ask, offer, upstream

from infway.kernel.chat import HttpCall
from infway.kernel.clock import system_clock
from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.openai.adapter import OpenAI
from infway.upstream.client import Client
from infway.upstream.sign import Credential, Signer

NOW = system_clock().monotonic
SECRET = "sk-test-0123456789abcdef0123456789"
PATIENCE = 4.0  # seconds until a socket is closed, less than `CALM` has for any silence
SIGNER = Signer(
    {
        "up": Credential("authorization", SECRET, "Bearer"),
        "other": Credential("x-api-key", "other-secret-0123456789"),
    }
)


@pytest.fixture
async def up() -> AsyncIterator[Wall]:
    async with wall() as one:
        yield one


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    one = Client(SIGNER, NOW)
    yield one
    await one.close()


def call(up: Wall | str, script: str = "ok", stream: bool = False, name: str = "up") -> HttpCall:
    base = up if isinstance(up, str) else up.base_url
    return OpenAI().request(ask(stream=stream), offer(script, upstream(name, base)))


async def fault_of(client: Client, sent: HttpCall, **limits: float) -> Fault:
    with pytest.raises(UpstreamFailed) as caught:
        await (await client.send(sent, replace(CALM, **limits))).read()
    return caught.value.failure.fault


async def test_only_what_is_needed_is_sent(client: Client, up: Wall):
    reply = await client.send(call(up), CALM)
    assert reply.status == 200
    await reply.read()
    attempt = up.attempts[0]
    assert attempt.path == "/v1/chat/completions"
    assert dict(attempt.headers) == {
        "host": f"127.0.0.1:{up.port}",
        "accept-encoding": "identity",
        "user-agent": "infway",
        "content-type": "application/json",
        "authorization": f"Bearer {SECRET}",
        "content-length": str(len(attempt.body)),
    }
    assert len(attempt.headers) == len(dict(attempt.headers))
    assert attempt.json["model"] == "ok"


async def test_every_upstream_gets_its_own_credential_and_no_other(client: Client, up: Wall):
    for name in ("up", "other", "nobody"):
        await (await client.send(call(up, name=name), CALM)).read()
    first, second, third = (dict(one.headers) for one in up.attempts)
    assert "x-api-key" not in first
    assert second["x-api-key"] == "other-secret-0123456789"
    assert "authorization" not in second
    assert not {"authorization", "x-api-key"} & set(third)


async def test_headers_of_one_call_are_not_those_of_the_next(client: Client, up: Wall):
    plain = call(up)
    special = replace(plain, headers={**plain.headers, "x-beta": "files"})
    for sent in (plain, special, plain, special, special, plain):
        await (await client.send(sent, CALM)).read()
    told = [dict(one.headers).get("x-beta") for one in up.attempts]
    assert told == [None, "files", None, "files", "files", None]


async def test_new_credentials_hold_from_the_next_call_on(client: Client, up: Wall):
    await (await client.send(call(up), CALM)).read()
    client.sign_with(Signer({"up": Credential("authorization", "fresh", "Bearer")}))
    await (await client.send(call(up), CALM)).read()
    assert dict(up.attempts[1].headers)["authorization"] == "Bearer fresh"


@pytest.mark.parametrize("secret", ["a\r\nx-evil: 1", "a\nb", "a\rb"])
async def test_a_secret_cannot_add_a_header(up: Wall, secret: str):
    client = Client(Signer({"up": Credential("authorization", secret)}), NOW)
    assert await fault_of(client, call(up)) is Fault.PROVIDER_AUTH
    assert up.attempts == []


async def test_connections_are_used_again(client: Client, up: Wall):
    for _ in range(3):
        for stream in (False, True):
            reply = await client.send(call(up, stream=stream), CALM)
            await reply.read()
    assert up.connections == 1


async def test_a_redirect_is_not_followed(client: Client, up: Wall):
    reply = await client.send(call(up, "redirect"), CALM)
    assert reply.status == 302
    assert [one.path for one in up.attempts] == ["/v1/chat/completions"]


@pytest.mark.parametrize("script", ["stale", "stale~fin=1"])
async def test_a_kept_alive_connection_that_is_dead_is_replaced_unseen(
    client: Client, up: Wall, script: str
):
    assert (await (await client.send(call(up, script), CALM)).read()) != b""
    reply = await client.send(call(up, script), CALM)
    assert reply.status == 200
    await reply.read()
    assert [one.connection for one in up.attempts] == [1, 1, 2]


async def test_the_second_break_is_told(client: Client, up: Wall):
    await (await client.send(call(up, "ok"), CALM)).read()
    assert await fault_of(client, call(up, "reset")) is Fault.RESET_BEFORE_HEADERS
    assert len(up.attempts) == 3


@pytest.mark.parametrize("script", ["reset", "fin"])
async def test_a_break_on_a_fresh_connection_is_told_at_once(client: Client, up: Wall, script: str):
    assert await fault_of(client, call(up, script)) is Fault.RESET_BEFORE_HEADERS
    assert len(up.attempts) == 1


async def test_nobody_listening_is_refused(client: Client):
    sent = call(f"http://127.0.0.1:{closed_port()}/v1")
    assert await fault_of(client, sent) is Fault.CONNECT_REFUSED


async def test_a_name_that_does_not_exist_is_a_dns_error(client: Client):
    assert await fault_of(client, call("http://no-such-host.invalid/v1")) is Fault.DNS_ERROR


async def test_a_plain_server_behind_https_is_a_tls_error(client: Client, up: Wall):
    sent = call(up.base_url.replace("http:", "https:"))
    assert await fault_of(client, sent, connect=2.0) in (Fault.TLS_ERROR, Fault.CONNECT_TIMEOUT)


async def test_a_tls_handshake_that_stalls_is_a_tls_error(client: Client):
    with socket.socket() as listener:  # the kernel accepts, nobody answers
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        sent = call(f"https://127.0.0.1:{listener.getsockname()[1]}/v1")
        assert await fault_of(client, sent, connect=1.0) is Fault.TLS_ERROR


def test_certificates_are_verified():
    context = Client(SIGNER, NOW)._pool._context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


async def test_a_full_backlog_is_a_connect_timeout(client: Client):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for one in fillers:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        sent = call(f"http://127.0.0.1:{port}/v1")
        assert await fault_of(client, sent, connect=1.0) is Fault.CONNECT_TIMEOUT
        for one in fillers:
            one.close()


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("truncated", Fault.TRUNCATED_BODY),
        ("chunk-cut", Fault.TRUNCATED_BODY),
        ("huge", Fault.TOO_LARGE),
        ("huge-header", Fault.TOO_LARGE),
    ],
)
async def test_a_bad_reply_is_named(client: Client, up: Wall, script: str, fault: Fault):
    assert await fault_of(client, call(up, script)) is fault
    await asyncio.wait_for(up.attempts[0].closed.wait(), PATIENCE)


async def test_interim_replies_are_passed_over(client: Client, up: Wall):
    reply = await client.send(call(up, "early-hints"), CALM)
    assert reply.status == 200
    assert b"word59" in await reply.read()


@pytest.mark.parametrize("script", ["hang", "trickle", "silent", "pings", "stall@5"])
async def test_a_call_that_is_cancelled_closes_its_socket_within_250_ms(
    client: Client, up: Wall, script: str
):
    async def read() -> None:
        reply = await client.send(call(up, script, stream=True), CALM)
        try:
            await reply.read()
        finally:
            reply.close()

    task = asyncio.create_task(read())
    while not up.attempts or (script == "stall@5" and not up.attempts[0].sent):
        await asyncio.sleep(0)
    cancelled = asyncio.get_running_loop().time()
    task.cancel()
    await asyncio.wait_for(up.attempts[0].closed.wait(), PATIENCE)
    assert up.attempts[0].closed_at - cancelled < 0.25
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_finished_stream_gives_its_connection_back(client: Client, up: Wall):
    reply = await client.send(call(up, stream=True), CALM)
    while b"[DONE]" not in await reply.read_some():
        pass
    await reply.finish()
    await (await client.send(call(up), CALM)).read()
    assert up.connections == 1


async def test_a_stream_that_does_not_end_is_closed(client: Client, up: Wall):
    reply = await client.send(call(up, "silent", stream=True), CALM)
    await reply.finish(0.01)
    await asyncio.wait_for(up.attempts[0].closed.wait(), PATIENCE)


async def test_a_second_reply_to_one_request_is_never_read_as_the_next_ones(client: Client):
    body = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"

    async def double(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(body + b"first" + body[:20])
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(double, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        for _ in range(3):
            assert await (await client.send(call(base), CALM)).read() == b"first"
    finally:
        await client.close()
        server.close()


async def test_a_reader_that_takes_its_time_holds_the_upstream_back(client: Client, up: Wall):
    reply = await client.send(call(up, "huge"), CALM)
    await reply.read_some()
    sent = -1
    while sent != up.attempts[0].sent:
        sent = up.attempts[0].sent
        await asyncio.sleep(0.05)
    assert sent < 20 * 1024 * 1024
    reply.close()
    await asyncio.wait_for(up.attempts[0].closed.wait(), PATIENCE)


async def test_closing_the_client_closes_idle_connections(up: Wall):
    client = Client(SIGNER, NOW)
    await (await client.send(call(up), CALM)).read()
    await client.close()
    await asyncio.wait_for(up.attempts[0].closed.wait(), PATIENCE)


def test_no_credential_is_in_a_repr(client: Client):
    credential = Credential("authorization", SECRET, "Bearer")
    assert SECRET not in repr(credential)
    assert SECRET not in repr(SIGNER)
    assert SECRET not in repr(client)


def test_the_wall_knows_its_plays():
    assert len(PLAYS) > 40
