"""The queue before busy offers: order, places, wake-ups; nobody is forgotten, whatever happens."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pipeline.queueing import MODELS, Plan, Swap, World

ONE = {"a": 1, "b": 1, "c": 1}
TIMES = st.integers(0, 24).map(lambda eighths: eighths / 8)
PLANS = st.builds(
    Plan,
    at=TIMES,
    model=st.sampled_from(list(MODELS)),
    priority=st.sampled_from([None, 0, 128, 128, 255]),
    takes=st.sampled_from([0.125, 0.5, 1.0, 3.0]),
    refused=st.lists(st.sampled_from([0.0, 0.25, 1.0, 30.0]), max_size=2).map(tuple),
    leaves=st.none() | TIMES,
    stream=st.booleans(),
    tenant=st.sampled_from(["a", "a", "b", "c"]),
)
CEILINGS = st.fixed_dictionaries({}, optional={name: st.integers(1, 2) for name in "abc"})
SWAPS = st.builds(Swap, at=TIMES, ceilings=CEILINGS, gone=st.sampled_from(["", "", "a", "b", "c"]))
ENDS = {
    "ok", "left", "request_timeout", "concurrent_requests_exceeded", "model_not_found",
    "upstream_rate_limited",
}  # fmt: skip


@settings(max_examples=120)
@given(st.lists(PLANS, max_size=14), CEILINGS, st.lists(SWAPS, max_size=2), st.integers(0, 14))
def test_everyone_is_served_in_order_or_told_and_no_place_is_taken_twice_or_left_empty(
    plans: list[Plan], ceilings: dict[str, int], swaps: list[Swap], size: int
) -> None:
    world = World(ceilings, timeout=2.0, size=size)
    world.live(plans, swaps)
    assert set(world.said.values()) <= ENDS
    assert len(world.said) == len(plans)
    if size >= len(plans):
        assert "concurrent_requests_exceeded" not in world.said.values()


def test_the_most_urgent_goes_first_and_equals_in_the_order_they_came() -> None:
    world = World(ONE, timeout=4.0)
    urgencies = [128, 128, 255, -1, 128, 0]
    world.live([Plan(at=i / 8, priority=one) for i, one in enumerate(urgencies)])
    assert world.served == ["r0", "r3", "r5", "r1", "r4"]
    assert world.said["r2"] == "request_timeout"


def test_a_request_waits_for_a_ceiling_and_goes_when_an_attempt_ends() -> None:
    world = World(ONE)
    world.live([Plan(takes=1.0), Plan(at=0.25, takes=1.0, stream=True), Plan(at=0.5)])
    assert world.ended == {"r0": 1001.0, "r1": 1002.0, "r2": 1003.0}
    places = [world.asks[f"r{i}"].place for i in range(3)]
    assert [place and place.position for place in places] == [0, 1, 2]
    assert [place and place.waited for place in places] == [0.0, 0.75, 1.5]
    assert world.stays == {"at_once": 1, "served": 2}


def test_who_has_waited_long_enough_is_told_and_leaves_no_gap() -> None:
    world = World(ONE, timeout=1.0)
    world.live([Plan(takes=2.0), Plan(at=0.5), Plan(at=1.5, priority=255)])
    assert world.said == {"r0": "ok", "r1": "request_timeout", "r2": "ok"}
    assert world.ended["r1"] == 1001.5
    (row,) = [row for row in world.ledger.rows if row.request == "r1"]
    assert (row.attempt, row.outcome, row.status) == (0, "request_timeout", 408)


def test_who_leaves_frees_the_place_and_nothing_was_sent_for_it() -> None:
    world = World(ONE)
    world.live([Plan(takes=2.0), Plan(at=0.25, leaves=0.5), Plan(at=0.5)])
    assert world.served == ["r0", "r2"]
    (row,) = [row for row in world.ledger.rows if row.request == "r1"]
    assert (row.attempt, row.outcome, row.status) == (0, "client_gone", 499)


def test_nobody_waits_behind_requests_that_want_another_upstream() -> None:
    world = World({"c": 1})
    world.live([Plan(takes=4.0), Plan(at=0.25, priority=0), Plan(at=0.5, model="m1", priority=255)])
    assert world.served == ["r0", "r2", "r1"]
    assert world.ended["r2"] == 1001.5


def test_models_behind_one_ceiling_wait_in_one_order() -> None:
    world = World(ONE)
    plans = [Plan(takes=1.0), Plan(at=0.25, model="m2", priority=9), Plan(at=0.5, priority=5)]
    world.live(plans, [Swap(0.125, ONE, gone="b")])
    assert world.served == ["r0", "r2", "r1"]


def test_a_plain_chat_never_waits_and_is_sent_beyond_the_ceiling() -> None:
    world = World(ONE)
    world.live([Plan(takes=2.0), Plan(at=0.25), Plan(at=0.5, priority=None, takes=0.5)])
    assert world.ended["r2"] == 1001.0
    assert world.ended["r1"] == 1003.0


def test_a_refused_request_waits_until_the_upstream_wants_it() -> None:
    world = World({}, timeout=60.0)
    world.live([Plan(refused=(8.0, 20.0), takes=1.0), Plan(at=0.5, priority=0)])
    assert world.said == {"r0": "ok", "r1": "ok"}
    assert world.served == ["r0", "r1"]
    assert world.ended["r1"] == 1009.125  # more urgent, though it came later
    assert world.ended["r0"] > 1028.0
    outcomes = [row.outcome for row in world.ledger.rows if row.request == "r0" and row.attempt]
    assert outcomes == ["rate_limited", "rate_limited", "ok"]


def test_a_queue_that_is_full_refuses_who_would_have_to_wait() -> None:
    world = World(ONE, size=1)
    world.live([Plan(takes=1.0), Plan(at=0.25), Plan(at=0.5), Plan(at=0.5, model="m1")])
    assert world.said["r2"] == "concurrent_requests_exceeded"
    assert {world.said[name] for name in ("r0", "r1", "r3")} == {"ok"}


def test_other_settings_lose_nobody_and_what_runs_counts_against_their_ceilings() -> None:
    world = World(ONE)
    plans = [Plan(takes=3.0), Plan(at=0.25, priority=9), Plan(at=0.5, priority=5)]
    world.live(plans, [Swap(1.0, {"c": 1}), Swap(2.0, {"c": 2})])
    assert world.served == ["r0", "r2", "r1"]
    assert world.ended == {"r0": 1003.0, "r2": 1003.0, "r1": 1004.0}


def test_who_waits_for_a_model_that_is_gone_is_told_at_once() -> None:
    world = World(ONE)
    world.live([Plan(takes=3.0), Plan(at=0.25)], [Swap(1.0, ONE, gone="c")])
    assert world.said == {"r0": "ok", "r1": "model_not_found"}
    assert world.ended["r1"] == 1001.0
    assert world.stays["lost"] == 1
