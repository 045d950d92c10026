"""Images and moderations through the whole line, over real sockets."""

import asyncio
import base64
import json

import pytest
from openai import APIError, AsyncOpenAI
from tests.api.caller import BEARER, JSON, KEY, refused
from tests.api.upstream import Asked, Script, fault, whole
from tests.api.working import PICTURE, events, upload, working, works
from tests.conftest import Start

IMAGES = "/v1/images/generations"
EDITS = "/v1/images/edits"
PNG = ("a.png", b"\x89PNG\r\n--not the boundary\r\n", "image/png")
COUNTED = {
    "input_tokens": 60,
    "output_tokens": 1000,
    "total_tokens": 1060,
    "input_tokens_details": {"text_tokens": 20, "image_tokens": 40},
}
TOKENED = {"image_price": None, "native": "gpt-image-2", "mode": None}


def client(url: str) -> AsyncOpenAI:
    return AsyncOpenAI(api_key=KEY, base_url=f"{url}/v1", max_retries=0)


async def test_the_openai_sdk_makes_and_changes_images(start: Start) -> None:
    async with working(start) as gateway, client(gateway.url) as sdk:
        made = await sdk.images.generate(model="i1", prompt="a cat", n=2, size="auto")
        assert [one.b64_json for one in made.data or []] == [PICTURE, PICTURE]
        changed = await sdk.images.edit(model="i1", prompt="a dog", image=[PNG, PNG])
        assert len(changed.data or []) == 2
        varied = await upload(gateway, "/v1/images/variations", {"image": PNG}, model="i1")
        assert len(varied.json["data"]) == 2
        first, second, third = gateway.upstream.asked
        assert first.path == "/v1/images/generations"
        assert first.json == {"model": "native-i1", "prompt": "a cat", "n": 2, "size": "auto"}
        assert (second.path, third.path) == ("/v1/images/edits", "/v1/images/variations")
        for asked in (second, third):
            assert asked.headers["content-type"].startswith("multipart/form-data; boundary=")
            assert b'name="model"\r\n\r\nnative-i1\r\n' in asked.body
            assert PNG[1] in asked.body
            assert b"\r\ni1\r\n" not in asked.body
        assert second.body.count(PNG[1]) == 2


async def test_a_picture_is_paid_by_the_piece(start: Start) -> None:
    async with working(start) as gateway:
        body = {"model": "i1", "prompt": "a cat", "n": 2, "usage": {"include": True}}
        heard = await gateway.post(IMAGES, body)
        assert heard.header("infe-unit-cost") == "0.080000"
        assert heard.json["cost"] == pytest.approx(0.08)
        total, attempt = await gateway.rows()
        for row in (total, attempt):
            assert (row.model, row.outcome, row.cost) == ("i1", "ok", 80_000_000_000)
            assert (row.priced, row.estimated, row.prompt_tokens) == (1, 0, 0)


async def test_a_picture_of_tokens_is_paid_by_them(start: Start) -> None:
    reply = {"created": 1, "data": [{"b64_json": PICTURE}], "usage": COUNTED}
    more = {"models": ["i1"], "i1": TOKENED, "vendor": "openai", "key": "k"}
    async with working(start, lambda _: whole(reply), **more) as gateway:
        heard = await gateway.post(IMAGES, {"model": "i1", "prompt": "a cat"})
        # 20 tokens of text at 5, 40 of pictures at 8, 1000 that were drawn at 30 USD per million
        assert heard.header("infe-unit-cost") == "0.030420"
        assert heard.body == json.dumps(reply).encode()
        (total, _) = await gateway.rows()
        assert (total.prompt_tokens, total.completion_tokens) == (60, 1000)
        assert (total.cost, total.estimated) == (30_420_000_000, 0)


async def test_a_picture_comes_bit_by_bit_as_events(start: Start) -> None:
    partial = {"type": "image_generation.partial_image", "b64_json": PICTURE * 2000}
    done = {"type": "image_generation.completed", "b64_json": PICTURE, "usage": COUNTED}
    more = {"models": ["i1"], "i1": TOKENED, "vendor": "openai", "key": "k"}
    async with working(start, lambda _: events(partial, done), **more) as gateway:
        async with client(gateway.url) as sdk:
            stream = await sdk.images.generate(
                model="i1", prompt="a cat", stream=True, partial_images=1
            )
            seen = [event async for event in stream]
        assert [event.type for event in seen] == [partial["type"], done["type"]]
        assert seen[0].b64_json == partial["b64_json"]
        assert gateway.upstream.asked[0].json["stream"] is True
        total, _ = await gateway.rows()
        assert (total.outcome, total.stream, total.cost) == ("ok", 1, 30_420_000_000)


