"""Another configuration while requests run: they end on the old one, the next start on the new."""

import asyncio
import json

from tests.api.caller import BEARER, JSON, KEY, chat_body, refused
from tests.api.upstream import chunk, frames, listening, stream
from tests.conftest import Start, settled, upstream_settings

PATH = "/v1/chat/completions"


async def test_a_running_stream_goes_on_while_the_next_request_meets_the_new_settings(
    start: Start,
) -> None:
    go = asyncio.Event()
    gateway = await start(lambda _: stream(chunk({"content": "a"}), go, *frames("b")[1:]))
    async with listening() as other, gateway.line() as line:
        line.send("POST", PATH, (BEARER, JSON), json.dumps(chat_body(stream=True)).encode())
        await line.head()
        seen = await line.piece()
        new_key = "another-key-0123456789"
        keys = [{"name": "new", "key": new_key}]
        tree = {"upstreams": [upstream_settings("two", other, "m9")], "keys": keys}
        gateway.app.swap(*settled(tree))
        refused(await gateway.chat(), 401, "invalid_api_key")
        bearer = ("Authorization", f"Bearer {new_key}")
        heard = await gateway.post(PATH, chat_body(model="m9"), (bearer, JSON))
        assert heard.header("x-gateway-provider") == "two"
        refused(
            await gateway.post(PATH, chat_body(), (bearer, JSON)), 404, "model_not_found", "model"
        )
        go.set()
        while piece := await asyncio.wait_for(line.piece(), 5):
            seen += piece
        assert seen.endswith(b"data: [DONE]\n\n")
        assert b'"error"' not in seen
    assert KEY not in seen.decode()
    outcomes = {(row.model, row.outcome) for row in await gateway.rows()}
    assert outcomes == {("m1", "ok"), ("m9", "ok")}


async def test_a_swap_changes_the_rules_of_the_edge_as_well(start: Start) -> None:
    gateway = await start()
    tree = {"upstreams": [upstream_settings("one", gateway.upstream, "m1")]}
    gateway.app.swap(*settled({**tree, "server": {"require_model": True, "region": "eu"}}))
    heard = await gateway.chat(model=None)
    refused(heard, 400, "missing_required_field", "model")
    assert heard.header("x-infe-region") == "eu"
