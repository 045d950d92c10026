"""One replica at a time finds out whether an offer that failed is back."""

import asyncio
from collections.abc import Callable

from infway.pipeline.course import Course
from infway.pipeline.itinerary import Itinerary


async def reserve(course: Course, itinerary: Itinerary, now: Callable[[], float]) -> None:
    """Where the next attempt would probe an offer: leave it to another replica that does already.

    It asks all the same where nothing else is left, as it would an offer that is shut. `now`:
    monotonic seconds.
    """
    probing, health, shut = course.router.probing, course.router.health, course.decision.shut
    while probing is not None:
        began, offer = now(), itinerary.offer
        slot = health.slots[offer.index]
        if not slot.breaker.due(began):
            return
        health.shut(slot, began + health.tuning.trip.lease)  # nobody else asks beside this one
        try:
            wait = await probing.claim(offer.id)
        except asyncio.CancelledError:
            slot.breaker.abandoned(now())
            slot.settle()
            raise
        if not wait:
            return
        health.shut(slot, now() + wait)
        shut[offer.index] = slot.condition(began)
        if not itinerary.pass_over(shut):
            return
