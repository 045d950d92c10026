"""Calls are signed as AWS wants it: its own published examples, and botocore as a second opinion."""

from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from urllib.parse import quote

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st
from tests.wall import wall
from tests.wall.asking import CALM

from infway.kernel.chat import HttpCall
from infway.kernel.clock import system_clock
from infway.upstream.client import Client
from infway.upstream.sign import AwsKeys, Signer
from infway.upstream.sigv4 import Outgoing, Scope, SigV4, authorization, canonical, signing_key

# AWS's test suite for Signature Version 4: `service` in us-east-1 on 2015-08-30
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SCOPE = Scope("AKIDEXAMPLE", "20150830", "us-east-1", "service")
MOMENT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
STAMP = {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
TEXT = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), max_size=30)
PATH = st.text("abcABC019-_.~/:+ é%", max_size=30)

EXAMPLES = [
    ("GET", "/", {}, b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    ("GET", "//example//..//.//", {}, b"", None),
    ("GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", {}, b"",
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
    ("GET", "/ሴ", {}, b"", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    ("GET", "/?Param2=value2&Param1=value1", {}, b"",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    ("GET", "/?Param1=value1", {}, b"",
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
    ("POST", "/", {}, b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ("POST", "/", FORM, b"Param1=value1",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "more", "body", "signature"), EXAMPLES)
def test_the_published_examples_are_signed_as_published(
    method: str, path: str, more: dict[str, str], body: bytes, signature: str | None
):
    url = f"https://example.amazonaws.com{path}"
    outgoing = Outgoing(method, url, {**STAMP, **more}, body)
    said = authorization(outgoing, SCOPE, signing_key(SECRET, SCOPE))
    names = ";".join(sorted({**STAMP, **more}))
    assert said.startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={names}, Signature="
    )
    assert said.rpartition("=")[2] == (signature or EXAMPLES[0][4])


def test_the_published_key_is_derived():
    scope = Scope("AKIDEXAMPLE", "20150830", "us-east-1", "iam")
    assert (
        signing_key(SECRET, scope).hex()
        == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
    )


def by_botocore(call: HttpCall, keys: AwsKeys, moment: datetime) -> dict[str, str]:
    """What AWS's own library adds to the request."""
    request = AWSRequest("POST", call.url, dict(call.headers), call.body)
    credentials = Credentials(keys.access_key, keys.secret_key, keys.session_token)
    signer = botocore.auth.SigV4Auth(credentials, "bedrock", keys.region)
    with patch.object(botocore.auth, "get_current_datetime", lambda: moment):
        signer.add_auth(request)
    names = ("X-Amz-Date", "X-Amz-Security-Token", "Authorization")
    return {name.lower(): request.headers[name] for name in names if name in request.headers}


@given(
    model=st.text(max_size=40),
    path=PATH,
    query=st.sampled_from(["", "?b=2&a=1&a=0", "?a", "?a=b=c", "?x=%20y"]),
    body=st.binary(max_size=50),
    token=st.none() | TEXT.filter(bool),
    secret=TEXT.filter(bool),
    seconds=st.integers(0, 4 * 10**9),
)
def test_any_call_is_signed_as_botocore_signs_it(
    model: str,
    path: str,
    query: str,
    body: bytes,
    token: str | None,
    secret: str,
    seconds: int,
):
    url = f"https://bedrock-runtime.eu-west-1.amazonaws.com/{path}/{quote(model, safe='')}/x{query}"
    call = HttpCall("aws", url, {"Content-Type": "application/json"}, body)
    keys = AwsKeys("AKIDEXAMPLE", secret, token, "eu-west-1")
    moment = datetime.fromtimestamp(seconds, UTC)
    assert SigV4(keys, lambda: float(seconds)).headers(call) == by_botocore(call, keys, moment)


def test_a_model_is_encoded_once_more_than_it_is_sent():
    url = "https://host/model/arn%3Aaws%3Abedrock%3A%3A%3Afoundation-model%2Fa.b-v1%3A0/converse"
    path = canonical(Outgoing("POST", url, STAMP, b"")).split("\n")[1]
    assert "/arn%253Aaws%253Abedrock" in path
    assert "foundation-model%252Fa.b-v1%253A0/converse" in path


def test_the_host_is_signed_as_it_is_sent():
    url = "http://user@Localhost:8443/model/m/converse"
    keys = AwsKeys("AKIDEXAMPLE", SECRET, None, "us-east-1")
    call = HttpCall("aws", url, {}, b"")
    signed = SigV4(keys, MOMENT.timestamp).headers(call)
    wanted = Outgoing(
        "POST", url, {"host": "Localhost:8443", "x-amz-date": "20150830T123600Z"}, b""
    )
    scope = Scope("AKIDEXAMPLE", "20150830", "us-east-1", "bedrock")
    assert signed["authorization"] == authorization(wanted, scope, signing_key(SECRET, scope))


def test_headers_that_a_proxy_may_change_are_not_signed():
    keys = AwsKeys("AKIDEXAMPLE", SECRET, "token", "us-east-1")
    more = {"X-Trace": "1", "Content-Type": "application/json", "X-Amz-Thing": "2"}
    signed = SigV4(keys, MOMENT.timestamp).headers(HttpCall("aws", "https://h/", more, b""))
    names = "content-type;host;x-amz-date;x-amz-security-token;x-amz-thing"
    assert f"SignedHeaders={names}," in signed["authorization"]
    assert signed["x-amz-security-token"] == "token"


async def test_what_is_sent_is_what_was_signed():
    """The signature holds for the bytes that arrive, as botocore reads them."""
    keys = AwsKeys("AKIDEXAMPLE", SECRET, "a-session-token", "us-east-1")
    model = quote("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.a-v1:0", safe="")
    async with wall() as up:
        url = f"http://127.0.0.1:{up.port}/model/{model}/converse"
        call = HttpCall("aws", url, {"content-type": "application/json"}, b'{"messages":[]}')
        client = Client(Signer({"aws": SigV4(keys, MOMENT.timestamp)}), system_clock().monotonic)
        (await client.send(call, CALM)).close()
        await client.close()
        came = up.attempts[0]
    headers = dict(came.headers)
    sent = HttpCall("aws", f"http://{headers['host']}{came.path}", call.headers, came.body)
    assert by_botocore(sent, keys, MOMENT).items() <= headers.items()


def test_the_next_day_has_another_key():
    moments = [MOMENT, MOMENT + timedelta(hours=1), MOMENT + timedelta(days=1), MOMENT]
    clock = iter(moments)
    keys = AwsKeys("AKIDEXAMPLE", SECRET, None, "us-east-1")
    signer = SigV4(keys, lambda: next(clock).timestamp())
    call = HttpCall("aws", "https://h/x", {"content-type": "application/json"}, b"{}")
    for moment in moments:
        assert signer.headers(call) == by_botocore(call, keys, moment)


def test_keys_and_tokens_are_taken_out_of_texts():
    keys = AwsKeys("AKIDEXAMPLE", SECRET, "a-session-token", "us-east-1")
    signer = Signer({"aws": SigV4(keys, MOMENT.timestamp)})
    assert signer.live("aws") is not None
    text = signer.redact(f"keys {SECRET}, a-session-token and AKIDEXAMPLE are wrong")
    assert SECRET not in text
    assert "a-session-token" not in text
    assert "AKIDEXAMPLE" not in text
    assert SECRET not in repr(keys)
