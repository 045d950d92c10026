"""Google's tokens come from a real token server and are there before they are needed."""

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from infway.kernel.chat import HttpCall
from infway.kernel.clock import Clock, system_clock
from infway.kernel.errors import SettingsError, UpstreamFailed
from infway.kernel.faults import Fault
from infway.upstream.google import SCOPE, GoogleToken
from infway.upstream.sign import Signer

CALL = HttpCall("up", "http://127.0.0.1:9/x", {}, b"{}")
MAIL = "infway@project.iam.gserviceaccount.com"
GOOGLE = "https://oauth2.googleapis.com/token"
ON_A_MACHINE = """
import asyncio
from infway.kernel.clock import system_clock
from infway.upstream.google import GoogleToken
async def main():
    token = GoogleToken(None, system_clock())
    async with token.open():
        print(token.headers(None))
asyncio.run(main())
"""


class TokenServer(ThreadingHTTPServer):
    """Gives `tokens` that live for `lifetime` seconds; answers the statuses of `refusals` first."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lifetime = 3600
        self.refusals: list[int] = []
        self.asked: list[dict[str, list[str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/token"


class _Handler(BaseHTTPRequestHandler):
    server: TokenServer

    def do_POST(self) -> None:
        said = self.rfile.read(int(self.headers["content-length"]))
        self._answer(parse_qs(said.decode()))

    def do_GET(self) -> None:
        """Answer as the metadata server does."""
        self._answer({"path": [self.path]})

    def _answer(self, asked: dict[str, list[str]]) -> None:
        self.server.asked.append(asked)
        refusal = self.server.refusals.pop(0) if self.server.refusals else 0
        token = {"access_token": f"ya29.{len(self.server.asked)}", "token_type": "Bearer"}
        good = {**token, "expires_in": self.server.lifetime, "email": MAIL}
        body = json.dumps({"error": "invalid_grant"} if refusal else good).encode()
        self.send_response(refusal or 200)
        self.send_header("content-type", "application/json")
        self.send_header("metadata-flavor", "Google")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with TokenServer() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_text(private_key: rsa.RSAPrivateKey, token_url: str) -> str:
    """The JSON of a service account's key file."""
    pem = private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    facts = {"type": "service_account", "project_id": "p", "private_key_id": "k1"}
    account = {**facts, "client_email": MAIL, "token_uri": token_url, "private_key": pem.decode()}
    return json.dumps(account)


@pytest.fixture
def key_file(private_key: rsa.RSAPrivateKey, server: TokenServer) -> str:
    return key_text(private_key, server.url)


