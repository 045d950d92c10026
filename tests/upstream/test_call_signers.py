"""Credentials whose headers are made for each call."""

from collections.abc import AsyncIterator, Iterable, Mapping
from hashlib import sha256

import pytest
from tests.wall import Wall, wall
from tests.wall.asking import CALM, ask, offer, upstream

from infway.kernel.chat import HttpCall
from infway.kernel.clock import system_clock
from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault
from infway.providers.openai.adapter import OpenAI
from infway.upstream.client import Client
from infway.upstream.sign import Signer

NOW = system_clock().monotonic


class Digest:
    """Signs with the digest of the body and a number that grows."""

    def __init__(self, secret: str = "a-secret-of-some-length", broken: bool = False) -> None:
        self.signed = 0
        self._secret = secret
        self._broken = broken

    @property
    def secrets(self) -> Iterable[str]:
        return (self._secret,)

    def headers(self, call: HttpCall) -> Mapping[str, str]:
        if self._broken:
            raise UpstreamFailed(Failure(Fault.PROVIDER_AUTH))
        self.signed += 1
        digest = sha256(self._secret.encode() + call.body).hexdigest()
        return {"x-digest": digest, "x-count": str(self.signed)}


@pytest.fixture
async def up() -> AsyncIterator[Wall]:
    async with wall() as one:
        yield one


async def posted(client: Client, up: Wall, word: str) -> None:
    asked = ask(stream=False, id=word)
    call = OpenAI().request(asked, offer("ok", upstream("up", up.base_url)))
    await (await client.send(call, CALM)).read()


async def test_every_call_is_signed_anew_over_its_own_body(up: Wall):
    client = Client(Signer({"up": Digest()}), NOW)
    for word in ("one", "two"):
        await posted(client, up, word)
    await client.close()
    first, second = up.attempts
    assert [dict(one.headers)["x-count"] for one in (first, second)] == ["1", "2"]
    for one in (first, second):
        expected = sha256(b"a-secret-of-some-length" + one.body).hexdigest()
        assert dict(one.headers)["x-digest"] == expected
        assert len(one.headers) == len(dict(one.headers))


async def test_without_a_signature_nothing_is_sent(up: Wall):
    client = Client(Signer({"up": Digest(broken=True)}), NOW)
    with pytest.raises(UpstreamFailed) as caught:
        await posted(client, up, "one")
    assert caught.value.failure.fault is Fault.PROVIDER_AUTH
    assert up.attempts == []


def test_its_secrets_are_taken_out_of_texts():
    signer = Signer({"up": Digest("aws-secret/with+letters")})
    assert signer.redact("no aws-secret/with+letters here") == "no [redacted] here"
    assert signer.headers("up") == {}
    assert signer.live("other") is None
