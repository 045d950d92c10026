"""Tenants in one queue: they go in turns, and none of them fills it alone."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.queueing import Plan, World

from infway.pipeline.lanes import Rank, Sought, Turns

ONE = {"a": 1, "b": 1, "c": 1}
TENANTS = st.sampled_from(["a", "a", "a", "b", "c"])
COMING = st.lists(st.tuples(st.integers(0, 40), TENANTS, st.sampled_from([0, 128])), max_size=12)


def one(tenant: str, at: float = 0.25, **said: object) -> Plan:
    return Plan(at=at, tenant=tenant, **said)  # type: ignore[arg-type]  # fields by name


def tenants(world: World, plans: Sequence[Plan]) -> str:
    """Return whose requests were sent, in their order."""
    return "".join(plans[int(name[1:])].tenant for name in world.served)


def test_who_waits_with_many_takes_turns_with_who_waits_with_few() -> None:
    world = World(ONE, timeout=60.0)
    plans = [one("a", i / 64) for i in range(8)] + [one("b", 0.5), one("b", 0.5), one("c", 0.75)]
    world.live(plans)
    assert tenants(world, plans) == "abcabaaaaaa"


def test_who_asks_one_by_one_never_waits_for_more_than_one_of_each_other() -> None:
    world = World(ONE, timeout=60.0)
    plans = [one("a", i / 64) for i in range(8)] + [one("b", 0.5 + 2 * i) for i in range(4)]
    world.live(plans)
    assert tenants(world, plans) == "abababab" + "aaaa"
    places = [world.asks[f"r{8 + i}"].place for i in range(4)]
    assert [place and place.position for place in places] == [1, 1, 1, 1]


def test_the_more_urgent_goes_first_whosever_it_is() -> None:
    world = World(ONE, timeout=60.0)
    plans = [one("a", 0.0), *(one("a", priority=0) for _ in range(3)), one("b", 0.5)]
    world.live(plans)
    assert tenants(world, plans) == "aaaab"


@given(COMING)
def test_of_equals_the_tenant_that_was_served_longest_ago_is_next(
    coming: list[tuple[int, str, int]],
) -> None:
    plans = [
        one(tenant, at / 8 + number / 1024, priority=priority)  # no two things at one moment
        for number, (at, tenant, priority) in enumerate(sorted(coming))
    ]
    world = World(ONE, timeout=600.0)
    world.live(plans)
    assert world.served == [f"r{number}" for number in served(plans)]


def served(plans: Sequence[Plan]) -> list[int]:
    """Serve one after the other, a second each."""
    order: list[int] = []
    turns: dict[str, int] = {}
    left, free = list(range(len(plans))), 0.0
    while left:
        waiting = [number for number in left if plans[number].at < free]
        if waiting:
            chosen = min(
                waiting,
                key=lambda one: (plans[one].priority, turns.get(plans[one].tenant, 0), one),
            )
        else:
            chosen, free = left[0], plans[left[0]].at
        turns[plans[chosen].tenant] = len(order) + 1
        order.append(chosen)
        left.remove(chosen)
        free += 1.0
    return order


def test_who_has_most_in_a_full_queue_gives_a_place_to_who_has_fewer() -> None:
    world = World(ONE, size=4)
    plans = [one("z", 0.0), *(one("a", (1 + i) / 64) for i in range(5)), one("b"), one("b", 0.5)]
    plans += [one("b", 0.75), one("c", 0.75)]
    world.live(plans)
    full = [name for name, said in world.said.items() if said == "concurrent_requests_exceeded"]
    assert sorted(full) == ["r3", "r4", "r5", "r7", "r8"]
    assert tenants(world, plans) == "zabca"
    assert world.ended["r4"] == 1000.25  # told at once, when its place was given away


def test_a_place_is_never_given_to_who_would_have_as_many_then() -> None:
    world = World(ONE, size=2)
    plans = [one("z", 0.0), one("a", 0.125), one("b", 0.25), one("c", 0.5), one("a", 0.5)]
    world.live(plans)
    assert tenants(world, plans) == "zab"
    assert {world.said[name] for name in ("r3", "r4")} == {"concurrent_requests_exceeded"}


def test_no_number_of_tenants_fills_the_memory() -> None:
    turns, sought = Turns(most=3), Sought(frozenset(), frozenset({"up"}), [])
    for number in range(100):
        turns.serve(f"t{number}", ["up"])
    ranks = [Rank(0, 1, f"t{number}") for number in (96, 97, 98, 99)]
    assert [turns.place(one, sought)[1] for one in ranks] == [0, 98, 99, 100]


def test_turns_at_one_upstream_are_none_at_another() -> None:
    """Who is served all the time where nobody else waits has its turn where others do."""
    world = World({"c": 1}, timeout=60.0)
    plans = [one("b", i / 64) for i in range(6)] + [one("a", 0.5)]
    plans += [one("a", 0.5 + i / 4, model="m1", takes=0.125) for i in range(20)]
    world.live(plans)
    there = [name for name in world.served if int(name[1:]) < 7]
    assert [plans[int(name[1:])].tenant for name in there] == list("babbbbb")


def test_no_place_is_given_away_to_who_is_less_urgent() -> None:
    world = World(ONE, size=2)
    plans = [one("z", 0.0), one("a", 0.125), one("a", 0.25), one("b", 0.5, priority=255)]
    plans += [one("b", 0.75)]
    world.live(plans)
    assert world.said["r3"] == "concurrent_requests_exceeded"
    assert tenants(world, plans) == "zab"
