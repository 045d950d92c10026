"""The framer agrees with botocore on every stream, however the bytes are cut."""

import struct
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer, ParserError
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.eventstream_saying import event, header, message
from tests.providers.reading import cut_at, pieces

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.eventstream import MAX_HEADERS, MAX_MESSAGE, Message, MessageFramer

NAMES = st.text(min_size=1, max_size=20)
VALUES = st.one_of(
    st.sampled_from([(0, None), (1, None)]),
    st.tuples(st.just(2), st.integers(-(2**7), 2**7 - 1)),
    st.tuples(st.just(3), st.integers(-(2**15), 2**15 - 1)),
    st.tuples(st.just(4), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.sampled_from([5, 8]), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(6), st.binary(max_size=40)),
    st.tuples(st.just(7), st.text(max_size=40)),
    st.tuples(st.just(9), st.binary(min_size=16, max_size=16)),
)
MESSAGES = st.lists(
    st.tuples(st.dictionaries(NAMES, VALUES, max_size=5), st.binary(max_size=60)), max_size=6
)
Read = list[tuple[dict[str, object], bytes]]


def packed(said) -> bytes:
    blocks = [
        (b"".join(header(name, kind, value) for name, (kind, value) in headers.items()), payload)
        for headers, payload in said
    ]
    return b"".join(message(block, payload) for block, payload in blocks)


def read(cuts: list[bytes]) -> tuple[Read, Fault | None]:
    """What the framer reads, and the fault it ends with."""
    framer = MessageFramer()
    found: list[Message] = []
    try:
        for cut in cuts:
            found += framer.feed(cut)
    except UpstreamFailed as failed:
        return [(dict(one.headers), one.payload) for one in found], failed.failure.fault
    return [(dict(one.headers), one.payload) for one in found], None


def read_all(cuts: list[bytes]) -> tuple[Read, Fault | None]:
    """The same, message by message, so that those before a fault are kept."""
    framer = MessageFramer()
    found: Read = []
    try:
        for cut in cuts:
            for one in framer.feed(cut):
                found.append((dict(one.headers), one.payload))
    except UpstreamFailed as failed:
        return found, failed.failure.fault
    return found, None


def by_botocore(stream: bytes) -> tuple[Read, bool]:
    """What AWS's own library reads, and whether it fails."""
    buffer = EventStreamBuffer()
    buffer.add_data(stream)
    found: Read = []
    try:
        for one in buffer:
            found.append((one.headers, one.payload))
    except (ParserError, UnicodeDecodeError, struct.error, KeyError):
        return found, True
    return found, False


@given(MESSAGES, st.lists(st.integers(0, 1500)))
def test_every_stream_in_every_cut_reads_as_botocore_reads_it(said, places: list[int]):
    stream = packed(said)
    expected, failed = by_botocore(stream)
    assert not failed
    assert len(expected) == len(said)
    cuts = cut_at(stream, [place for place in places if place < len(stream)])
    for each in (cuts, [stream], pieces(stream, 1), pieces(stream, 7)):
        assert read_all(each) == (expected, None)


@given(MESSAGES.filter(bool), st.data())
def test_a_single_wrong_bit_ends_in_a_named_failure(said, data):
    stream = bytearray(packed(said))
    place = data.draw(st.integers(0, len(stream) - 1))
    stream[place] ^= 1 << data.draw(st.integers(0, 7))
    expected, failed = by_botocore(bytes(stream))
    found, fault = read_all(pieces(bytes(stream), 5))
    assert failed
    assert found == expected
    assert fault is Fault.BAD_EVENT


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8))
def test_any_bytes_are_read_alike_in_any_cut(cuts: list[bytes]):
    whole = b"".join(cuts)
    assert read_all(cuts) == read_all([whole] if whole else []) == read_all(pieces(whole, 1))


@given(st.binary(max_size=80))
def test_any_header_block_is_read_or_refused(block: bytes):
    stream = message(block, b"{}")
    found, fault = read([stream])
    expected, failed = by_botocore(stream)
    assert fault in (None, Fault.BAD_EVENT)
    if fault is None:
        assert not failed
        assert found == expected


def test_the_messages_before_a_damaged_one_are_read():
    good = event("messageStart", {"role": "assistant"})
    bad = bytearray(good)
    bad[-1] ^= 255
    framer = MessageFramer()
    read = framer.feed(good + good + bytes(bad) + good)
    assert next(read).payload == b'{"role": "assistant"}'
    assert next(read).headers[":event-type"] == "messageStart"
    with pytest.raises(UpstreamFailed) as caught:
        next(read)
    assert caught.value.failure.fault is Fault.BAD_EVENT


@pytest.mark.parametrize(
    ("size", "headers", "fault"),
    [
        (MAX_MESSAGE + 1, 0, Fault.TOO_LARGE),
        (0xFFFFFFFF, 0xFFFFFFFF, Fault.TOO_LARGE),
        (MAX_MESSAGE, MAX_HEADERS + 1, Fault.TOO_LARGE),
        (15, 0, Fault.BAD_EVENT),
        (0, 0, Fault.BAD_EVENT),
        (20, 5, Fault.BAD_EVENT),
    ],
)
def test_sizes_beyond_the_limits_are_refused_before_their_bytes_come(
    size: int, headers: int, fault: Fault
):
    prelude = struct.pack(">II", size, headers)
    assert read([prelude + struct.pack(">I", crc32(prelude))]) == ([], fault)


def test_a_message_as_large_as_allowed_is_read():
    payload = b"x" * (MAX_MESSAGE - 16)
    found, fault = read(pieces(message(b"", payload), 65_536))
    assert fault is None
    assert found == [({}, payload)]


def test_a_name_that_is_given_twice_is_refused():
    block = header("a", 7, "x") + header("a", 7, "y")
    assert read([message(block, b"")]) == ([], Fault.BAD_EVENT)


def test_an_unfinished_message_waits_for_its_end():
    stream = event("x", {"a": 1})
    framer = MessageFramer()
    assert list(framer.feed(stream[:-1])) == []
    assert [one.payload for one in framer.feed(stream[-1:])] == [b'{"a": 1}']
