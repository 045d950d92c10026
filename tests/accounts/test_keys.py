"""Keys are found by their digest alone, and none of them stays in memory in clear."""

import secrets

import pytest

from infway.accounts.digests import Digests
from infway.accounts.keys import Key, Keyring, Known
from infway.accounts.spelling import new_key
from infway.kernel.chat import Principal

ANNA, ROOT, BO = Principal("anna"), Principal("root"), Principal("bo")
PEPPER = Digests(b"pepper")
CONFIGURED = [Key("sk-anna", ANNA), Key("sk-root", ROOT, admin=True)]
RING = Keyring(CONFIGURED)


def test_a_key_is_whoever_it_was_given_to():
    assert RING.find(b"sk-anna") is ANNA
    assert RING.find(b"sk-root") is ROOT


def test_any_other_bytes_are_nobody():
    for presented in (b"", b"sk-ann", b"sk-anna ", b"SK-ANNA", b"\xff\xfe", "sk-änna".encode()):
        assert RING.find(presented) is None
        assert not RING.is_admin(presented)


def test_only_an_admin_key_is_one():
    assert RING.is_admin(b"sk-root")
    assert not RING.is_admin(b"sk-anna")


def test_keys_are_kept_as_digests_and_never_shown():
    ring = Keyring(CONFIGURED, PEPPER)
    ring.hold({PEPPER.of(b"sk-bo"): Known(BO)})
    assert "sk-" not in repr(vars(ring))
    assert "sk-anna" not in repr(Key("sk-anna", ANNA))


def test_a_digest_is_worth_nothing_without_the_pepper():
    assert Digests(b"a").of(b"sk-anna") != Digests(b"b").of(b"sk-anna")
    assert Digests(b"a").mark != Digests(b"b").mark
    assert Digests(b"a" * 1000).of(b"x") != Digests(b"a" * 1001).of(b"x")


def test_a_key_made_at_run_time_is_known_beside_those_of_the_configuration_until_it_is_not():
    ring = Keyring(CONFIGURED, PEPPER)
    assert ring.find(b"sk-bo") is None
    ring.hold({PEPPER.of(b"sk-bo"): Known(BO)})
    assert (ring.find(b"sk-bo"), ring.find(b"sk-anna")) == (BO, ANNA)
    ring.hold({})
    assert (ring.find(b"sk-bo"), ring.find(b"sk-anna")) == (None, ANNA)


def test_a_key_of_the_configuration_is_never_somebody_elses():
    ring = Keyring(CONFIGURED, PEPPER)
    ring.hold({PEPPER.of(b"sk-anna"): Known(BO, until=0.0)})
    assert ring.find(b"sk-anna") is ANNA


def test_a_key_ends_by_the_clock_without_a_look_at_the_register():
    now = [99.9]
    ring = Keyring([], PEPPER, lambda: now[0])
    ring.hold({PEPPER.of(b"sk-bo"): Known(BO, until=100.0)})
    assert ring.find(b"sk-bo") is BO
    now[0] = 100.0
    assert ring.find(b"sk-bo") is None


def test_an_admin_of_the_admin_api_is_none_here():
    key = new_key(secrets.randbelow, prefix="ak-iw-").encode()
    assert RING.find(key) is None
    assert not RING.is_admin(key)


@pytest.mark.parametrize("presented", [b"sk-nobody", b"\xff" * 68, b"", b"sk-iw-" + b"0" * 62])
def test_one_refusal_for_all_that_is_not_known(presented: bytes):
    error = RING.refusal(presented)
    assert (error.status, error.code, error.message) == (
        401, "invalid_api_key", "The API key is not valid.",
    )  # fmt: skip


def test_what_could_be_a_key_is_in_doubt_while_the_register_cannot_be_read():
    ring = Keyring(CONFIGURED, PEPPER)
    ring.is_unsure = lambda: True
    key = new_key(secrets.randbelow).encode()
    assert (ring.refusal(key).status, ring.refusal(key).code) == (503, "accounting_unavailable")
    assert ring.refusal(key[:-1] + b"!").status == 401
    assert ring.refusal(b"sk-nobody").status == 401
    assert ring.find(b"sk-anna") is ANNA