async def test_events_that_break_off_end_with_an_error_and_are_no_success(start: Start) -> None:
    partial = {"type": "image_generation.partial_image", "b64_json": PICTURE}
    async with working(start, lambda _: events(partial, cut=True)) as gateway:
        async with client(gateway.url) as sdk:
            stream = await sdk.images.generate(model="i1", prompt="a", stream=True)
            with pytest.raises(APIError, match="broke off"):
                _ = [event async for event in stream]
        total, _ = await gateway.rows()
        assert total.outcome == "stream_cut"


async def test_an_upstreams_own_error_among_events_is_withheld(start: Start) -> None:
    partial = {"type": "image_generation.partial_image", "b64_json": PICTURE}
    wrong = {"message": "Limit of org-secret", "code": "server_overloaded"}
    told = events(partial, {"type": "error", "error": wrong}, partial)
    apart = Script([told.pieces[0], 0.05, *told.pieces[1:], asyncio.Event()], kind=told.kind)
    async with working(start, lambda _: apart) as gateway:
        heard = await gateway.post(IMAGES, {"model": "i1", "prompt": "a", "stream": True})
        assert b"org-secret" not in heard.body
        first, last = heard.frames
        assert first + b"\n\n" == told.pieces[0]
        assert last.startswith(b"event: error\ndata: ")
        assert json.loads(last.partition(b"data: ")[2])["error"]["code"] == "upstream_overloaded"
        await asyncio.wait_for(gateway.upstream.gone.wait(), 5)
        total, _ = await gateway.rows()
        assert total.outcome == "overloaded"


async def test_an_error_as_the_first_event_falls_back(start: Start) -> None:
    broken = events({"type": "error", "error": {"message": "no", "code": "server_overloaded"}})
    done = events({"type": "image_generation.completed", "b64_json": PICTURE})
    async with working(start, lambda _: broken, lambda _: done) as gateway:
        heard = await gateway.post(IMAGES, {"model": "i1", "prompt": "a", "stream": True})
        assert heard.header("x-gateway-attempts") == "one:overloaded, two:ok"
        assert heard.header("content-type") == "text/event-stream; charset=utf-8"
        assert heard.body == done.pieces[0]


async def test_an_upstream_that_does_not_stream_is_passed_on_whole(start: Start) -> None:
    async with working(start) as gateway:
        heard = await gateway.post(IMAGES, {"model": "i1", "prompt": "a", "stream": True})
        assert heard.header("content-type") == "application/json"
        assert len(heard.json["data"]) == 2


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (lambda _: fault(500), "http_500"),
        (lambda _: fault(429), "rate_limited"),
        (lambda _: whole({"created": 1, "data": []}), "empty_choices"),
        (lambda _: whole({"created": 1}), "invalid_json"),
        (lambda _: whole(b"oops"), "invalid_json"),
        (lambda _: events({"type": "x"}), "wrong_content_type"),
    ],
)
async def test_another_upstream_draws_where_the_first_fails(
    start: Start, first: object, told: str
) -> None:
    async with working(start, first, works) as gateway:  # type: ignore[arg-type]
        heard = await upload(gateway, EDITS, {"image": PNG}, model="i1", prompt="a")
        assert heard.header("x-gateway-attempts") == f"one:{told}, two:ok"
        (asked,) = gateway.others[0].asked  # type: ignore[attr-defined]
        assert b"native-i1" in asked.body


async def test_what_the_policy_forbids_is_told_to_the_caller(start: Start) -> None:
    body = {"error": {"message": "Not that.", "code": "moderation_blocked", "type": "image"}}
    async with working(start, lambda _: whole(body, status=400), works) as gateway:
        heard = await gateway.post(IMAGES, {"model": "i1", "prompt": "a"})
        assert heard.status == 400
        assert heard.json["error"]["message"] == "Not that."
        assert gateway.others[0].asked == []  # type: ignore[attr-defined]


