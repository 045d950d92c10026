"""Who presents wrong keys again and again is told to wait; nobody with a valid one ever is."""

import asyncio

import pytest
from tests.api.caller import JSON, KEY, Heard, chat_body, refused
from tests.conftest import Gateway, Start

from infway.api.guesses import Guesses, address_of
from infway.kernel.errors import CallerError

CHAT = "/v1/chat/completions"
MODELS = ("/v1/models", "/v1beta/models", "/v1/key", "/v1/generation?id=x")
WRONG = CallerError(401, "invalid_api_key", "no")
HERE, THERE = ("192.0.2.1", 1), ("192.0.2.2", 1)


async def asked(gateway: Gateway, key: str = "wrong") -> Heard:
    return await gateway.post(CHAT, chat_body(), (("x-api-key", key), JSON))


async def test_the_wrong_key_after_the_last_that_is_allowed_is_told_to_wait(start: Start) -> None:
    gateway = await start(server={"wrong_keys_per_minute": 2})
    for _ in range(2):
        refused(await asked(gateway), 401, "invalid_api_key")
    heard = await asked(gateway)
    refused(heard, 429, "rate_limit_exceeded")
    assert 1 <= int(heard.header("retry-after")) <= 30
    assert (await asked(gateway, KEY)).status == 200


@pytest.mark.parametrize("path", MODELS)
async def test_every_door_counts_and_refuses(start: Start, path: str) -> None:
    gateway = await start(server={"wrong_keys_per_minute": 1})
    wrong = (("x-api-key", "wrong"),)
    assert (await gateway.get(path, wrong)).status == 401
    heard = await gateway.get(path, wrong)
    assert heard.status == 429
    assert int(heard.header("retry-after")) >= 1
    refused(await asked(gateway), 429, "rate_limit_exceeded")


async def test_no_limit_is_none(start: Start) -> None:
    gateway = await start(server={"wrong_keys_per_minute": 0})
    assert {(await asked(gateway)).status for _ in range(110)} == {401}


async def test_by_default_an_address_may_be_wrong_a_hundred_times_in_a_minute(
    gateway: Gateway,
) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    told = [(await asked(gateway)).status for _ in range(100)]
    assert told == [401] * 100
    while told[-1] != 429:
        told.append((await asked(gateway)).status)
        again = (clock() - began) / 0.6  # so many more are allowed by then
        assert len(told) <= 102 + again


async def test_no_key_at_all_is_no_wrong_key(start: Start) -> None:
    gateway = await start(server={"wrong_keys_per_minute": 1})
    for _ in range(3):
        refused(await gateway.post(CHAT, chat_body(), (JSON,)), 401, "missing_api_key")


def told(guesses: Guesses, client: tuple[str, int] | None) -> int:
    return guesses.instead_of(WRONG, client).status


def test_what_was_waited_for_may_be_tried_again_and_addresses_are_counted_apart() -> None:
    now = [5.0]
    guesses = Guesses(lambda: now[0], 3)
    assert [told(guesses, HERE) for _ in range(5)] == [401, 401, 401, 429, 429]
    assert told(guesses, THERE) == 401
    now[0] += 20.0
    assert [told(guesses, HERE) for _ in range(2)] == [401, 429]
    now[0] += 600.0
    assert [told(guesses, HERE) for _ in range(4)] == [401, 401, 401, 429]


def test_no_number_of_addresses_fills_the_memory() -> None:
    guesses = Guesses(lambda: 0.0, 1)
    for number in range(10_100):
        told(guesses, (f"192.{number >> 8}.{number & 255}.1", 1))
    assert len(guesses._spent) == 10_000


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("x" * 64, "x" * 90_000, True),
    ],
)
def test_one_customer_is_one_address(one: str, other: str, *, is_same: bool) -> None:
    assert (address_of((one, 1)) == address_of((other, 2))) is is_same


def test_who_has_no_address_is_somebody() -> None:
    assert address_of(None) == address_of(()) == ""
