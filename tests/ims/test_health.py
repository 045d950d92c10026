"""What the book learns, what it forgets, and what it leaves alone."""

from math import exp, isclose, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infway.ims.evidence import Decay, Evidence, Lesson
from infway.ims.health import Health
from infway.ims.outcome import Headers, Outcome, lesson
from infway.ims.tuning import Tuning
from infway.kernel.faults import CONSEQUENCES, Blame, Fault, Rest

BROKEN = Outcome(fault=Fault.HTTP_500, end=0.2)
NEUTRAL = [f for f, c in CONSEQUENCES.items() if not c.weight and c.rest is Rest.NOTHING]


def view(router, place: int, now: float):
    return router.health.refresh(router.health.slots[place], now)


def test_an_offer_that_nobody_used_is_believed_to_be_like_the_prior(market) -> None:
    seen, prior = view(market.router(market.offer("a")), 0, 0.0), Tuning().prior
    assert isclose(seen.start, prior.start)
    assert isclose(seen.pace, 1 / prior.speed)
    assert isclose(seen.failure, prior.failure)
    assert seen.attempts == 0.0


def test_evidence_outweighs_the_prior_as_it_grows(market) -> None:
    router = market.router(market.offer("a"))
    starts = [view(router, 0, 0.0).start]
    for _ in range(5):
        market.live(router, 0, 0.0, *[market.served(start=4.0)] * 5)
        starts.append(view(router, 0, 0.0).start)
    assert starts == sorted(starts)
    assert 3.0 < starts[-1] < 4.0


def test_a_newcomer_is_believed_to_be_like_the_others_at_its_upstream(market) -> None:
    shared = market.upstream("slow")
    router = market.router(
        market.offer(shared, model="old"), market.offer(shared, model="new"), market.offer("b")
    )
    market.live(router, 0, 0.0, *[market.served(start=5.0)] * 30, *[BROKEN] * 3)
    newcomer, stranger = view(router, 1, 0.0), view(router, 2, 0.0)
    assert newcomer.start > 3 * stranger.start
    assert newcomer.failure > 2 * stranger.failure


def test_a_newcomer_at_a_new_upstream_is_believed_to_be_like_its_peers(market) -> None:
    router = market.router(market.offer("a"), market.offer("b"), market.offer("c", model="other"))
    market.live(router, 0, 0.0, *[market.served(start=5.0)] * 30)
    assert view(router, 1, 0.0).start > 2 * view(router, 2, 0.0).start


def test_failures_are_forgotten_and_an_idle_offer_drifts_to_its_prior(market) -> None:
    router = market.router(market.offer("a"), market.offer("b"))
    market.live(router, 0, 0.0, market.served(), *[BROKEN] * 4)
    failures = [view(router, 0, now).failure for now in (0.0, 30.0, 300.0, 3000.0, 30000.0)]
    assert failures == sorted(failures, reverse=True)
    assert isclose(failures[-1], Tuning().prior.failure, rel_tol=0.01)


def test_what_happens_now_outweighs_a_long_good_record(market) -> None:
    router = market.router(market.offer("a"))
    for second in range(600):
        market.live(router, 0, float(second), market.served(start=0.5))
    for second in range(600, 660):
        market.live(router, 0, float(second), market.served(start=5.0))
    assert view(router, 0, 660.0).start > 2.0


def test_a_recovered_upstream_is_believed_again_within_minutes(market) -> None:
    router = market.router(market.offer("a"))
    for second in range(300):
        market.live(router, 0, float(second), BROKEN if second % 3 == 0 else market.served())
    sick = view(router, 0, 300.0).failure
    for second in range(300, 480):
        market.live(router, 0, float(second), market.served())
    assert sick > 0.25
    assert view(router, 0, 480.0).failure < 0.05


@given(
    st.lists(st.tuples(st.floats(0.0, 60.0), st.booleans()), min_size=1, max_size=40),
    st.data(),
)
def test_a_success_in_place_of_a_failure_never_makes_an_offer_look_worse(steps, data) -> None:
    flipped = data.draw(st.integers(0, len(steps) - 1))
    believed = []
    for better in (False, True):
        evidence, decay, now = Evidence(), Decay(300.0, 30.0), 0.0
        for place, (wait, failed) in enumerate(steps):
            now += wait
            fails = failed or place == flipped
            evidence.add(
                Lesson(failed=float(fails and not (better and place == flipped))),
                decay.weights(now),
            )
        counts = evidence.counts(decay.factors(now), 4.0, 0.25)
        believed.append((counts.failed + 0.1) / (counts.n + 10.0))
    worse, better = believed
    assert better <= worse + 0.01


