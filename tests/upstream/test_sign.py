"""No configured secret leaves in a text, in whatever spelling an upstream echoes it."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infway.upstream.sign import Credential, Signer

SECRET = "Zx/81+aB==c0ffee-Key_0123456789/plus+more"


def redacted(text: str, secret: str = SECRET) -> str:
    return Signer({"up": Credential("authorization", secret, "Bearer")}).redact(text)


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET, SECRET.upper(), SECRET.lower(), SECRET.replace("/", "\\/"), quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(), base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(), SECRET[:12] + "****", SECRET[:20] + "...",
        f"Bearer {SECRET}",
    ],
)  # fmt: skip
def test_a_secret_is_taken_out_in_every_spelling(spelling: str):
    text = redacted(f"Incorrect key provided: {spelling}, see the docs.")
    assert SECRET[:12].lower() not in text.lower()
    assert spelling.removeprefix("Bearer ")[:12] not in text
    assert text.startswith("Incorrect key provided: ")
    assert text.endswith("see the docs.")


@pytest.mark.parametrize(
    "key", ["sk-proj-abcdefghijklmnop", "sk-" + "*" * 20 + "abcd", "gsk_abcdefghijklmnop1234"]
)
def test_what_looks_like_somebodys_key_is_taken_out_too(key: str):
    assert key not in redacted(f"the key {key} is wrong")


def test_words_are_left_alone():
    text = "The model gpt-5 does not support 'tools' with task-based ask-me prompts."
    assert redacted(text) == text
    assert redacted("ollama needs no key", "ollama") == "ollama needs no key"
    assert Signer({}).redact(text) == text


@given(st.text("abcdefghijklmnopqrstuvwxyzABC0123456789_+/=-", min_size=8, max_size=80), st.text())
def test_no_secret_survives(secret: str, around: str):
    assert secret not in redacted(around + secret + around, secret)


def test_a_credential_is_one_header():
    assert Credential("authorization", "s", "Bearer").headers() == {"authorization": "Bearer s"}
    assert Credential("x-api-key", "s").headers() == {"x-api-key": "s"}
    assert Signer({}).headers("anybody") == {}
