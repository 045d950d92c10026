"""Credentials of a configuration become signers, and stay alive over a reload."""

import threading
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.upstream.test_google import CALL, TokenServer, key_text

from infway.kernel.clock import system_clock
from infway.kernel.errors import SettingsError
from infway.upstream.sign import AwsKeys, Credential, GoogleAccount
from infway.upstream.signers import Signers

AWS = AwsKeys("AKIDEXAMPLE", "a-secret-access-key-of-aws", None, "eu-central-1")
PRIVATE_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with TokenServer() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def account(server: TokenServer) -> GoogleAccount:
    return GoogleAccount(key_text(PRIVATE_KEY, server.url))


def test_each_kind_signs_in_its_own_way():
    signer = Signers(system_clock()).of({"a": Credential("x-api-key", "k"), "b": AWS})
    assert signer.headers("a") == {"x-api-key": "k"}
    assert signer.live("a") is None
    live = signer.live("b")
    assert live is not None
    told = live.headers(CALL)["authorization"]
    assert told.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-central-1/bedrock/aws4_request" in told
    assert "a-secret" not in signer.redact("it is a-secret-access-key-of-aws")


async def test_a_token_is_there_once_it_is_open(account: GoogleAccount):
    signers = Signers(system_clock())
    signer = signers.of({"vertex": account})
    async with signers.open():
        live = signer.live("vertex")
        assert live is not None
        assert live.headers(CALL) == {"authorization": "Bearer ya29.1"}


async def test_an_account_keeps_its_token_over_a_reload_and_a_new_one_gets_its_own(
    account: GoogleAccount, server: TokenServer
):
    signers = Signers(system_clock())
    signers.of({})
    async with signers.open():
        for _ in range(2):
            live = signers.of({"vertex": account}).live("vertex")
            await signers.freshen()
            assert live is not None
            assert live.headers(CALL) == {"authorization": "Bearer ya29.1"}
    assert len(server.asked) == 1


def test_an_account_that_is_none_is_a_fault_of_the_configuration():
    none = {name: GoogleAccount("no key file") for name in ("here", "there")}
    with pytest.raises(SettingsError) as wrong:
        Signers(system_clock()).of(none)
    assert [problem.partition(":")[0] for problem in wrong.value.problems] == [
        "upstream `here`",
        "upstream `there`",
    ]