async def test_a_vendor_that_takes_json_alone_gets_no_form(start: Start) -> None:
    more = {"models": ["i1"], "vendor": "xai", "key": "k"}
    async with working(start, **more) as gateway:
        refused(
            await upload(gateway, EDITS, {"image": PNG}, model="i1", prompt="a"),
            400,
            "unsupported_parameter",
        )
        image = {"url": "data:image/png;base64,AA==", "type": "image_url"}
        heard = await gateway.post(EDITS, {"model": "i1", "prompt": "a", "image": image})
        assert heard.status == 200
        (asked,) = gateway.upstream.asked
        assert asked.json == {"model": "native-i1", "prompt": "a", "image": image}
        heard = await upload(gateway, "/v1/images/variations", {"image": PNG}, model="i1")
        refused(heard, 400, "unsupported_parameter", "model")


@pytest.mark.parametrize("kind", ["azure", "azure-deployments"])
async def test_azure_is_asked_at_its_own_address(start: Start, kind: str) -> None:
    more = {"models": ["i1"], "vendor": kind, "key": "k", "i1": {"deployment": "draw"}}
    async with working(start, **more) as gateway:
        path = "/openai/deployments/i1/images/generations?api-version=2024-10-21"
        heard = await gateway.post(path, {"prompt": "a cat"})
        assert heard.status == 200
        (asked,) = gateway.upstream.asked
        end = "/openai/v1/images/generations"
        if kind == "azure-deployments":
            end = "/openai/deployments/draw/images/generations?api-version=2024-10-21"
        assert asked.path == "/v1" + end
        assert asked.headers["api-key"] == "k"
        assert asked.json == {"model": "draw", "prompt": "a cat"}


async def test_a_client_that_leaves_ends_the_call(start: Start) -> None:
    async with working(start, lambda _: Script([asyncio.Event()])) as gateway:
        async with gateway.line() as line:
            body = json.dumps({"model": "i1", "prompt": "a"}).encode()
            line.send("POST", IMAGES, (BEARER, JSON), body)
            await asyncio.wait_for(gateway.upstream.reached.wait(), 5)
        await asyncio.wait_for(gateway.upstream.gone.wait(), 5)
        (total, _) = await gateway.rows()
        assert (total.outcome, total.cost) == ("client_gone", 0)


async def test_the_openai_sdk_has_contents_judged(start: Start) -> None:
    async with working(start) as gateway, client(gateway.url) as sdk:
        judged = await sdk.moderations.create(model="j1", input=["x" * 40, "y" * 8])
        assert (judged.model, judged.id) == ("j1", "modr-1")
        assert [one.flagged for one in judged.results] == [False]
        parts = [{"type": "text", "text": "abcd"}, {"type": "image_url", "image_url": {"url": "u"}}]
        usual = await sdk.moderations.create(input=parts)  # type: ignore[arg-type]
        assert usual.model == "j1"
        first, second = gateway.upstream.asked
        assert first.json == {"model": "native-j1", "input": ["x" * 40, "y" * 8]}
        assert second.json == {"model": "native-j1", "input": parts}
        rows = [row for row in await gateway.rows() if row.attempt == 0]
        assert [(row.prompt_tokens, row.cost) for row in rows] == [
            (12, 12_000_000),
            (801, 801_000_000),
        ]


async def test_moderations_of_mistral_count_their_tokens(start: Start) -> None:
    reply = {"model": "native-j1", "results": [{}], "usage": {"prompt_tokens": 9}}

    def say(asked: Asked) -> Script:
        assert asked.path == "/v1/moderations"
        return whole(reply)

    more = {"models": ["j1"], "vendor": "mistral", "key": "k"}
    async with working(start, say, **more) as gateway:
        heard = await gateway.post("/moderations", {"model": "j1", "input": "a"})
        assert heard.json == {**reply, "model": "j1"}
        (total, _) = await gateway.rows()
        assert (total.prompt_tokens, total.estimated, total.cost) == (9, 0, 9_000_000)


async def test_a_large_picture_comes_whole(start: Start) -> None:
    large = base64.b64encode(bytes(3_000_000)).decode()
    reply = {"data": [{"b64_json": large}]}
    async with working(start, lambda _: whole(reply)) as gateway:
        heard = await gateway.post(IMAGES, {"model": "i1", "prompt": "a"})
        assert heard.json == reply
