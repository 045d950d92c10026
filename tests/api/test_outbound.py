"""What of a request reaches an upstream: its own fields, and no header, address or key of a caller."""

import pytest
from tests.api.caller import BEARER, JSON, KEY, chat_body, refused
from tests.api.upstream import Script, answer, frames, stream, whole
from tests.conftest import Gateway, Start

PATH = "/v1/chat/completions"
# What callers, and proxies before them, may send along
HOSTILE = (
    ("Cookie", "session=secret"),
    ("X-Forwarded-For", "10.0.0.1"),
    ("X-Forwarded-Host", "evil.example"),
    ("Forwarded", "for=10.0.0.1"),
    ("Connection", "keep-alive, X-Secret"),
    ("X-Secret", "a"),
    ("Keep-Alive", "timeout=5"),
    ("Proxy-Authorization", "Basic eA=="),
    ("TE", "trailers"),
    ("Trailer", "X-A"),
    ("Upgrade", "h2c"),
    ("OpenAI-Organization", "org-evil"),
    ("X-Base-Url", "http://127.0.0.1:1"),
    ("X-Portkey-Custom-Host", "http://127.0.0.1:1"),
    ("User-Agent", "evil"),
    ("X-Request-Id", "mine"),
    ("Expect", "nothing"),
)
SENT = {"host", "accept-encoding", "user-agent", "content-type", "content-length", "accept"}


async def test_no_header_of_a_caller_reaches_an_upstream(gateway: Gateway) -> None:
    for fields in ({}, {"stream": True}):
        heard = await gateway.post(PATH, chat_body(**fields), (BEARER, JSON, *HOSTILE))
        assert heard.status == 200
    for asked in gateway.upstream.asked:
        assert asked.headers.keys() <= SENT
        assert asked.headers["user-agent"] == "infway"
        assert asked.headers["accept-encoding"] == "identity"
        assert KEY not in str(asked.headers)
        assert KEY.encode() not in asked.body


@pytest.mark.parametrize(
    "fields",
    [
        {"api_base": "http://127.0.0.1:1"},
        {"base_url": "http://127.0.0.1:1"},
        {"api_key": "k"},
        {"custom_host": "127.0.0.1"},
        {"extra_headers": {"Host": "evil.example"}},
        {"provider": {"base_url": "http://127.0.0.1:1"}},
        {"headers": {"Authorization": "x"}},
        {"proxy": "http://127.0.0.1:1"},
    ],
)
async def test_no_field_of_a_body_chooses_an_address(
    gateway: Gateway, fields: dict[str, object]
) -> None:
    heard = await gateway.post(PATH, chat_body(**fields))
    assert heard.status in (200, 400)
    for asked in gateway.upstream.asked:
        assert asked.path == "/v1/chat/completions"
        assert asked.headers["host"] == f"127.0.0.1:{gateway.upstream.port}"
        assert asked.headers.keys() <= SENT


@pytest.mark.parametrize(
    "model", ["../m1", "m1/../../admin", "http://127.0.0.1:1/m1", "//evil.example/m1", "m1?x=y", "m1\r\nX: y"]
)  # fmt: skip
async def test_no_model_is_an_address(gateway: Gateway, model: str) -> None:
    heard = await gateway.post(PATH, {**chat_body(), "model": model})
    assert heard.status in (400, 404)
    assert gateway.upstream.asked == []


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:{port}/a.png", "http://2130706433:{port}/", "http://0x7f.1:{port}/",
     "http://[::ffff:127.0.0.1]:{port}/", "file:///etc/passwd", "http://169.254.169.254/latest"],
)  # fmt: skip
async def test_infway_fetches_nothing_itself(gateway: Gateway, url: str) -> None:
    image = {"type": "image_url", "image_url": {"url": url.format(port=gateway.upstream.port)}}
    body = chat_body(messages=[{"role": "user", "content": [image]}])
    await gateway.post(PATH, body)
    assert [asked.path for asked in gateway.upstream.asked] in ([], ["/v1/chat/completions"])


async def test_no_header_of_an_upstream_reaches_a_caller(start: Start) -> None:
    hostile = ("set-cookie: a=b", "x-evil: 1", "server: evil", "location: http://evil.example",
               "access-control-allow-origin: *", "x-request-id: theirs", "connection: close",
               "strict-transport-security: max-age=0", 'alt-svc: h3=":443"')  # fmt: skip
    gateway = await start(lambda _: Script(whole(answer()).pieces, headers=hostile))
    heard = await gateway.chat()
    assert heard.status == 200
    names = {name for name, _ in heard.headers}
    assert not names & {line.partition(":")[0] for line in hostile} - {"x-request-id"}
    assert heard.header("x-request-id") != "theirs"


async def test_the_callers_own_id_is_said_back_and_names_nothing(start: Start) -> None:
    gateway = await start(lambda _: stream(*frames("a")))
    for name in ("X-Request-Id", "X-Client-Request-Id"):
        heard = await gateway.post(PATH, chat_body(stream=True), (BEARER, JSON, (name, "mine, 1")))
        assert heard.header("x-client-request-id") == "mine, 1"
        assert heard.header("x-request-id") != "mine, 1"
    for value in ("", "\xe9", "a" * 1025):
        heard = await gateway.post(PATH, b"{}", (BEARER, JSON, ("X-Request-Id", value)))
        refused(heard, 400, "missing_required_field", "messages")
        assert heard.header("x-client-request-id") is None


async def test_nothing_that_needs_a_key_is_kept_by_a_cache(start: Start) -> None:
    gateway = await start()
    replies = [
        await gateway.chat(),
        await gateway.chat(stream=True),
        await gateway.post(PATH, b"{"),
        await gateway.post(PATH, chat_body(), (JSON,)),
        await gateway.post("/v1/responses", {"model": "m1", "input": "Hi", "store": True}),
        *[await gateway.get(path) for path in ("/v1/models", "/v1/models/m1", "/v1/responses/x")],
        await gateway.get("/v1/generation?id=x"),
        await gateway.get("/admin/decisions"),
    ]
    assert {heard.header("cache-control") for heard in replies} == {"private, no-store"}


@pytest.mark.parametrize("value", ["b" * 1025, "\xe9", "a\tb"])
async def test_a_header_that_is_passed_on_is_short_and_printable(
    gateway: Gateway, value: str
) -> None:
    body = {"model": "m1", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
    heard = await gateway.post("/v1/messages", body, (BEARER, JSON, ("anthropic-beta", value)))
    assert heard.status == 400
    assert gateway.upstream.asked == []
