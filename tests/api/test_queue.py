"""The queue's endpoint on real sockets: LiteLLM's words, order, streams, places, and who leaves."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import openai
import pytest
from tests.api.caller import ADMIN, BEARER, JSON, KEY, NARROW_KEY, Heard, Line, chat_body, refused
from tests.api.upstream import Asked, Script, either, fault, listening, whole
from tests.conftest import Gateway, Start, settled, upstream_settings

PATH = "/queue/chat/completions"


class Gate:
    """Upstreams that answer when they are let; `asked` are the texts they were asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.doors: list[asyncio.Event] = []

    def say(self, asked: Asked) -> Script:
        messages: list[dict[str, str]] = asked.json["messages"]  # type: ignore[assignment]
        self.asked.append(messages[0]["content"])
        self.doors.append(asyncio.Event())
        script = either(asked)
        return Script([self.doors[-1], *script.pieces], kind=script.kind)

    def open(self, number: int = -1) -> None:
        """Let one of the requests so far be answered."""
        self.doors[number].set()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@asynccontextmanager
async def behind(
    start: Start, gate: Gate, models: tuple[str, ...] = ("m1",), **tree: object
) -> AsyncIterator[Gateway]:
    """A gateway before one upstream that takes one request at a time."""
    async with listening(gate.say) as upstream:
        one = upstream_settings("one", upstream, *models, max_in_flight=1)
        yield await start(upstream=upstream, upstreams=[one], **tree)


def body(text: str, **more: object) -> dict[str, object]:
    return chat_body(messages=[{"role": "user", "content": text}], **more)


async def until(condition: object) -> None:
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.002)


async def waits(gateway: Gateway, count: int) -> None:
    await until(lambda: gateway.app.queued.queue.waiting() == count)


async def ask(gateway: Gateway, text: str, waiting: int, **more: object) -> asyncio.Task[Heard]:
    """Ask, and return when so many wait."""
    task = asyncio.create_task(gateway.post(PATH, body(text, **more)))
    await waits(gateway, waiting)
    return task


def told(heard: Heard) -> tuple[str | None, ...]:
    return heard.header("x-litellm-priority"), heard.header("x-gateway-queue-position")


async def test_the_lowest_priority_goes_first_and_every_place_is_told(
    start: Start, gate: Gate
) -> None:
    async with behind(start, gate) as gateway:
        first = await ask(gateway, "a", 0)
        await until(lambda: gate.asked)
        usual = await ask(gateway, "b", 1)
        urgent = await ask(gateway, "c", 2, priority=0, stream=True)
        late = await ask(gateway, "d", 3, priority=2000)
        for end in range(1, 5):
            await until(lambda asked="acbd"[:end]: "".join(gate.asked) == asked)
            gate.open()
        heard = [await one for one in (first, usual, urgent, late)]
        assert [one.status for one in heard] == [200] * 4
        assert [told(one) for one in heard] == [
            ("128", "0"), ("128", "1"), ("0", "1"), ("2000", "3"),
        ]  # fmt: skip
        assert heard[0].header("x-gateway-queue-wait") == "0"
        assert int(heard[3].header("x-gateway-queue-wait") or 0) > 0
        assert heard[2].chunks[0]["object"] == "chat.completion.chunk"
        rows = [row for row in await gateway.rows() if not row.attempt]
        assert [(row.outcome, row.status) for row in rows] == [("ok", 200)] * 4
        page = (await gateway.get("/metrics")).body.decode()
        assert 'infway_queue_stays_total{outcome="served"} 3.0' in page
        assert 'infway_queue_waiting{state="at_ceiling"} 0.0' in page
        seen = await gateway.get(f"/admin/decisions/{rows[0].request}", (ADMIN,))
        assert set(seen.json["queue"]) == {"priority", "position", "waited_ms"}


@pytest.mark.parametrize(
    "path", ["/v1" + PATH, "/api/v1" + PATH, "/engines/m1" + PATH, "/openai/deployments/m1" + PATH]
)
async def test_it_is_found_wherever_chats_are(gateway: Gateway, path: str) -> None:
    heard = await gateway.post(path, chat_body())
    assert (heard.status, *told(heard)) == (200, "128", "0")
    assert (await gateway.chat()).header("x-litellm-priority") is None


@pytest.mark.parametrize("stream", [False, True])
async def test_who_waits_too_long_gets_408_and_nothing_is_sent(
    start: Start, gate: Gate, stream: bool
) -> None:
    async with behind(start, gate, queue={"timeout": 0.1}) as gateway:
        first = await ask(gateway, "a", 0)
        await until(lambda: gate.asked)
        heard = await gateway.post(PATH, body("b", stream=stream))
        refused(heard, 408, "request_timeout")
        assert heard.json["error"]["type"] == "timeout_error"
        assert heard.header("x-should-retry") == "false"
        gate.open()
        assert (await first).status == 200
        assert gate.asked == ["a"]


