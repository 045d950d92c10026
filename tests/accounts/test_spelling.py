"""The one spelling of keys: random enough, and telling a typing error from a key nobody knows."""

import secrets
from random import Random

import pytest

from infway.accounts.spelling import ADMIN_PREFIX, PREFIX, id_of, new_id, new_key, whole


@pytest.mark.parametrize("prefix", [PREFIX, ADMIN_PREFIX])
def test_a_key_has_256_random_bits_and_a_checksum(prefix: str):
    key = new_key(Random(7).randrange, prefix=prefix)
    start, name, rest = key[:6], key[6:18], key[19:]
    assert (start, key[18], len(name), len(rest)) == (prefix, "-", 12, 49)
    assert whole(key)
    assert id_of(key) == name
    assert 62**43 > 2**256


def test_a_key_with_a_mistake_is_not_whole():
    key = new_key(Random(7).randrange)
    for place in range(len(key)):
        wrong = key[:place] + ("x" if key[place] != "x" else "y") + key[place + 1 :]
        assert not whole(wrong)
    for wrong in ("", key[:-1], key + "0", "sk-proj-abc", "ак" + key[2:], "\xff" * 68):
        assert not whole(wrong)


def test_the_same_chance_makes_the_same_key_and_another_another():
    assert new_key(Random(7).randrange) == new_key(Random(7).randrange)
    assert new_key(Random(7).randrange) != new_key(Random(8).randrange)


def test_a_new_secret_of_a_key_keeps_its_id():
    name = new_id(secrets.randbelow)
    first, second = (new_key(secrets.randbelow, name) for _ in range(2))
    assert first != second
    assert id_of(first) == id_of(second) == name
