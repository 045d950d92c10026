"""What one request for a response can make the gateway read, hold and queue."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.api.caller import refused
from tests.api.responding import sdk
from tests.api.upstream import Script, answer, whole
from tests.conftest import Gateway, Start

from infway.api.responses.job import Listener
from infway.app import Parts
from infway.ledger.opening import LedgerError
from infway.ledger.responses import Kept
from infway.ledger.responses_sqlite import SqliteResponses

LIMIT = 50_000
Refuses = Callable[[str], bool]


class _Refusing(SqliteResponses):
    """A store that is too busy for some of what it is asked."""

    refuses: Refuses = staticmethod(lambda _: False)

    def touch(self, id_: str, status: str, now: float) -> bool:
        self._check("touch")
        return super().touch(id_, status, now)

    def finish(self, kept: Kept) -> bool:
        self._check("finish")
        return super().finish(kept)

    def _check(self, what: str) -> None:
        if self.refuses(what):
            raise LedgerError("database is locked")


async def _item(gateway: Gateway, text: str) -> str:
    """Keep an item; return its id."""
    made = await gateway.post("/v1/responses", {"model": "m1", "input": text})
    heard = await gateway.get(f"/v1/responses/{made.json['id']}/input_items")
    return str(heard.json["data"][0]["id"])


def _references(*ids: str) -> dict[str, object]:
    items = [{"type": "item_reference", "id": id_} for id_ in ids]
    return {"model": "m1", "input": items}


async def test_an_item_can_be_meant_more_than_once(start: Start) -> None:
    gateway = await start(server={"body_limit": LIMIT})
    id_ = await _item(gateway, "Hi")
    assert (await gateway.post("/v1/responses", _references(id_, id_, id_))).status == 200
    sent: Any = gateway.upstream.asked[-1].json["messages"]
    assert [message["content"] for message in sent] == ["Hi"] * 3


async def test_what_references_stand_for_is_no_longer_than_a_request(start: Start) -> None:
    gateway = await start(server={"body_limit": LIMIT})
    id_ = await _item(gateway, "x" * 20_000)
    assert (await gateway.post("/v1/responses", _references(id_, id_))).status == 200
    heard = await gateway.post("/v1/responses", _references(*[id_] * 500))
    refused(heard, 400, "invalid_field", "input[2]")


async def test_what_references_make_the_store_read_has_a_limit(start: Start) -> None:
    gateway = await start(server={"body_limit": LIMIT})
    ids = [await _item(gateway, "x" * 45_000) for _ in range(5)]
    await gateway.app.background.keeper.flush()
    refused(await gateway.post("/v1/responses", _references(*ids)), 400, "invalid_field", "input")


async def test_no_more_than_a_thousand_items_are_looked_for(start: Start) -> None:
    gateway = await start()
    heard = await gateway.post("/v1/responses", _references(*(f"msg_{n}" for n in range(1001))))
    refused(heard, 400, "invalid_field", "input")
    heard = await gateway.post("/v1/responses", _references(*(f"msg_{n}" for n in range(1000))))
    refused(heard, 404, "item_not_found", "input[0].id")


async def test_a_conversation_is_no_longer_than_a_request(start: Start) -> None:
    gateway = await start(server={"body_limit": LIMIT})
    body: dict[str, object] = {"model": "m1", "input": "x" * 20_000}
    statuses = []
    for _ in range(4):
        heard = await gateway.post("/v1/responses", body)
        statuses.append(heard.status)
        if heard.status == 200:
            body["previous_response_id"] = heard.json["id"]
    assert statuses == [200, 200, 200, 400]
    refused(heard, 400, "invalid_field", "previous_response_id")


async def test_settings_that_turns_repeat_make_no_conversation_too_long(start: Start) -> None:
    gateway = await start(server={"body_limit": LIMIT})
    body: dict[str, object] = {"model": "m1", "input": "Hi", "instructions": "x" * 20_000}
    for _ in range(5):
        heard = await gateway.post("/v1/responses", body)
        assert heard.status == 200
        body["previous_response_id"] = heard.json["id"]


async def test_the_items_of_a_cancelled_response_can_still_be_meant(start: Start) -> None:
    never = asyncio.Event()
    body = whole(answer()).pieces[0]
    says = iter([Script([never], kind="application/json"), Script([body], kind="application/json")])
    gateway = await start(lambda _: next(says))
    async with sdk(gateway) as client:
        begun = await client.responses.create(model="m1", input="Hi", background=True)
        await gateway.upstream.reached.wait()
        items = await client.responses.input_items.list(begun.id)
        assert (await client.responses.cancel(begun.id)).status == "cancelled"
    heard = await gateway.post("/v1/responses", _references(str(items.data[0].id)))
    assert heard.status == 200
    assert gateway.upstream.asked[-1].json["messages"] == [{"role": "user", "content": "Hi"}]


async def _made(start: Start, refuses: Refuses) -> tuple[Gateway, str, str]:
    """Make a response while the store refuses; return it as it is found, and as it was written."""
    go = asyncio.Event()
    store = _Refusing()

    def parts_of(built: Parts) -> Parts:
        return replace(built, responses=store)

    body = whole(answer()).pieces[0]
    gateway = await start(lambda _: Script([go, body], kind="application/json"), parts_of=parts_of)
    async with sdk(gateway) as client:
        store.refuses = refuses
        begun = await client.responses.create(model="m1", input="Hi", background=True)
        await gateway.upstream.reached.wait()
        go.set()
        async with asyncio.timeout(10):
            while (found := await client.responses.retrieve(begun.id)).status != "completed":
                await asyncio.sleep(0.02)
        store.refuses = lambda _: False
        await gateway.app.background.keeper.flush()
        written = await client.responses.retrieve(begun.id)
    assert store.find(begun.id, "tests") is not None
    return gateway, found.output_text, written.output_text


async def test_a_store_that_is_busy_ends_no_response(start: Start) -> None:
    _, *texts = await _made(start, lambda what: what == "touch")
    assert texts == ["Hello", "Hello"]


async def test_a_result_that_the_store_refuses_is_kept_later(start: Start) -> None:
    gateway, *texts = await _made(start, lambda what: what == "finish")
    assert texts == ["Hello", "Hello"]
    assert {row.outcome for row in await gateway.rows()} == {"ok"}


async def test_nothing_is_queued_for_nobody() -> None:
    listener = Listener()
    listener.tell(b"one\n\n")
    with listener:
        async for data in listener:
            assert data == b"one\n\n"
            break
    for _ in range(100):
        listener.tell(b"x" * 2**20)
    listener.end()
    assert listener.waiting == 0


async def test_who_reads_too_slowly_hears_so() -> None:
    piece = b"event: a\ndata: %b\n\n" % (b"x" * 2**20)
    listener = Listener()
    for _ in range(100):
        listener.tell(piece)
    assert listener.waiting < 6 * 2**20
    with listener:
        *heard, last = [data async for data in listener]
    assert heard == [piece] * len(heard)
    assert last.startswith(b"event: error\n")
    assert b'"code":"read_too_slowly"' in last
    assert b'"sequence_number":%d}' % len(heard) in last
    assert last.endswith(b"data: [DONE]\n\n")
