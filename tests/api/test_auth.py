"""Key headers: five of them, exactly one at a time, decided before anything else is looked at."""

from itertools import combinations_with_replacement

import pytest
from tests.api.caller import BEARER, JSON, KEY, chat_body, refused
from tests.conftest import Gateway

PATH = "/v1/chat/completions"
NAMES = ("Authorization", "Infuzu-API-Key", "X-Infuzu-API-Key", "api-key", "x-api-key")
OTHERS = NAMES[1:]


def _header(name: str, key: str = KEY) -> tuple[str, str]:
    return name, f"Bearer {key}" if name == "Authorization" else key


@pytest.mark.parametrize("name", [*NAMES, "AUTHORIZATION", "infuzu-api-key", "X-API-KEY"])
async def test_each_key_header_is_taken_in_any_case(gateway: Gateway, name: str) -> None:
    header = ("AUTHORIZATION", f"Bearer {KEY}") if name.isupper() and "AUTH" in name else None
    heard = await gateway.post(PATH, chat_body(), (header or _header(name), JSON))
    assert heard.status == 200


@pytest.mark.parametrize(("one", "other"), list(combinations_with_replacement(NAMES, 2)))
async def test_two_keys_are_refused_even_if_they_are_equal(
    gateway: Gateway, one: str, other: str
) -> None:
    headers = (_header(one), _header(other), JSON)
    refused(await gateway.post(PATH, chat_body(), headers), 400, "multiple_api_keys")


@pytest.mark.parametrize("name", OTHERS)
async def test_an_empty_second_key_is_a_second_key(gateway: Gateway, name: str) -> None:
    for headers in ((BEARER, (name, ""), JSON), ((name, ""), (name, ""), JSON)):
        refused(await gateway.post(PATH, chat_body(), headers), 400, "multiple_api_keys")


async def test_two_wrong_keys_are_two_keys_before_they_are_wrong(gateway: Gateway) -> None:
    headers = (_header("x-api-key", "wrong"), _header("api-key", "wrong"), JSON)
    refused(await gateway.post(PATH, chat_body(), headers), 400, "multiple_api_keys")


async def test_no_key_is_told_from_a_wrong_one(gateway: Gateway) -> None:
    heard = await gateway.post(PATH, chat_body(), (JSON,))
    refused(heard, 401, "missing_api_key")
    assert heard.header("www-authenticate") == "Bearer"
    for name in NAMES:
        heard = await gateway.post(PATH, chat_body(), (_header(name, "nobody-knows-it"), JSON))
        refused(heard, 401, "invalid_api_key")
        assert heard.header("www-authenticate") == "Bearer"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
async def test_the_scheme_is_read_in_any_case(gateway: Gateway, scheme: str) -> None:
    for gap in (" ", "   "):
        headers = (("Authorization", f"{scheme}{gap}{KEY}"), JSON)
        assert (await gateway.post(PATH, chat_body(), headers)).status == 200


@pytest.mark.parametrize(
    "value", [KEY, f"Basic {KEY}", f"Token {KEY}", "Bearer", "Bearer ", f"Bearer{KEY}", ""]
)
async def test_another_scheme_or_none_is_refused(gateway: Gateway, value: str) -> None:
    heard = await gateway.post(PATH, chat_body(), (("Authorization", value), JSON))
    refused(heard, 401, "invalid_authorization_header")


@pytest.mark.parametrize("name", NAMES)
async def test_a_presented_key_is_never_echoed(gateway: Gateway, name: str) -> None:
    wrong = "sk-my-dear-secret-0123456789"
    heard = await gateway.post(PATH, chat_body(), (_header(name, wrong), JSON))
    assert heard.status == 401
    told = heard.body + repr(heard.headers).encode()
    assert all(wrong[i : i + 6].encode() not in told for i in range(3, len(wrong) - 5))


@pytest.mark.parametrize("key", ["\xff\xfe" * 8, "ключ".encode().decode("latin-1"), "x" * 8000])
async def test_a_strange_key_is_a_wrong_key(gateway: Gateway, key: str) -> None:
    heard = await gateway.post(PATH, chat_body(), (_header("x-api-key", key), JSON))
    refused(heard, 401, "invalid_api_key")


async def test_the_key_is_looked_at_before_type_json_and_model(gateway: Gateway) -> None:
    wrong_type = ("Content-Type", "text/plain")
    broken = b"{"
    refused(await gateway.post(PATH, broken, (wrong_type,)), 401, "missing_api_key")
    refused(await gateway.post(PATH, broken, (BEARER, wrong_type)), 415, "unsupported_media_type")
    refused(await gateway.post(PATH, broken, (BEARER, JSON)), 400, "invalid_request_body")
    bad = chat_body(model="none", n=0)
    refused(await gateway.post(PATH, bad), 400, "invalid_field", "n")
    refused(await gateway.post(PATH, chat_body(model="none")), 404, "model_not_found", "model")
    assert gateway.upstream.asked == []


async def test_a_callers_key_never_reaches_the_upstream(gateway: Gateway) -> None:
    for name in NAMES:
        await gateway.post(PATH, chat_body(), (_header(name), JSON))
    assert len(gateway.upstream.asked) == len(NAMES)
    for asked in gateway.upstream.asked:
        assert KEY not in repr(asked)
