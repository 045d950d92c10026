"""What streams have said so far, put on record from one wheel for all of them.

A process that dies then leaves at most two seconds, or 256 tokens and a quarter of a second, of
each stream that nobody has counted. Where the journal has no segment ahead, nothing is said of what
goes on: what is left of it is for what begins and ends.
"""

from itertools import islice

from infway.ledger.journal import Journal
from infway.pipeline.settle import Settlement

TICK = 0.25  # seconds between two looks at every stream
_TOKENS = 256  # reliability, row 67
_SECONDS = 2.0
# Segments of the journal that may be there for those who are under way: moving what is said of
# them costs then less than a quarter of what is written anyway
_SEGMENTS, _SHARE = 4, 500
_AT_ONCE = 500  # requests that are moved in one look


def look(open_ones: dict[Settlement, None], journal: Journal, now: float) -> None:
    """Put on record what came since the last time, where that is worth it."""
    if journal.is_low:
        return
    for settlement in list(open_ones):
        for attempt in settlement.attempts:
            if attempt.ended is not None or attempt.first is None:
                continue
            new = attempt.made() - attempt.noted
            if new >= _TOKENS or (new and now - attempt.noted_at >= _SECONDS):
                settlement.see(attempt)


def move(open_ones: dict[Settlement, None], journal: Journal) -> None:
    """Let long requests hold up no more of the journal than a few segments."""
    if not journal.is_full and journal.segments > _SEGMENTS + len(open_ones) // _SHARE:
        for settlement in list(islice(open_ones, _AT_ONCE)):
            if settlement.segment >= journal.number - 1:
                break
            settlement.move()
