"""A dialect without words for a request costs no try, and is told only where all are without."""

from random import Random

from tests.wall.asking import offer, offers, upstream

from infway.kernel.faults import Failure, Fault
from infway.pipeline.itinerary import Itinerary, Persistence

NO_WORDS = Failure(Fault.UNTRANSLATABLE, message="messages[0].content[0]: no words.")
ONE_TRY = Persistence(attempts=1)


def test_the_next_offer_is_tried_although_all_tries_are_spent():
    walk = Itinerary(offers(offer(), offer(), offer()), ONE_TRY, Random(1), open_model=False)
    for _ in range(2):
        step = walk.after(NO_WORDS, 9.0)
        assert step is not None
        assert (step.pause, step.again) == (0.0, False)
    assert walk.tries == 1
    assert walk.after(NO_WORDS, 9.0) is None


def test_what_was_sent_counts_as_before():
    walk = Itinerary(offers(offer(), offer(), offer()), ONE_TRY, Random(1), open_model=False)
    assert walk.after(NO_WORDS, 9.0) is not None
    assert walk.after(Failure(Fault.HTTP_500, 500), 9.0) is None


def test_an_upstream_that_rests_is_known_by_its_name_in_whatever_dialect():
    one, same = upstream("a"), upstream("a", dialect="responses")
    order = offers(offer(source=one), offer(source=same), offer(source=upstream("b")))
    walk = Itinerary(order, Persistence(), Random(1), open_model=False)
    step = walk.after(Failure(Fault.PROVIDER_AUTH, 401), 9.0)
    assert step is not None
    assert step.offer.upstream.name == "b"