@pytest.mark.parametrize("fault", NEUTRAL)
def test_what_is_not_the_upstreams_fault_counts_neither_way(market, fault: Fault) -> None:
    router = market.router(market.offer("a"))
    before = view(router, 0, 0.0)
    market.live(router, 0, 0.0, *[Outcome(fault=fault, end=1.0)] * 50)
    assert view(router, 0, 0.0) == before
    assert not router.health.troubled(0.0)


def test_the_client_leaving_counts_neither_way_and_frees_the_probe(market) -> None:
    router = market.router(market.offer("a"))
    market.live(router, 0, 0.0, *[BROKEN] * 5)
    slot = router.health.slots[0]
    market.live(router, 0, slot.shut, Outcome(fault=Fault.CLIENT_GONE, end=0.1))
    assert not slot.closed(slot.shut)
    assert slot.condition(slot.shut) == "half_open"


def test_a_429_rests_the_whole_account_for_as_long_as_it_says(market) -> None:
    shared = market.upstream("one")
    router = market.router(market.offer(shared), market.offer(shared, model="n"), market.offer("b"))
    market.live(router, 0, 0.0, Outcome(fault=Fault.RATE_LIMITED, end=0.1, retry_after=7.0))
    closed = [slot.closed(6.9) for slot in router.health.slots]
    assert closed == [True, True, False]
    assert not any(slot.closed(7.1) for slot in router.health.slots)


@pytest.mark.parametrize("asked", [1e9, 301.0])
def test_no_upstream_is_rested_for_longer_than_five_minutes(market, asked: float) -> None:
    router = market.router(market.offer("a"))
    market.live(router, 0, 0.0, Outcome(fault=Fault.RATE_LIMITED, end=0.1, retry_after=asked))
    assert not router.health.slots[0].closed(300.5)


@pytest.mark.parametrize("fault", [f for f, c in CONSEQUENCES.items() if c.blame is Blame.OPERATOR])
def test_what_only_the_operator_can_mend_is_tried_again_after_five_minutes(
    market, fault: Fault
) -> None:
    shared = market.upstream("one")
    router = market.router(market.offer(shared), market.offer(shared, model="n"))
    market.live(router, 0, 0.0, Outcome(fault=fault, end=0.1))
    closed = [slot.closed(299.0) for slot in router.health.slots]
    assert closed == [True, CONSEQUENCES[fault].rest is Rest.UPSTREAM]
    assert not any(slot.closed(301.0) for slot in router.health.slots)


def test_a_learned_ceiling_closes_the_account_and_room_opens_it(market) -> None:
    router = market.router(market.offer("a"))
    offer, health = router.catalog.offers[0], router.health
    for _ in range(10):
        health.dispatched(offer, 0.0)
    health.observe(offer, 0.0, Outcome(fault=Fault.OVERLOADED, end=0.1))
    assert health.slots[0].condition(0.0) == "at_ceiling"
    for _ in range(5):
        health.observe(offer, 0.0, market.served())
    assert health.slots[0].condition(0.0) == "closed"
    assert not health.troubled(2.0)


def test_rate_limit_headers_are_believed(market) -> None:
    router = market.router(market.offer("a"))
    told = market.served()._replace(limits=Headers(0.0, 12.0))
    market.live(router, 0, 0.0, told)
    assert router.health.slots[0].closed(11.0)
    assert not router.health.slots[0].closed(12.5)


def test_what_is_in_flight_beyond_the_usual_makes_an_offer_slower(market) -> None:
    router = market.router(market.offer("a"))
    offer, health = router.catalog.offers[0], router.health
    loads = []
    for _ in range(12):
        health.dispatched(offer, 0.0)
        loads.append(health.slots[0].view.load)
    assert loads == sorted(loads)
    assert loads[0] < 1.3
    for _ in range(500):
        health.observe(offer, 0.0, market.served())
        health.dispatched(offer, 0.0)
    assert health.slots[0].view.load == 1.0


def test_silence_counts_before_the_timeout_does(market) -> None:
    router = market.router(market.offer("a"))
    offer, health = router.catalog.offers[0], router.health
    market.live(router, 0, 0.0, *[market.served(start=0.5)] * 30)
    health.dispatched(offer, 1.0)
    assert view(router, 0, 1.5).start < 0.6
    assert view(router, 0, 7.0).start == 3.0
    health.dispatched(offer, 7.0)
    health.heard(offer, 7.5)
    assert view(router, 0, 7.6).start < 0.6


def test_an_offer_with_nothing_under_way_is_not_silent(market) -> None:
    router = market.router(market.offer("a"))
    for outcome in (market.served(start=0.5), BROKEN, market.served(start=0.5)):
        market.live(router, 0, 0.0, outcome)
    believed = [view(router, 0, now).start for now in (0.0, 50.0)]
    assert believed[1] < 1.0
    assert router.health.slots[0].waiting == 0


