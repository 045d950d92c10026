"""Keys are found by their digest alone, and none of them stays in memory in clear."""

from infway.accounts.keys import Key, Keyring
from infway.kernel.chat import Principal

ANNA, ROOT = Principal("anna"), Principal("root")
RING = Keyring([Key("sk-anna", ANNA), Key("sk-root", ROOT, admin=True)])


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
    assert "sk-anna" not in repr(vars(RING))
    assert "sk-anna" not in repr(Key("sk-anna", ANNA))