class Waits:
    """A sleep that ends when the test says so, and tells for how long it was asked."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[float] = asyncio.Queue()
        self._over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self._over.clear()
        self.asked.put_nowait(seconds)
        await self._over.wait()

    async def next(self) -> float:
        """End the wait that goes on, and return the length of the one after it."""
        self._over.set()
        return await self.asked.get()


class Time:
    """The real time and some."""

    def __init__(self) -> None:
        self.later = 0.0

    @property
    def clock(self) -> Clock:
        real = system_clock()
        return Clock(real.monotonic, lambda: real.wall() + self.later)


@pytest.fixture
def now() -> Time:
    return Time()


@pytest.fixture
async def waits() -> Waits:
    return Waits()


def bearer(token: GoogleToken) -> str:
    [(name, value)] = token.headers(CALL).items()
    assert name == "authorization"
    return value


def refused(token: GoogleToken) -> None:
    with pytest.raises(UpstreamFailed) as caught:
        token.headers(CALL)
    assert caught.value.failure.fault is Fault.PROVIDER_AUTH


async def test_a_key_file_buys_a_token(key_file: str, server, private_key, now: Time):
    token = GoogleToken(key_file, now.clock)
    refused(token)
    async with token.open():
        assert bearer(token) == "Bearer ya29.1"
    [asked] = server.asked
    assert asked["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    pem = private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    claims = jwt.decode(asked["assertion"][0], certs=pem, audience=GOOGLE)
    assert (claims["iss"], claims["scope"]) == (MAIL, SCOPE)


async def test_a_token_is_replaced_well_before_its_end(key_file, server, now: Time, waits: Waits):
    token = GoogleToken(key_file, now.clock, waits)
    async with token.open():
        assert await waits.asked.get() == pytest.approx(3300, abs=30)
        server.lifetime = 100
        assert await waits.next() == pytest.approx(50, abs=30)
        assert bearer(token) == "Bearer ya29.2"
    assert len(server.asked) == 2


async def test_a_refusal_is_tried_again_ever_more_slowly(key_file, server, now, waits, caplog):
    server.refusals = [400] * 8
    token = GoogleToken(key_file, now.clock, waits)
    async with token.open():
        pauses = [await waits.asked.get()] + [await waits.next() for _ in range(7)]
        assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
        refused(token)
        assert await waits.next() > 3000
        assert bearer(token) == "Bearer ya29.9"
        server.refusals = [400]
        assert await waits.next() == 1
        assert bearer(token) == "Bearer ya29.9"
    assert "invalid_grant" in caplog.text
    assert "PRIVATE" not in caplog.text


async def test_a_token_is_not_used_beyond_its_end(key_file, now: Time, waits: Waits):
    token = GoogleToken(key_file, now.clock, waits)
    async with token.open():
        now.later = 3500
        assert bearer(token) == "Bearer ya29.1"
        now.later = 3700
        refused(token)


async def test_what_the_machine_has_is_found_without_a_key_file(
    key_file, server, now: Time, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "key.json"
    file.write_text(key_file)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    token = GoogleToken(None, now.clock)
    assert tuple(token.secrets) == ()
    async with token.open():
        assert bearer(token) == "Bearer ya29.1"


async def test_the_metadata_server_gives_the_machines_own_token(server, tmp_path):
    host = f"127.0.0.1:{server.server_port}"
    found = {"GCE_METADATA_HOST": host, "GCE_METADATA_IP": host, "HOME": str(tmp_path)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ON_A_MACHINE, env=found, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert said.decode().startswith("{'authorization': 'Bearer ya29.")
    paths = [asked["path"][0] for asked in server.asked]
    assert "/computeMetadata/v1/instance/service-accounts/default/token" in paths[-1]


async def test_a_machine_without_an_account_is_no_reason_not_to_start(
    now: Time, waits: Waits, tmp_path, monkeypatch: pytest.MonkeyPatch, caplog
):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nowhere.json"))
    token = GoogleToken(None, now.clock, waits)
    async with token.open():
        assert await waits.asked.get() == 1
        refused(token)
    assert "next try" in caplog.text


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"type":"authorized_user"}', '{"private_key":1}']
)
def test_what_is_no_key_file_is_said_in_a_sentence(text: str, now: Time):
    with pytest.raises(SettingsError) as caught:
        GoogleToken(text, now.clock)
    assert caught.value.problems == (
        "The Google service account is not the JSON of a service account's key file.",
    )


def test_a_key_that_is_broken_is_not_shown(key_file: str, now: Time):
    broken = json.dumps({**json.loads(key_file), "private_key": "-----BEGIN PRIVATE KEY-----\nx"})
    with pytest.raises(SettingsError) as caught:
        GoogleToken(broken, now.clock)
    assert "BEGIN" not in str(caught.value)


def test_the_library_is_asked_for_by_its_name(now: Time, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "google.auth.exceptions", None)  # as if it were not installed
    with pytest.raises(SettingsError) as caught:
        GoogleToken(None, now.clock)
    assert "pip install infway[google]" in str(caught.value)


def test_the_private_key_is_never_seen(key_file: str, now: Time):
    token = GoogleToken(key_file, now.clock)
    secret = json.loads(key_file)["private_key"]
    assert secret not in repr(token)
    text = Signer({"up": token}).redact(f"the key {secret} is wrong")
    assert secret[40:80] not in text
