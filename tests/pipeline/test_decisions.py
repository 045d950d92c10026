"""Decisions that are kept for whoever asks why, and the requests they were made for."""

import gc
from weakref import ref

import msgspec
import pytest
from tests.pipeline.conftest import Start
from tests.pipeline.queueing import Plan, World
from tests.wall import Wall
from tests.wall.asking import ask, offer, upstream

from infway.ims.explain import explain
from infway.kernel.chat import Native


class Body(dict[str, object]):
    """Root fields of a body, which can be watched."""


@pytest.mark.parametrize("stream", [False, True])
async def test_nothing_of_a_body_is_kept_once_its_request_has_ended(
    line: Start, up: Wall, stream: bool
) -> None:
    fields, theirs = Body(ask(stream).fields), Body(contents=msgspec.Raw(b"[]"))
    watched = [ref(fields), ref(theirs)]
    one = await line(offer("ok", upstream("up", up.base_url)))
    native = Native("gemini", theirs, lost=("safetySettings",))
    told = await one.tell(ask(stream, fields=fields, native=native))
    assert told.error is None
    del fields, theirs, native
    gc.collect()
    assert [body() for body in watched] == [None, None]
    course = one.gateway.decisions.find("r-1")
    assert course is not None
    assert course.ask.native == Native("gemini", {}, lost=("safetySettings",))
    assert explain(course.decision)["input_tokens"] == course.ask.input_tokens == 25
    assert [row.outcome for row in await one.rows()] == ["ok", "ok"]


def test_a_request_that_waited_is_kept_without_its_body_too() -> None:
    world = World({"c": 1})
    world.live([Plan(stream=True), Plan(at=0.1), Plan(at=0.2, refused=(0.25,))])
    kept = world.chats.decisions.last(9)
    assert len(kept) == 3
    for course in kept:
        assert course.ask is course.decision.ask is course.settlement.ask
        assert not course.ask.fields
        assert course.settlement.outcome == "ok"
