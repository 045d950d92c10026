"""The contract of all dialects: what every adapter in the registry promises.

A dialect's `samples/<dialect>/` holds the same answer as it says it: `stream` and `whole`.
"""

import copyreg
from copy import deepcopy
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.reading import (
    broken,
    cut_at,
    decode,
    finishes,
    flat,
    pieces,
    text,
    usage,
)
from tests.wall.asking import ask, offer, upstream

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import FINISH_REASONS
from infway.kernel.faults import CONSEQUENCES
from infway.providers.adapter import Adapter
from infway.providers.registry import ADAPTERS

SAID = 'Hello, wörld — 日本\u2028 "quoted" and [DONE] data: {}\n\nend'
SAMPLES = Path(__file__).parent / "samples"
# Tables that never change have no copies of their own in Python; decoders hold some
copyreg.pickle(MappingProxyType, lambda table: (MappingProxyType, (dict(table),)))
UNREADABLE = [b"", b"\xff\xfe", b"<html>no</html>", b"[]", b"null", b'"x"', b"[" * 5000, b"{"]


@pytest.fixture(params=sorted(ADAPTERS), scope="module")
def dialect(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def adapter(dialect: str) -> Adapter:
    return ADAPTERS[dialect]


@pytest.fixture(scope="module")
def stream(dialect: str) -> bytes:
    return (SAMPLES / dialect / "stream").read_bytes()


@pytest.fixture(scope="module")
def told(adapter: Adapter, stream: bytes) -> object:
    """What a stream tells that comes in one piece."""
    return flat(decode(adapter.decoder(), [stream]))


@pytest.fixture(scope="module")
def whole(dialect: str) -> bytes:
    return (SAMPLES / dialect / "whole").read_bytes()


@pytest.mark.parametrize("size", [1, 3, 7, 64, 1_000_000])
def test_the_events_are_the_same_however_the_bytes_are_cut(
    adapter: Adapter, stream: bytes, size: int
):
    events = decode(adapter.decoder(), pieces(stream, size))
    assert flat(events) == flat(decode(adapter.decoder(), [stream]))
    assert text(events) == SAID
    assert broken(events) is None


@given(places=st.lists(st.integers(0, 3000)))
def test_random_cuts_change_nothing(
    adapter: Adapter, stream: bytes, told: object, places: list[int]
):
    cuts = cut_at(stream, [place for place in places if place < len(stream)])
    assert flat(decode(adapter.decoder(), cuts)) == told


def test_a_cut_stream_is_never_taken_for_a_whole_one(adapter: Adapter, stream: bytes):
    for place in range(len(stream)):
        events = decode(adapter.decoder(), [stream[:place]] if place else [])
        if broken(events) is None:
            assert text(events) == SAID, f"cut at byte {place}"
            assert finishes(events), f"cut at byte {place}"
        assert SAID.startswith(text(events))


def test_a_stream_cut_at_a_piece_is_never_taken_for_a_whole_one(adapter: Adapter, stream: bytes):
    """A decoder that has read the pieces so far is copied for each place in the next one."""
    decoder, before = adapter.decoder(), []
    for start, piece in zip(range(0, len(stream), 7), pieces(stream, 7), strict=True):
        for length in range(len(piece)):
            rest = [piece[:length]] if length else []
            events = before + decode(deepcopy(decoder), rest)
            cut = start + length
            assert broken(events) is not None or text(events) == SAID, f"cut at byte {cut}"
        before += decoder.feed(piece)
        if decoder.done:
            break
    assert text(before) == SAID


def test_a_cut_body_is_never_taken_for_a_whole_one(adapter: Adapter, whole: bytes):
    for place in range(len(whole.rstrip())):
        with pytest.raises(UpstreamFailed):
            adapter.whole(whole[:place])


def test_nothing_after_the_end_belongs_to_the_reply(adapter: Adapter, stream: bytes):
    expected = flat(decode(adapter.decoder(), [stream]))
    for garbage in (stream, b"garbage\n\n", b"\xff\xff\n", b"data: {}\n\n"):
        assert flat(decode(adapter.decoder(), [stream + garbage])) == expected
        decoder = adapter.decoder()
        decode(decoder, [stream])
        assert decoder.feed(garbage) == []
        assert decoder.close() == []


def test_a_whole_reply_and_a_stream_say_the_same(adapter: Adapter, whole: bytes, stream: bytes):
    at_once, in_pieces = adapter.whole(whole), decode(adapter.decoder(), [stream])
    assert text(at_once) == text(in_pieces) == SAID
    assert [one.reason for one in finishes(at_once)] == ["stop"]
    assert finishes(at_once) == finishes(in_pieces)
    assert {one.reason for one in finishes(in_pieces)} <= FINISH_REASONS


def test_usage_is_found(adapter: Adapter, whole: bytes, stream: bytes):
    for events in (adapter.whole(whole), decode(adapter.decoder(), pieces(stream, 5))):
        counted = usage(events)
        assert counted is not None
        assert (counted.prompt, counted.completion, counted.total) == (12, 7, 19)
        assert not counted.estimated


@pytest.mark.parametrize("streamed", [True, False])
def test_a_call_carries_no_secret_and_names_who_signs_it(
    adapter: Adapter, dialect: str, streamed: bool
):
    source = upstream("somebody", dialect=dialect)
    call = adapter.request(ask(stream=streamed), offer("native-name", source))
    assert call.upstream == "somebody"
    names = {name.lower() for name in call.headers}
    assert not names & {"authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie"}
    assert "host" not in names


@pytest.mark.parametrize("status", [*range(300, 309), *range(400, 430), *range(500, 530)])
def test_a_fault_is_named_even_without_a_readable_body(adapter: Adapter, status: int):
    for body in UNREADABLE:
        failure = adapter.fault(status, {}, body)
        assert failure.fault in CONSEQUENCES
        assert failure.status == status


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8))
def test_any_bytes_at_all_end_in_a_named_failure(adapter: Adapter, cuts: list[bytes]):
    end = broken(decode(adapter.decoder(), cuts))
    assert end is not None
    assert end.failure.fault in CONSEQUENCES


@given(st.binary(max_size=60))
def test_any_body_at_all_ends_in_a_named_failure(adapter: Adapter, body: bytes):
    with pytest.raises(UpstreamFailed) as caught:
        adapter.whole(body)
    assert caught.value.failure.fault in CONSEQUENCES


def test_an_adapter_keeps_nothing_between_replies(adapter: Adapter, stream: bytes):
    first, second = adapter.decoder(), adapter.decoder()
    half = len(stream) // 2
    first.feed(stream[:half])
    assert text(decode(second, [stream])) == SAID
    assert first.done is False
