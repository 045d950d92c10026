"""The framer agrees with a slow and simple reading of the format, however the bytes are cut."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.reading import cut_at, pieces

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.sse import MAX_EVENT, Frame, Framer, frames

END = re.compile(rb"\r\n|\r|\n")
LINES = st.sampled_from(
    [
        b"data: {}", b"data:{}", b"data", b"data:", b"data:  two spaces", b"data: a:b", b": ping",
        b":", b"event: error", b"event:x", b"id: 7", b"retry: 10", b"unknown: x", b"datax: y",
        b"", b"", b"", "data: \u2028\u2029\x85\x0b\x0c\x1c é".encode(), b"data: \xef\xbb\xbf", b" data: x",
        b"data: \xff",
    ]
)  # fmt: skip
STREAMS = st.tuples(
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\r\n", b"\r"])), max_size=30),
)


def reference(stream: bytes) -> list[Frame]:
    """WHATWG HTML 9.2.6, word by word: what is not ended by a blank line is no event."""
    found: list[Frame] = []
    name, data = b"", None
    *lines, _unfinished = END.split(stream.removeprefix(b"\xef\xbb\xbf"))
    for line in lines:
        if line == b"":
            if data is not None:
                found.append(Frame(name, data[:-1]))
            name, data = b"", None
        elif not line.startswith(b":"):
            field, _, value = line.partition(b":")
            value = value[1:] if value.startswith(b" ") else value
            if field == b"data":
                data = (data or b"") + value + b"\n"
            elif field == b"event":
                name = value
    return found


def framed(cuts: list[bytes]) -> list[Frame]:
    framer = Framer()
    return [frame for cut in cuts for frame in frames(framer.feed(cut))]


@given(STREAMS, st.lists(st.integers(0, 400)))
def test_every_stream_in_every_cut_reads_as_the_reference_reads_it(stream, places: list[int]):
    bom, lines = stream
    data = bom + b"".join(line + end for line, end in lines)
    cuts = cut_at(data, [place for place in places if place < len(data)])
    assert framed(cuts) == reference(data)
    assert framed(pieces(data, 1)) == reference(data)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_an_event_is_there_as_soon_as_its_blank_line_is(end: bytes, size: int):
    framer = Framer()
    event = b"data: 1" + end + end
    blocks = [framer.feed(piece) for piece in pieces(event, size)]
    seen = [frame for block in blocks for frame in frames(block)]
    assert seen == [Frame(b"", b"1")]


def test_a_mark_of_byte_order_is_dropped_once_and_only_at_the_start():
    bom = b"\xef\xbb\xbf"
    assert framed(pieces(bom + b"data: " + bom + b"\n\n", 1)) == [Frame(b"", bom)]
    assert framed([bom + bom + b"data: 1\n\n"]) == []


def test_line_separators_of_unicode_are_no_line_ends():
    text = 'data: {"a":"\u2028\u2029\x85\x0b\x0c\x1c"}'.encode()
    assert framed(pieces(text + b"\n\n", 1)) == [Frame(b"", text[6:])]


def test_lines_of_data_are_joined():
    assert framed([b"data: 1\ndata: 2\ndata\ndata: 3\n\n"]) == [Frame(b"", b"1\n2\n\n3")]


def test_comments_ids_and_unknown_fields_are_left_out():
    stream = b": ping\n\nid: 1\nretry: 5\nfoo: bar\ndata: 1\n\n:\n\n"
    assert framed([stream]) == [Frame(b"", b"1")]


def test_a_block_that_needs_no_change_is_passed_on_as_the_same_object():
    block = b"data: 1\n\ndata: 2\n\n"
    framer = Framer()
    framer.feed(b"data: 0\n\n")
    assert framer.feed(block) is block


@pytest.mark.parametrize("size", [1024, 64 * 1024, MAX_EVENT + 1])
def test_an_event_beyond_the_limit_is_too_large(size: int):
    with pytest.raises(UpstreamFailed) as caught:
        framed(pieces(b"data: " + b"a" * MAX_EVENT, size))
    assert caught.value.failure.fault is Fault.TOO_LARGE


def test_many_events_together_may_be_larger_than_one_may_be():
    stream = (b"data: " + b"a" * 1000 + b"\n\n") * 5000
    assert len(framed([stream])) == 5000


def test_a_large_event_in_single_bytes_comes_whole():
    event = b"data: " + b"a" * (128 * 1024) + b"\n\n"
    framer = Framer()
    blocks = [block for byte in event if (block := framer.feed(bytes((byte,))))]
    assert blocks == [event]


def test_what_is_left_at_the_end_waits_for_its_blank_line():
    framer = Framer()
    assert framer.feed(b"data: 1\n\ndata: 2") == b"data: 1\n\n"
    assert framer.feed(b"\n\n") == b"data: 2\n\n"
    assert framer.feed(b"data: 3\n\n") == b"data: 3\n\n"
