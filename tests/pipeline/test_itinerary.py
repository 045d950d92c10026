"""Where the attempts of one request go: the rules at the top of the reliability design."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wall.asking import offer, offers, upstream

from infway.kernel.chat import Offer
from infway.kernel.faults import CONSEQUENCES, Failure, Fault, Rest
from infway.pipeline.itinerary import Itinerary, Persistence

PATIENT = Persistence(attempts=20)
UNCOUNTED = {Fault.UNTRANSLATABLE, Fault.PREFILL_REFUSED}  # no answer was asked for
FAILURES = st.builds(
    Failure,
    st.sampled_from([fault for fault in Fault if fault not in UNCOUNTED]),
    retry_after=st.none() | st.floats(0, 400),
)


def walk(order: list[Offer], *failures: Failure, rules: Persistence = PATIENT, open_model=False):
    """The offers met, the pauses between them, and whether an end was reached."""
    itinerary = Itinerary(order, rules, Random(1), open_model=open_model)
    met, pauses = [itinerary.offer.id], []
    for failure in failures:
        step = itinerary.after(failure, 100.0)
        if step is None:
            return met, pauses, True
        met.append(step.offer.id)
        pauses.append(step.pause)
    return met, pauses, False


def order(*names: str) -> list[Offer]:
    """`upstream/model` in the order of a decision."""
    sources = {name.partition("/")[0]: upstream(name.partition("/")[0]) for name in names}
    return offers(
        *(offer("n", sources[n.partition("/")[0]], model=n.partition("/")[2]) for n in names)
    )


DOWN = Failure(Fault.HTTP_5XX)
SILENT = Failure(Fault.TTFT_TIMEOUT)


def limited(seconds: float | None) -> Failure:
    return Failure(Fault.RATE_LIMITED, 429, retry_after=seconds)


def test_between_offers_of_one_model_fallback_is_immediate():
    met, pauses, _ = walk(order("a/m", "b/m", "c/m"), DOWN, SILENT)
    assert met == ["a/m", "b/m", "c/m"]
    assert pauses == [0, 0]


def test_the_last_offer_of_the_asked_model_gets_one_retry_before_another_model():
    met, pauses, _ = walk(order("a/m", "b/m", "c/other"), DOWN, DOWN, DOWN)
    assert met == ["a/m", "b/m", "b/m", "c/other"]
    assert pauses[0] == 0
    assert 0 <= pauses[1] <= PATIENT.backoff_base
    assert pauses[2] == 0


def test_a_silent_offer_is_never_tried_again():
    assert walk(order("a/m"), SILENT) == (["a/m"], [], True)
    met, _, _ = walk(order("a/m", "b/other"), SILENT)
    assert met == ["a/m", "b/other"]


def test_where_the_model_is_open_all_offers_count_as_the_same():
    met, pauses, _ = walk(order("a/m", "b/other"), DOWN, open_model=True)
    assert (met, pauses) == (["a/m", "b/other"], [0])


@pytest.mark.parametrize(
    ("wait", "met"),
    [(2.0, ["a/m", "a/m"]), (3.0, ["a/m", "a/m"]), (3.1, ["a/m", "b/other"]), (None, ["a/m", "b/other"])],
)  # fmt: skip
def test_a_short_retry_after_is_waited_for_before_another_model(wait, met):
    seen, pauses, _ = walk(order("a/m", "b/other"), limited(wait))
    assert seen == met
    assert pauses == [wait if len(set(seen)) == 1 else 0]


@pytest.mark.parametrize(("wait", "ends"), [(5.0, False), (5.1, True), (300.0, True)])
def test_a_lone_offer_is_waited_for_within_patience(wait: float, ends: bool):
    assert walk(order("a/m"), limited(wait))[2] is ends


def test_a_lone_offer_without_retry_after_is_tried_twice_more():
    met, _, ended = walk(order("a/m"), limited(None), limited(None), limited(None))
    assert met == ["a/m"] * 3
    assert ended


@pytest.mark.parametrize("fault", [f for f in Fault if CONSEQUENCES[f].rest is Rest.UPSTREAM])
def test_a_refused_credential_leaves_its_upstream_for_last(fault: Fault):
    made = order("a/m", "a/m2", "b/m")
    met, _, _ = walk(made, Failure(fault), DOWN, open_model=True)
    assert met == ["a/m", "b/m", "a/m2"]


@pytest.mark.parametrize(
    "fault", [f for f in Fault if not (CONSEQUENCES[f].elsewhere or CONSEQUENCES[f].again)]
)
def test_what_may_not_be_tried_elsewhere_ends_the_walk(fault: Fault):
    assert walk(order("a/m", "b/m"), Failure(fault)) == (["a/m"], [], True)


def test_without_time_there_is_no_step():
    itinerary = Itinerary(order("a/m", "b/m"), PATIENT, Random(1), open_model=False)
    assert itinerary.after(DOWN, 0.0) is None
    assert itinerary.after(DOWN, -1.0) is None


def test_no_pause_outlasts_the_time_that_is_left():
    itinerary = Itinerary(order("a/m"), PATIENT, Random(1), open_model=False)
    assert itinerary.after(limited(2.0), 1.0) is None


@given(st.lists(FAILURES, max_size=30), st.integers(1, 6), st.booleans(), st.integers(1, 9))
def test_every_walk_keeps_the_rules(
    failures: list[Failure], count: int, open_model: bool, attempts: int
):
    made = order(*(f"u{n}/{'m' if n % 2 else 'k'}" for n in range(count)))
    rules = Persistence(attempts=attempts)
    itinerary = Itinerary(made, rules, Random(2), open_model=open_model)
    tried = [itinerary.offer]
    silent: set[str] = set()
    for failure in failures:
        if not CONSEQUENCES[failure.fault].again:
            silent.add(itinerary.offer.id)
        step = itinerary.after(failure, 50.0)
        if step is None:
            break
        assert CONSEQUENCES[failure.fault].elsewhere or step.again
        assert step.again is (step.offer is tried[-1])
        assert step.again or step.pause == 0
        assert 0 <= step.pause <= 50
        assert step.offer.id not in silent
        tried.append(step.offer)
    assert len(tried) <= attempts
    assert max(tried.count(one) for one in tried) <= 3


def test_a_longer_window_is_tried_where_a_prompt_is_too_long():
    small, same, large = order("a/m", "b/m", "c/m")
    made = [
        replace(small, context=8192),
        replace(same, context=8192),
        replace(large, context=65536),
    ]
    met, pauses, _ = walk(made, Failure(Fault.CONTEXT_LENGTH, 400))
    assert (met, pauses) == (["a/m", "c/m"], [0])
    plain = Persistence(larger_context=False)
    assert walk(made, Failure(Fault.CONTEXT_LENGTH, 400), rules=plain)[2]


def test_refused_contents_are_tried_elsewhere_only_where_it_is_configured():
    refused = Failure(Fault.CONTENT_FILTER, 400)
    assert walk(order("a/m", "b/m"), refused)[2]
    met, _, _ = walk(order("a/m", "b/m"), refused, rules=Persistence(reroute_filtered=True))
    assert met == ["a/m", "b/m"]


def test_an_error_that_says_when_is_waited_for_or_not_tried_again():
    assert walk(order("a/m"), Failure(Fault.HTTP_5XX, 503, retry_after=2.0))[1] == [2.0]
    assert walk(order("a/m"), Failure(Fault.HTTP_5XX, 503, retry_after=30.0))[2]
