"""Streams that are cut anywhere; `python -m tests.fuzz.segments` does it for hours."""

from itertools import pairwise
from random import Random

import pytest
from tests.fuzz.segments import Course, places, search
from tests.fuzz.streams import Stream, own
from tests.fuzz.ways import Way

from infway.providers.sse import Framer

STREAMS = list(own())


@pytest.mark.parametrize("stream", STREAMS, ids=[stream.name for stream in STREAMS])
def test_a_stream_that_comes_byte_by_byte_is_the_same(stream: Stream) -> None:
    assert Course(stream).failing(range(1, len(stream.body))) is None


def test_random_cuts_change_no_event_and_no_byte() -> None:
    told = search(STREAMS, 3_000, seed=20260101)
    assert told.found == []
    assert told.cuts == 3_000
    assert len(told.streams) > len(STREAMS) * 0.8
    assert told.events > 5_000


def test_places_rise_within_the_stream_and_are_found_in_every_corner() -> None:
    chance, seen = Random(1), set[int]()
    for _ in range(2_000):
        where = places(60, [7, 8], chance)
        assert all(before < after for before, after in pairwise((0, *where, 60)))
        seen.update(where)
    assert seen == set(range(1, 60))
    assert places(0, [], chance) == places(1, [], chance) == []


def test_a_reader_that_decodes_each_piece_by_itself_is_found_out() -> None:
    """What most gateways do wrong, as a way of its own."""
    course = Course(next(one for one in STREAMS if one.name == "text-lf"))

    def walk(pieces: list[bytes]) -> object:
        said = "".join(piece.decode(errors="replace") for piece in pieces)
        return Framer().feed(said.encode())

    course.ways = [Way("torn", walk, walk([course.stream.body]), 1)]
    found = sum(
        course.failing(places(len(course.stream.body), course.hot, Random(seed))) is not None
        for seed in range(100)
    )
    assert found > 50