def test_a_closing_breaker_leaves_little_of_what_opened_it(market) -> None:
    router = market.router(market.offer("a"))
    slot = router.health.slots[0]
    market.live(router, 0, 0.0, *[BROKEN] * 5)
    market.live(router, 0, slot.shut, market.served())
    assert slot.condition(2.0) == "closed"
    assert view(router, 0, 2.0).attempts <= Tuning().trip.doubt + 1.0


def test_another_book_takes_over_what_is_known_and_leaves_what_is_in_flight(market) -> None:
    old = market.router(market.offer("gone"), market.offer("a"))
    market.live(old, 1, 50.0, *[market.served(start=3.0)] * 20, *[BROKEN] * 5)
    old.health.dispatched(old.catalog.offers[1], 50.0)
    new = market.router(market.offer("a"), market.offer("fresh"))
    new.health.carry(old.health)
    assert new.health.slots[0].account is old.health.slots[1].account
    assert new.health.slots[1].account is new.health.accounts["fresh"]
    assert isclose(view(new, 0, 51.0).start, view(old, 1, 51.0).start)
    assert new.health.slots[0].in_flight == 0
    assert new.health.troubled(50.0)
    assert new.health.slots[0].condition(50.0) == "open"


def test_replicas_learn_from_one_another(market) -> None:
    offers = (market.offer("a"), market.offer("b"))
    catalog = market.catalog(*offers)
    one = Health(catalog.offers, Tuning(), market.chance(1), share=True)
    two = Health(catalog.offers, Tuning(), market.chance(2))
    for _ in range(5):
        one.dispatched(catalog.offers[1], 1.0)
        one.observe(catalog.offers[1], 1.0, BROKEN)
    told = one.drain()
    two.absorb([*told, ("unknown/m", BROKEN)], 2.0)
    assert len(told) == 5
    assert one.drain() == []
    assert two.drain() == []
    assert two.slots[1].closed(2.0)
    assert two.slots[1].in_flight == 0
    assert not two.slots[0].closed(2.0)


def test_weights_stay_finite_however_long_the_process_lives(market) -> None:
    router = market.router(market.offer("a"))
    day = 86_400.0
    for now in (0.0, 0.2 * day, day, 30 * day, 400 * day):
        market.live(router, 0, now, *[market.served(start=2.0)] * 20)
        seen = view(router, 0, now)
        assert 1.5 < seen.start < 2.1
        assert 0.0 < seen.failure < 0.02


def test_a_reply_that_came_whole_teaches_its_speed_and_no_first_token() -> None:
    learnt = lesson(Outcome(start=4.0, end=4.0, output_tokens=100), believed_start=1.0)
    assert learnt == Lesson(pace=log(0.03), tokens=100.0)


def test_a_streamed_reply_teaches_first_token_and_speed() -> None:
    learnt = lesson(Outcome(start=1.0, end=3.0, output_tokens=100), believed_start=9.0)
    assert learnt is not None
    assert (learnt.start, exp(learnt.pace or 0), learnt.tokens) == (0.0, pytest.approx(0.02), 100.0)


def test_a_short_reply_teaches_no_speed() -> None:
    learnt = lesson(Outcome(start=1.0, end=1.1, output_tokens=3), believed_start=9.0)
    assert learnt == Lesson(start=0.0, tokens=3.0)


def test_a_failure_is_seen_only_where_no_fallback_could_have_helped() -> None:
    first = Outcome(fault=Fault.HTTP_500, end=0.5, visible=True)
    assert lesson(first, 1.0) == Lesson(failed=1.0, lost=0.5)
    cut = Outcome(fault=Fault.STREAM_CUT, start=1.0, end=5.0, visible=True)
    assert lesson(cut, 1.0) == Lesson(seen=1.0, start=0.0)
    rescued = cut._replace(visible=False)
    assert lesson(rescued, 1.0) == Lesson(failed=1.0, lost=5.0, start=0.0)


def test_times_of_zero_have_a_logarithm() -> None:
    assert lesson(Outcome(start=0.0, end=0.0, output_tokens=50), 0.0) is not None


def test_what_is_believed_does_not_depend_on_how_often_it_is_asked(market) -> None:
    asked, silent = market.router(market.offer("a")), market.router(market.offer("a"))
    for second in range(60):
        for router in (asked, silent):
            market.live(router, 0, float(second), market.served(start=1.0 + second % 3))
        view(asked, 0, float(second))
    assert view(asked, 0, 61.0)[:7] == pytest.approx(view(silent, 0, 61.0)[:7], rel=0.02)
