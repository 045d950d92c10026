"""Several models answer at once (imsn): choices by rank, failures after them."""

import msgspec
from tests.api.caller import refused
from tests.api.upstream import Asked, Script, answer, either, fault, whole
from tests.conftest import Start

from infway.api.replies import ChatReply


def _except(*failing: str) -> object:
    def say(asked: Asked) -> Script:
        model = str(asked.json["model"]).removeprefix("native-")
        return fault(500) if model in failing else whole(answer(f"I am {model}"))

    return say


BOTH = {"llms": ["m1", "m2"], "imsn": 2}


async def test_two_models_give_two_choices_in_order_of_rank(start: Start) -> None:
    gateway = await start(_except())
    heard = await gateway.chat(model=BOTH, usage={"include": True})
    reply = msgspec.json.decode(heard.body, type=ChatReply)
    assert [one.index for one in reply.choices] == [0, 1]
    ranked = [one.model for one in reply.choices]
    assert [one.rank for one in ranked if one] == [1, 2]
    assert {one.ref for one in ranked if one} == {"m1", "m2"}
    assert reply.model == ranked[0].ref  # type: ignore[union-attr]
    assert heard.json["usage"] == {
        "prompt_tokens": 22, "completion_tokens": 14, "total_tokens": 36,
    }  # fmt: skip
    assert b'"cost":0.000195,' in heard.body
    assert heard.header("infe-unit-cost") == "0.000195"
    rows = [row for row in await gateway.rows() if row.attempt == 0]
    assert [(row.outcome, row.cost) for row in rows] == [("ok", 195_000_000)]


async def test_of_two_models_one_may_fail(start: Start) -> None:
    for failing, good in (("m1", "m2"), ("m2", "m1")):
        gateway = await start(_except(failing), attempts={"max": 1})
        heard = await gateway.chat(model=BOTH)
        assert heard.status == 200
        msgspec.json.decode(heard.body, type=ChatReply)
        first, second = heard.json["choices"]
        assert first["message"]["content"] == f"I am {good}"
        assert (first["index"], second["index"]) == (0, 1)
        assert second["finish_reason"] == "error"
        assert second["message"]["content"] == ""
        assert second["model"]["ref"] == failing
        assert second["error"]["code"] == "upstream_error"
        assert heard.json["model"] == good
        assert "error" not in heard.json


async def test_where_both_fail_the_best_ranked_ones_error_is_told(start: Start) -> None:
    gateway = await start(_except("m1", "m2"), attempts={"max": 1})
    refused(await gateway.chat(model=BOTH), 502, "upstream_error")
    rows = [row for row in await gateway.rows() if row.attempt == 0]
    assert [(row.status, row.cost) for row in rows] == [(502, 0)]


async def test_more_than_there_are_means_as_many_as_there_are(start: Start) -> None:
    gateway = await start(_except())
    assert len((await gateway.chat(model={"imsn": 50})).json["choices"]) == 2
    assert len((await gateway.chat(model={"llms": ["m1"], "imsn": 3})).json["choices"]) == 1


async def test_a_stream_is_of_the_best_model_alone(start: Start) -> None:
    gateway = await start(either)
    heard = await gateway.chat(model=BOTH, stream=True)
    assert {one["choices"][0]["index"] for one in heard.chunks} == {0}
    assert len(gateway.upstream.asked) == 1
    failing = gateway.upstream.asked[0].json["model"].removeprefix("native-")
    gateway.upstream.say = lambda asked: (
        fault(500) if asked.json["model"] == f"native-{failing}" else either(asked)
    )
    heard = await gateway.chat(model=BOTH, stream=True)
    assert heard.status == 200
    assert heard.chunks[0]["model"] != failing


async def test_a_prompt_may_be_answered_by_several_as_well(start: Start) -> None:
    gateway = await start(_except("m1"), attempts={"max": 1})
    heard = await gateway.chat(model=BOTH, messages=None, prompt="Hi")
    assert [one["text"] for one in heard.json["choices"]] == ["I am m2", ""]
    assert not any("message" in one for one in heard.json["choices"])