async def test_a_waiting_stream_is_kept_alive_and_told_late_what_became_of_it(
    start: Start, gate: Gate
) -> None:
    tree = {"queue": {"timeout": 2.0}, "server": {"heartbeat": 0.05}}
    async with behind(start, gate, **tree) as gateway:
        await ask(gateway, "a", 0)
        await until(lambda: gate.asked)
        heard = await gateway.post(PATH, body("b", stream=True, priority=7))
        assert (heard.status, *told(heard)) == (200, "7", "1")
        assert heard.header("x-gateway-queue-wait") is None
        assert heard.frames.count(b": PROCESSING") >= 2
        assert heard.chunks[-1]["error"]["code"] == "request_timeout"
        assert heard.frames[-1] == b"data: [DONE]"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_frees_its_place_at_once(
    start: Start, gate: Gate, stream: bool
) -> None:
    async with behind(start, gate) as gateway:
        first = await ask(gateway, "a", 0)
        await until(lambda: gate.asked)
        async with gateway.line() as line:
            leave(line, body("b", stream=stream))
            await waits(gateway, 1)
        await waits(gateway, 0)
        gate.open()
        assert (await first).status == 200
        second = await ask(gateway, "c", 0)
        await until(lambda: len(gate.asked) == 2)
        gate.open()
        assert (await second).status == 200
        assert gate.asked == ["a", "c"]
        left = [row for row in await gateway.rows() if row.outcome == "client_gone"]
        assert [(row.attempt, row.status, row.cost) for row in left] == [(0, 499, 0)]


def leave(line: Line, asked: dict[str, object]) -> None:
    line.send("POST", PATH, (BEARER, JSON), json.dumps(asked).encode())


async def test_an_upstream_that_refuses_is_waited_for(start: Start) -> None:
    told: list[Script] = [fault(429, headers=("retry-after: 1",)), whole()]
    gateway = await start(lambda _: told.pop(0))
    heard = await gateway.post(PATH, chat_body())
    assert heard.status == 200
    assert heard.header("x-gateway-attempts") == "one:rate_limited, one:ok"
    assert int(heard.header("x-gateway-queue-wait") or 0) >= 800


async def test_other_settings_while_somebody_waits_lose_nobody(start: Start, gate: Gate) -> None:
    async with behind(start, gate) as gateway, listening() as other:
        first = await ask(gateway, "a", 0)
        await until(lambda: gate.asked)
        second = await ask(gateway, "b", 1)
        again = upstream_settings("one", gateway.upstream, "m1", max_in_flight=1)
        gateway.app.swap(*settled({"upstreams": [again]}))
        await waits(gateway, 1)
        gateway.app.swap(*settled({"upstreams": [again, upstream_settings("two", other, "m1")]}))
        assert (await second).header("x-gateway-provider") == "two"
        gate.open()
        assert (await first).status == 200


async def test_a_full_queue_says_when_to_come_again(start: Start, gate: Gate) -> None:
    async with behind(start, gate, queue={"size": 0}) as gateway:
        await ask(gateway, "a", 0)
        await until(lambda: gate.asked)
        heard = await gateway.post(PATH, body("b"))
        refused(heard, 429, "concurrent_requests_exceeded")
        assert heard.header("retry-after") == "5"


async def test_a_key_may_wait_for_its_own_models_only(gateway: Gateway) -> None:
    heard = await gateway.post(PATH, chat_body(), (("Authorization", f"Bearer {NARROW_KEY}"), JSON))
    refused(heard, 403, "model_not_accessible", "model")


async def test_openais_sdk_takes_it_as_chats(gateway: Gateway) -> None:
    async with openai.AsyncOpenAI(base_url=f"{gateway.url}/queue", api_key=KEY) as client:
        messages = [{"role": "user", "content": "Hi"}]
        raw = await client.chat.completions.with_raw_response.create(
            model="m1", messages=messages, extra_body={"priority": 3}
        )
        assert raw.headers["x-litellm-priority"] == "3"
        assert raw.parse().choices[0].message.content == "Hello"
        stream = await client.chat.completions.create(model="m1", messages=messages, stream=True)
        texts = [one.choices[0].delta.content or "" async for one in stream if one.choices]
        assert "".join(texts) == "Hello"


@pytest.mark.parametrize("wrong", ['"5"', "1.5", "true", "[]", "{}"])
async def test_a_priority_that_is_no_integer_is_refused(gateway: Gateway, wrong: str) -> None:
    data = json.dumps(chat_body())[:-1].encode() + b', "priority": ' + wrong.encode() + b"}"
    refused(await gateway.post(PATH, data), 400, "invalid_field", "priority")
    assert gateway.upstream.asked == []


@pytest.mark.parametrize("wrong", ["1e400", "9" * 30, "9" * 5000])
async def test_a_priority_that_no_reader_can_hold_is_refused(gateway: Gateway, wrong: str) -> None:
    data = json.dumps(chat_body())[:-1].encode() + b', "priority": ' + wrong.encode() + b"}"
    refused(await gateway.post(PATH, data), 400, "invalid_request_body")
    assert gateway.upstream.asked == []


async def test_the_header_counts_where_the_body_says_nothing(gateway: Gateway) -> None:
    for header, fields, seen in (
        ("7", {}, "7"),
        ("-7", {"priority": None}, "-7"),
        ("7", {"priority": 0}, "0"),
    ):
        headers = (BEARER, JSON, ("X-LiteLLM-Priority", header))
        heard = await gateway.post(PATH, chat_body(**fields), headers)
        assert (heard.status, *told(heard)) == (200, seen, "0")
    headers = (BEARER, JSON, ("x-litellm-priority", "high"))
    refused(await gateway.post(PATH, chat_body(), headers), 400, "invalid_field", "priority")


async def test_several_models_at_once_have_no_one_place(gateway: Gateway) -> None:
    heard = await gateway.post(PATH, chat_body(model={"llms": ["m1", "m2"], "imsn": 2}))
    refused(heard, 400, "invalid_field", "model.imsn")
