"""Lines of JSON, however the bytes are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.reading import pieces

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.ndjson import MAX_LINE, LineFramer


def lines(data: bytes, size: int) -> list[bytes]:
    framer = LineFramer()
    return [line for piece in pieces(data, size) for line in framer.feed(piece)]


@given(st.lists(st.binary(max_size=9).map(lambda one: one.replace(b"\n", b"")), max_size=9))
def test_the_lines_are_the_same_however_the_bytes_are_cut(said: list[bytes]):
    data = b"".join(line + b"\n" for line in said)
    expected = [line for line in said if line.strip()]
    for size in (1, 3, 1000):
        assert lines(data, size) == expected


def test_a_line_separator_inside_a_text_ends_no_line():
    data = '{"a":"\u2028\x85"}\n'.encode()
    assert lines(data, 2) == [data.rstrip(b"\n")]


def test_what_has_no_end_yet_is_kept():
    framer = LineFramer()
    assert framer.feed(b"one\ntw") == [b"one"]
    assert framer.feed(b"") == []
    assert framer.rest() == b"tw"
    assert framer.rest() == b""


def test_a_line_that_does_not_end_is_refused():
    framer = LineFramer()
    framer.feed(b"x" * MAX_LINE)
    with pytest.raises(UpstreamFailed) as caught:
        framer.feed(b"x")
    assert caught.value.failure.fault is Fault.TOO_LARGE
